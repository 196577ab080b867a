package import Ledger
package import Logging
import Model
import Signing
import Text
import Transport

/// Sends the messages of one subscription to its receiver, on connections of its own: a receiver that hangs delays no other's messages.
package struct WebhookSender: Sendable {
    /// Seconds for a connection, and for an answer.
    private static let connectTime = Duration.seconds(10)
    private static let answerTime = Duration.seconds(15)

    private let transport: HTTPTransport
    private let secrets: [(secret: WebhookSecret, until: Int64?)]

    /// - Throws: `WebhookSetUpError` where the subscription's URL or secret cannot be used.
    package init(_ subscription: WebhookSubscription, logger: Logger) throws(WebhookSetUpError) {
        let provider: Provider
        do { provider = try Self.provider(subscription) } catch { throw WebhookSetUpError("its URL \(error)") }
        do {
            var secrets: [(WebhookSecret, Int64?)] = [(try WebhookSecret(subscription.secret), nil)]
            if let old = subscription.oldSecret { secrets.append((try WebhookSecret(old), subscription.oldUntil ?? 0)) }
            self.secrets = secrets
        } catch { throw WebhookSetUpError("its secret \(error)") }
        transport = HTTPTransport(provider: provider, logger: logger)
    }

    private static func provider(_ subscription: WebhookSubscription) throws(ProviderURLError) -> Provider {
        var provider = try ProviderURL.parse(subscription.url.exposed, allowingPassword: true)
        provider.name = "webhook:\(subscription.id)"
        provider.connections = subscription.parts
        (provider.connectTimeout, provider.timeout, provider.lateConnections) = (connectTime, answerTime, 0)
        return provider
    }

    /// Sends a message once.
    /// - Parameters:
    ///   - mayStart: asked before its first byte is sent.
    ///   - now: milliseconds since 1970.
    package func send(_ body: WebhookBody, now: Int64, mayStart: @escaping @Sendable () -> Bool = { true }) async -> WebhookAnswer {
        var message = MessageGroup.Message(recipient: "", body: 0..<body.bytes.count, key: body.id)
        let signing = secrets.filter { $0.until.map { now < $0 } ?? true }.map(\.secret)
        message.headers = body.headers(signing, now: now)
        let group = MessageGroup(sender: "", bytes: body.bytes, messages: [message])
        let response = await transport.deliver(group, mayStart: mayStart).first ?? nil
        return response.map { WebhookAnswer($0) } ?? .none
    }

    /// Waits for the messages in flight, and starts no further one.
    package func close() async { await transport.close() }
}

/// What a receiver answered. Nothing of the answer's body is kept: it may have any value in it.
package enum WebhookAnswer: Sendable, Equatable {
    /// The message was not sent, as the sender ends.
    case none
    case status(Int, retryAfter: Double?)
    /// No answer came; the words are ours.
    case failure(String)

    init(_ response: ProviderResponse) {
        self = response.code > 0 ? .status(response.code, retryAfter: response.retryAfter) : .failure(response.text)
    }

    var outcome: WebhookOutcome {
        switch self {
        case .none: .notSent
        case .status(200...299, _): .accepted
        case .status(410, _): .gone
        case .status(let code, let retryAfter): .failed(words: "it was answered with \(code)", retryAfter: retryAfter)
        case .failure(let words): .failed(words: words, retryAfter: nil)
        }
    }

    package var isAccepted: Bool { outcome == .accepted }

    /// For people.
    package var words: String {
        switch self {
        case .none: "it was not sent"
        case .status(let code, _): "it was answered with \(code)"
        case .failure(let words): words
        }
    }
}

/// Why a subscription cannot be told of anything.
package struct WebhookSetUpError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
