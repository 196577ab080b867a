package import Model

/// Delivers groups of messages to one provider.
package protocol DeliveryTransport: Sendable {
    /// Connects once and learns what the provider offers.
    /// - Throws: `TransportError`, which says what to do, where it cannot be reached or refuses us.
    func prepare() async throws(TransportError) -> ProviderCapabilities

    /// Delivers each message of the group and responses in their order. `mayBegin` is asked before each message, so that a
    /// pause or a stop takes effect within the group; it is called on the transport's own threads and must not block. Then each message
    /// starts when the group's `limit` says: it is its first byte that starts then.
    /// - Returns: a response a message; nil for those that were not begun, or cannot have arrived, because `mayBegin` or the limit said no,
    ///   the task was cancelled or the transport was closed or aborted. So are those behind a message that met 421: it alone
    ///   has that response. A message of which nothing was on the wire when no connection could be had is answered as `.unreachable` at
    ///   the stage `.connect`.
    func deliver(_ group: MessageGroup, mayBegin: @escaping @Sendable () -> Bool) async -> [ProviderResponse?]

    /// Closes idle connections politely and waits for those in use.
    func close() async

    /// Ends all connections at once, and the transport with them. Each `deliver` under way returns promptly, later ones at
    /// once: what may have arrived is answered as `.unreachable`, at the stage `.body` (SMTP: the final dot was sent) or
    /// `.response` (HTTP: the request was being sent); what cannot have arrived is answered by nil. It may be called while
    /// `close` waits, which then returns soon.
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

    package init(eightBitMIME: Bool, smtpUTF8: Bool, maximumSize: Int?) {
        self.eightBitMIME = eightBitMIME
        self.smtpUTF8 = smtpUTF8
        self.maximumSize = maximumSize
    }
}

/// Why a provider cannot be used now, and what to do about it.
package struct TransportError: Error, Sendable, CustomStringConvertible {
    package let description: String
    package let kind: ResponseClass
    /// How far we came.
    package let stage: DeliveryStage

    package init(description: String, kind: ResponseClass, stage: DeliveryStage) {
        self.description = description
        self.kind = kind
        self.stage = stage
    }
}
