package import Model

/// Delivers groups of messages to one provider.
package protocol DeliveryTransport: Sendable {
    /// Connects once and learns what the provider offers.
    /// - Throws: `TransportError`, which says what to do, where it cannot be reached or refuses us.
    func prepare() async throws(TransportError) -> ProviderCapabilities

    /// Delivers the messages of a group.
    ///
    /// A message starts with its first byte, at the time that the group's `limit` gives it.
    /// - Parameter mayStart: asked before each message, so that a pause or a stop takes effect within the group. It is called on the
    ///   transport's own threads and must not block.
    /// - Returns: a response for each message, in the order of the group. Nil for a message that was not started or cannot have
    ///   arrived: `mayStart` or the limit said no, the task was cancelled, the transport was closed or aborted, or an earlier message
    ///   of the group was answered by 421, which only that message keeps; or its response is late, and `group.detach` has it.
    ///   `.reconnect` at the stage `.connect` for a message that was
    ///   not started because there was no connection.
    func deliver(_ group: MessageGroup, mayStart: @escaping @Sendable () -> Bool) async -> [ProviderResponse?]

    /// Closes idle connections politely and waits for those in use.
    func close() async

    /// Ends all connections and the transport at once. Each `deliver` that runs returns soon, and a later one at once.
    ///
    /// A message that may have arrived gets `.reconnect`, at the stage `.body` (SMTP: the final dot was sent) or `.response` (HTTP:
    /// the request was being sent). A message that cannot have arrived gets nil. A `close` that waits returns soon.
    func abort()
}

/// What a provider offers for all messages.
package struct ProviderCapabilities: Sendable, Equatable {
    /// Bytes above 127 may stand in the body (RFC 6152).
    package var eightBitMIME: Bool
    /// Addresses may hold characters outside ASCII (RFC 6531).
    package var smtpUTF8: Bool
    /// Bytes of a message at most (RFC 1870); nil where the provider names no limit.
    package var maximumSize: Int?

    /// What texts depend on.
    package var extensions: MailExtensions { MailExtensions(eightBitMIME: eightBitMIME, smtpUTF8: smtpUTF8) }

    package init(eightBitMIME: Bool, smtpUTF8: Bool, maximumSize: Int?) {
        self.eightBitMIME = eightBitMIME
        self.smtpUTF8 = smtpUTF8
        self.maximumSize = maximumSize
    }
}

/// Why a provider cannot be used now, and what to do about it.
package struct TransportError: Error, Sendable, CustomStringConvertible {
    package let description: String
    package let action: ResponseAction
    /// The step at which it failed.
    package let stage: DeliveryStage
    /// The provider answered that it cannot serve now, and may later.
    package let isPassing: Bool

    package init(description: String, action: ResponseAction, stage: DeliveryStage, isPassing: Bool = false) {
        self.isPassing = isPassing
        self.description = description
        self.action = action
        self.stage = stage
    }
}
