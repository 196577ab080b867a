/// A request that says it comes from a provider.
package struct WebhookRequest: Sendable {
    /// By their names in small letters.
    package var headers: [String: String]
    package var body: [UInt8]
    /// The address as the provider has it, with its query: what we told the provider, not what a proxy made of it.
    package var url: String

    /// Bytes of a body at most: SendGrid sends up to 1 MB at once.
    package static let mostBytes = 2 << 20
    /// Events of a body at most.
    package static let mostEvents = 10_000

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
    /// It was signed too long ago, or in the future; with its age in seconds.
    case old(Int64)
    /// It is none that the provider sends; with what is missing.
    case malformed(String)
    /// The certificate that it names is none of the provider's.
    case foreignCertificate
}
