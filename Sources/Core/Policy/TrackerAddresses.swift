import Text

/// The public addresses of the trackers of a fleet: one for the mailings of each of some senders, and one for all others.
package struct TrackerAddresses: Sendable, Equatable {
    /// Without a final slash.
    package let url: String
    /// By the sender's domain in small letters: `example.com`, or `*.example.com` for any below it, and not itself.
    package let domains: [String: String]

    package init(url: String, domains: [String: String] = [:]) {
        self.url = url
        self.domains = domains
    }

    /// All of them, each once.
    package var all: [String] { Set([url] + domains.values).sorted() }

    /// The address for a mailing's `from`: that of its domain, else that of the longest `*.` above it, else the one for all others.
    package func url(ofSender from: String) -> String {
        guard let mailbox = (try? Mailbox(from))?.ascii else { return url }
        let names = domains.keys.sorted()
        let table = DomainTable(names.map { DomainLimit(name: $0) })
        var address = mailbox.address.description
        return address.withUTF8(table.entry).flatMap { domains[names[$0]] } ?? url
    }
}
