/// The stage of a delivery at which its response came.
package enum DeliveryStage: String, Codable, Sendable, CaseIterable {
    case connect, tls, greeting, auth, mail, rcpt, data, body, response
}

/// A provider's response to one message, or the reason why there is none.
package struct ProviderResponse: Sendable, Hashable {
    package var reason: ResponseReason
    package var action: ResponseAction
    /// Whom it is about. The collector is told of those alone that end a recipient and are certainly the recipient's own.
    package var subject: ResponseSubject
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
    /// A response of HTTP that says the provider itself failed: 5xx of the action `retry`. Not sent to the collector.
    package var hasProviderFailed: Bool
    /// The message was sent and no response came; nil for all other responses.
    package var missed: MissedResponse?

    package init(
        _ reason: ResponseReason, _ action: ResponseAction, about subject: ResponseSubject, stage: DeliveryStage, code: Int, text: String,
        messageID: String = ""
    ) {
        self.reason = reason
        self.action = action
        self.subject = subject
        self.stage = stage
        self.code = code
        self.text = text
        self.messageID = messageID
        hasProviderFailed = false
    }

    /// A response that takes the place of a provider's, with the usual reason of its action.
    package init(
        action: ResponseAction, stage: DeliveryStage, code: Int, text: String, messageID: String = "",
        retryAfter: Double? = nil, hasProviderFailed: Bool = false
    ) {
        let subject: ResponseSubject = action == .pauseMailing ? .everybody : action == .fail ? .recipient : .unclear
        self.init(action.usualReason, action, about: subject, stage: stage, code: code, text: text, messageID: messageID)
        self.retryAfter = retryAfter
        self.hasProviderFailed = hasProviderFailed
    }

    /// The reason why a message that was sent has no response.
    package init(missed: MissedResponse, stage: DeliveryStage, text: String) {
        self.init(.network, .reconnect, about: .unclear, stage: stage, code: 0, text: text)
        self.missed = missed
    }

    /// The message was sent and no response came: it may have arrived.
    package var mayHaveArrived: Bool { missed != nil }

    /// The provider could not be reached or gave no response, at any stage, or it said over HTTP that it failed (500 to 599 of
    /// the action `retry`). A reply of SMTP never is: 4xx and 5xx speak of a message, a limit or our set-up.
    package var isProviderFault: Bool { action == .reconnect || hasProviderFailed }
}
