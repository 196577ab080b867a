import Receipts
import Text

/// The certificates by which Amazon's SNS signs, each fetched once a day. Addresses were found to be Amazon's before they are asked for
/// here; even so strangers choose among them, and few are asked for at a time.
actor CertificateStore {
    /// Certificates that are remembered at most.
    private static let most = 16
    /// Addresses without a certificate that are asked for in a minute at most.
    private static let attempts = 10

    private let fetch: WebhookReceiver.Fetch
    private var known: [String: (certificate: Secret, until: ContinuousClock.Instant)] = [:]
    private var minute = ContinuousClock.now
    private var asked = 0

    init(_ fetch: @escaping WebhookReceiver.Fetch) { self.fetch = fetch }

    /// - Throws: `WebhookFault.unavailable`.
    func certificate(at url: String) async throws(WebhookFault) -> Secret {
        if let found = known[url], found.until > .now { return found.certificate }
        if ContinuousClock.now - minute > .seconds(60) {
            minute = ContinuousClock.now
            asked = 0
        }
        guard asked < Self.attempts else { throw .unavailable }
        asked += 1
        guard let bytes = try? await fetch(url), let text = String(validating: bytes, as: UTF8.self) else { throw .unavailable }
        if known.count >= Self.most { known = [:] }
        let certificate = Secret(text)
        known[url] = (certificate, ContinuousClock.now + .seconds(86_400))
        return certificate
    }
}
