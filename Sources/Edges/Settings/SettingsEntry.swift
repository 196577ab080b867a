/// One value as it was found, before it means anything.
struct SettingsEntry {
    let path: [String]
    let key: SettingKey
    let texts: [String]
    /// `file:line`, or the name of an environment variable.
    let place: String

    var name: String { path.joined(separator: ".") }

    /// What is wrong with the value; nil for nothing.
    var problem: SettingsError.Problem? {
        guard !key.isAllowed(texts) else { return nil }
        let value = texts.joined(separator: ", ")
        var text = "\(key.shown(value)) is not allowed; "
        text += "allowed: \(key.form.allowed.filter { $0 != "`" })"
        if key.form.type == "duration" { text += ", a whole number with ms, s, m, h or d" }
        return SettingsError.Problem(place: place, key: name, text: text)
    }
}

/// What one source of settings holds.
struct SettingsSource {
    var entries: [SettingsEntry] = []
    /// In the order of the source.
    var problems: [SettingsError.Problem] = []
    /// Providers that the source names, and where first, even if nothing is said of them.
    var providers: [String: String] = [:]
    /// Entries of `domains:`, in the same way.
    var domains: [String: String] = [:]

    mutating func add(_ entry: SettingsEntry) {
        entries.append(entry)
        if let problem = entry.problem { problems.append(problem) }
    }

    mutating func refuse(_ place: String, _ key: String, _ text: String) {
        problems.append(SettingsError.Problem(place: place, key: key, text: text))
    }
}
