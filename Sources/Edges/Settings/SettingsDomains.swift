/// Checks all entries of `domains:` together.
enum SettingsDomains {
    /// Entries to which no address can belong, and domains that two entries claim.
    /// - Parameters:
    ///   - places: the entries, and where each is.
    ///   - entries: of the file, then of the environment, which wins.
    static func problems(_ places: [String: String], in entries: [SettingsEntry]) -> [SettingsError.Problem] {
        var problems: [SettingsError.Problem] = []
        var owners: [String: String] = [:]
        for (name, place) in places.sorted(by: { $0.key < $1.key }) {
            let entry = entries.last { $0.path == ["domains", name, "names"] }
            let key = "domains.\(name).names"
            // Bad values are reported by `SettingsEntry`.
            guard let names = entry.map({ SettingsTable.domainNames.parse($0.texts) }) ?? [name] else { continue }
            if entry == nil, !HostName.isPattern(name) {
                problems.append(
                    .init(
                        place: place, key: key, text: "is missing: '\(name)' is not a domain of e-mail addresses; name its domains"))
                continue
            }
            for domain in Set(names).sorted() {
                if let owner = owners[domain] {
                    problems.append(
                        .init(
                            place: entry?.place ?? place, key: key, text: "'\(domain)' belongs to domains.\(owner) already"))
                }
                owners[domain] = name
            }
        }
        return problems
    }
}
