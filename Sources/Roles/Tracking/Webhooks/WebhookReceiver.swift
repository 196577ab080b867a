package import Logging
import Metrics
package import Model
import Policy
package import Receipts
import Synchronization
package import Telemetry
package import Text

/// Takes what providers tell of messages. A request counts only where its provider has signed it, and not long ago; it is answered with 200
/// only when Redis or the spool has all of its receipts: every provider sends again what is not.
package final class WebhookReceiver: Sendable {
    /// One webhook of the settings.
    package struct Hook: Sendable {
        package var scheme: ProviderScheme
        /// What its requests are verified with; nil for a scheme that finds that elsewhere.
        package var secret: Secret?
        /// The provider that it is of, by the name that results have.
        package var provider: String
        /// The topic of Amazon's SNS whose messages are taken.
        package var topic: String?

        package init(_ scheme: ProviderScheme, provider: String, secret: Secret? = nil, topic: String? = nil) {
            (self.scheme, self.provider, self.secret, self.topic) = (scheme, provider, secret, topic)
        }
    }

    /// Gets a document by HTTPS.
    package typealias Fetch = @Sendable (String) async throws -> [UInt8]

    /// Bytes of a request's body at most.
    package static let bodyBytes = WebhookRequest.mostBytes

    private let hooks: [String: Hook]
    /// The public address of the tracker, without a final slash: providers sign the address that they were given.
    private let url: String
    private let receipts: ReceiptSender
    private let certificates: CertificateStore
    private let fetch: Fetch
    private let lines: Mutex<[String: RepeatedLine]> = Mutex([:])
    private let used = Mutex(UsedTokens())
    private let meters: WebhookMeters
    private let clocks: Clocks
    private let logger: Logger

    package init(
        _ hooks: [String: Hook], url: String, receipts: ReceiptSender, fetch: @escaping Fetch, clocks: Clocks = .system, logger: Logger
    ) {
        (self.hooks, self.url, self.receipts, self.fetch, self.clocks, self.logger) = (hooks, url, receipts, fetch, clocks, logger)
        certificates = CertificateStore(fetch, clocks: clocks)
        meters = WebhookMeters(hooks.keys.sorted())
    }

    package func has(_ name: String?) -> Bool { name.map { hooks[$0] != nil } ?? false }

    /// Takes a request to the webhook of a name.
    package func take(_ request: WebRequest, for name: String) async -> WebResponse {
        guard let hook = hooks[name] else { return Self.answer(404, "there is no such webhook\n") }
        let now = clocks.milliseconds
        let query = request.target.drop { $0 != "?" }
        do throws(WebhookFault) {
            let webhook = try Webhook(
                WebhookRequest(headers: request.headers, body: request.body, url: "\(url)/h/\(name)\(query)"), by: hook.scheme)
            try await verify(webhook, hook, name, now: now / 1000)
            if let address = webhook.confirmation { return await confirm(address, name) }
            var all = try webhook.receipts()
            for index in all.indices {
                all[index].webhook = name
                all[index].provider = hook.provider
                all[index].arrived = now
            }
            guard await receipts.keep(all) else {
                meters.refuse(name, "no_room")
                return Self.later
            }
            meters.count(all, of: name)
            return Self.answer(200, "ok\n")
        } catch {
            return refuse(error, name)
        }
    }

    private func verify(_ webhook: Webhook, _ hook: Hook, _ name: String, now: Int64) async throws(WebhookFault) {
        guard hook.scheme.signature == .notificationService else {
            let secret = hook.secret ?? Secret("")
            try webhook.verify(secret: secret, now: now)
            guard let use = try webhook.use(secret: secret, of: name) else { return }
            if !used.withLock({ $0.take(use, at: now) }) { throw .used }
            return
        }
        // Whoever has an account with Amazon can have a topic, and its messages are signed by Amazon too.
        guard let topic = hook.topic, webhook.topic == topic else { throw .foreignTopic }
        let certificate = try await certificates.certificate(at: NotificationService.certificate(of: webhook))
        try webhook.verify(secret: certificate, now: now)
    }

    /// Tells SNS that its topic is ours.
    private func confirm(_ address: String, _ name: String) async -> WebResponse {
        do {
            _ = try await fetch(address)
            logger.notice("webhook \(name): the subscription of its topic is confirmed")
            return Self.answer(200, "ok\n")
        } catch {
            logger.error("webhook \(name): the subscription of its topic cannot be confirmed, and is tried again by Amazon: \(error)")
            meters.refuse(name, "unavailable")
            return Self.later
        }
    }

    private func refuse(_ fault: WebhookFault, _ name: String) -> WebResponse {
        meters.refuse(name, fault.name)
        let count = lines.withLock { $0[name, default: RepeatedLine()].add(at: clocks.monotonic) }
        if let count { logger.warning("webhook \(name): \(fault.words)\(RepeatedLine.text(count))") }
        switch fault {
        case .malformed: return Self.answer(400, "cannot be read\n")
        case .unavailable: return Self.later
        case .forged, .used, .old, .foreignCertificate, .foreignTopic: return Self.answer(403, "not taken\n")
        }
    }

    private static let later = answer(503, "try again later\n", [("Retry-After", "60")])

    private static func answer(_ status: Int, _ text: String, _ more: [(String, String)] = []) -> WebResponse {
        let fields = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
        return WebResponse(status, .init(fields + more), .init(Array(text.utf8)))
    }
}

extension WebhookFault {
    static let names = ["forged", "used", "old", "malformed", "foreign_certificate", "foreign_topic", "unavailable", "no_room"]

    var name: String {
        switch self {
        case .forged: "forged"
        case .used: "used"
        case .old: "old"
        case .malformed: "malformed"
        case .foreignCertificate: "foreign_certificate"
        case .foreignTopic: "foreign_topic"
        case .unavailable: "unavailable"
        }
    }

    /// For the log: what it is, and what to look at.
    var words: String {
        switch self {
        case .forged: "a request without the provider's signature is refused; is the secret in the settings the provider's of today?"
        case .used: "a request with the signature of another one is refused: somebody has seen what the provider sends"
        case .old(let age): "a request that was signed \(age) s ago is refused; is this machine's clock right?"
        case .malformed(let what): "a request cannot be read: \(what); is the kind in the settings the provider's?"
        case .foreignCertificate: "a request that names a certificate which is not Amazon's is refused"
        case .foreignTopic: "a request of another topic than that of the settings is refused"
        case .unavailable: "the certificate that Amazon's requests are signed by cannot be fetched; may this machine reach amazonaws.com?"
        }
    }
}

/// Counts what webhooks bring.
private struct WebhookMeters: Sendable {
    private let taken: [String: Counter]
    private let refused: [String: [String: Counter]]

    init(_ names: [String]) {
        taken = Dictionary(
            uniqueKeysWithValues: names.map { ($0, Counter(label: "flotilla_tracker_receipts_total", dimensions: [("webhook", $0)])) })
        refused = Dictionary(
            uniqueKeysWithValues: names.map { name in
                let counters = WebhookFault.names.map { reason in
                    (
                        reason,
                        Counter(label: "flotilla_tracker_webhooks_refused_total", dimensions: [("webhook", name), ("reason", reason)])
                    )
                }
                return (name, Dictionary(uniqueKeysWithValues: counters))
            })
    }

    func count(_ receipts: [ProviderReceipt], of name: String) { taken[name]?.increment(by: receipts.count) }

    func refuse(_ name: String, _ reason: String) { refused[name]?[reason]?.increment() }
}
