package import Policy
import Text

/// The entries of `tracker.domains`, and what is wrong with them together.
struct TrackerDomains {
    private(set) var addresses: [String: String] = [:]
    private(set) var problems: [SettingsError.Problem] = []

    private static let section = ["tracker", "domains"]

    init(_ entries: [SettingsEntry], _ reader: SettingsReader) {
        let url = reader.value(SettingsTable.trackerURL)
        for entry in entries where entry.path.count == 3 && entry.path.starts(with: Self.section) {
            guard let address = SettingsTable.trackerDomain.parse(entry.texts) else { continue }
            func refuse(_ text: String) { problems.append(SettingsError.Problem(place: entry.place, key: entry.name, text: text)) }
            if let url {
                // Behind a proxy that removes the path, a page could not tell by which address it is visited.
                guard Self.path(address) == Self.path(url) else {
                    refuse("has another path than tracker.url (\(url)); only the host may differ")
                    continue
                }
            } else {
                refuse("is for some senders, and there is no address for the others: set tracker.url")
            }
            addresses[entry.path[2]] = address
        }
    }

    private static func path(_ address: String) -> String { (try? ParsedURL(address).path) ?? "" }
}

extension Settings.Tracker {
    /// The addresses that links lead to; nil where nothing is tracked.
    package var publicAddresses: TrackerAddresses? { url.map { TrackerAddresses(url: $0, domains: domains) } }
}
