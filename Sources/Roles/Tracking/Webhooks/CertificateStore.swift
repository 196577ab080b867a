import Model
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
    private let clocks: Clocks
    private var known: [String: (certificate: Secret, until: ContinuousClock.Instant)] = [:]
    private var minute: ContinuousClock.Instant
    private var asked = 0

    init(_ fetch: @escaping WebhookReceiver.Fetch, clocks: Clocks) {
        (self.fetch, self.clocks) = (fetch, clocks)
        minute = clocks.now
    }

    /// - Throws: `WebhookFault.unavailable`.
    func certificate(at url: String) async throws(WebhookFault) -> Secret {
        if let found = known[url], found.until > clocks.now { return found.certificate }
        if clocks.now - minute > .seconds(60) {
            minute = clocks.now
            asked = 0
        }
        guard asked < Self.attempts else { throw .unavailable }
        asked += 1
        guard let bytes = try? await fetch(url), let text = String(validating: bytes, as: UTF8.self) else { throw .unavailable }
        if known.count >= Self.most { known = [:] }
        let certificate = Secret(text)
        known[url] = (certificate, clocks.now + .seconds(86_400))
        return certificate
    }
}
