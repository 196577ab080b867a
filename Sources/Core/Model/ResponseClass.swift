/// What a provider's response to one message means for what happens next.
package enum ResponseClass: String, Codable, Sendable, CaseIterable {
    /// The provider took the message.
    case accepted
    /// Refused for now, for this message: try again after a back-off; an attempt is spent.
    case temporary
    /// The provider asks us to slow down (421, 429, 454, Retry-After): try again later; no attempt is spent.
    case throttled
    /// The recipient's domain, not the provider, asks us to slow down: try again later; no attempt is spent.
    case domainThrottled = "domain_throttled"
    /// The provider could not be reached or did not response: try again; an attempt is spent, unless nothing was sent.
    case unreachable
    /// No such mailbox or number: final, and the address is not worth another mailing.
    case badRecipient = "bad_recipient"
    /// Refused for good for another reason: content, policy, size.
    case rejected
    /// Our own set-up is refused (authentication, sender): no recipient's fault.
    case misconfigured

    /// Another attempt may end better.
    package var isRetryable: Bool {
        switch self {
        case .temporary, .throttled, .domainThrottled, .unreachable, .misconfigured: true
        case .accepted, .badRecipient, .rejected: false
        }
    }

    /// It speaks of one message or its recipient, not of the provider or our set-up.
    package var isAboutMessage: Bool {
        switch self {
        case .accepted, .temporary, .domainThrottled, .badRecipient, .rejected: true
        case .throttled, .unreachable, .misconfigured: false
        }
    }
}

/// How far a delivery had come when its response was given.
package enum DeliveryStage: String, Codable, Sendable, CaseIterable {
    case connect, tls, greeting, auth, mail, rcpt, data, body, response
}

/// A provider's response to one message, or what took its place.
package struct ProviderResponse: Sendable, Hashable {
    package var kind: ResponseClass
    package var stage: DeliveryStage
    /// SMTP reply code or HTTP status; 0 where there was none (no connection, time-out).
    package var code: Int
    /// The response's text as the provider wrote it, with the enhanced status code (RFC 3463) in front where one was given;
    /// at most 500 bytes, one line.
    package var text: String
    /// The provider's own name for the message; empty where it gave none.
    package var messageID: String
    /// The wait that the provider asked for (Retry-After), in seconds.
    package var retryAfter: Double?
    /// A response of HTTP that says the provider itself failed: 5xx of the class temporary. Not carried to the collector.
    package var hasProviderFailed: Bool

    package init(
        kind: ResponseClass, stage: DeliveryStage, code: Int, text: String, messageID: String = "",
        retryAfter: Double? = nil, hasProviderFailed: Bool = false
    ) {
        self.kind = kind
        self.stage = stage
        self.code = code
        self.text = text
        self.messageID = messageID
        self.retryAfter = retryAfter
        self.hasProviderFailed = hasProviderFailed
    }

    /// The message was sent and no response came: it may have arrived.
    package var mayHaveArrived: Bool { kind == .unreachable && (stage == .body || stage == .response) }

    /// The provider could not be reached or gave no response, at any stage, or it said over HTTP that it failed (500 to 599 of
    /// the class temporary). A reply of SMTP never is: 4xx and 5xx speak of a message, a limit or our set-up.
    package var isProviderFault: Bool { kind == .unreachable || hasProviderFailed }
}
