/// Who sends a message and who gets it, as a response to it may name them.
package struct MessageParties: Sendable {
    /// The address in MAIL; empty where it is not known.
    package var sender: String
    /// The address in RCPT; empty where it is not known.
    package var recipient: String
    /// What our machine calls itself in EHLO; empty where it is not known.
    package var hostname: String

    package init(sender: String, recipient: String, hostname: String) {
        self.sender = sender
        self.recipient = recipient
        self.hostname = hostname
    }

    package static let unknown = MessageParties(sender: "", recipient: "", hostname: "")

    /// The part behind the last `@` of an address; nil where there is none.
    static func domain(of address: some StringProtocol) -> String? {
        guard let mark = address.lastIndex(of: "@") else { return nil }
        let domain = address[address.index(after: mark)...]
        return domain.isEmpty ? nil : String(domain)
    }
}
