import Text

/// A request that says it comes from a provider.
package struct WebhookRequest: Sendable {
    /// By their names in small letters.
    package var headers: [String: String]
    package var body: [UInt8]
    /// The address as the provider has it, with its query: what we told the provider, not what a proxy made of it.
    package var url: String

    /// Bytes of a body at most: SendGrid sends up to 1 MB at once.
    package static let mostBytes = 2 << 20
    /// Receipts of a body at most.
    package static let mostReceipts = 10_000

    /// A parameter of the query; nil where there is none, or more than one.
    func parameter(_ name: String) -> String? {
        let query = url.drop { $0 != "?" }.dropFirst()
        let values = query.split(separator: "&").filter { $0.hasPrefix(name + "=") }
        return values.count == 1 ? PercentEncoding.decode(values[0].dropFirst(name.count + 1).replacing("+", with: " ")) : nil
    }

    package init(headers: [String: String], body: [UInt8], url: String = "") {
        self.headers = Dictionary(headers.map { ($0.key.lowercased(), $0.value) }) { first, _ in first }
        self.body = body
        self.url = url
    }
}

/// Why a request is not taken. Whoever sent it learns no more than that.
package enum WebhookFault: Error, Equatable, Sendable {
    /// It has no signature, or another one than its contents have.
    case forged
    /// Its signature covers a token alone, and came with another body before.
    case used
    /// It was signed too long ago, or in the future; with its age in seconds.
    case old(Int64)
    /// It is none that the provider sends; with what is missing.
    case malformed(String)
    /// The certificate that it names is none of the provider's.
    case foreignCertificate
    /// It comes from another topic of Amazon's than the one that is expected.
    case foreignTopic
    /// What is needed to check it cannot be had now.
    case unavailable
}
