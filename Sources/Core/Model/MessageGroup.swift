/// Messages for one provider that are handed over together: their texts in one piece of memory.
package struct MessageGroup: Sendable {
    package struct Message: Sendable {
        /// The recipient's address.
        package var recipient: String
        /// Where the message's text lies in `bytes`: for SMTP as it goes onto the wire after DATA, CRLF lines with dots
        /// stuffed (RFC 5321 section 4.5.2) but without the final dot; for HTTP the request's body.
        package var body: Range<Int>
        /// A name that stays the same if the message is sent again: the idempotency key of HTTP.
        package var key: String

        package init(recipient: String, body: Range<Int>, key: String) {
            self.recipient = recipient
            self.body = body
            self.key = key
        }
    }

    /// The envelope's sender (RFC 5321 reverse-path, without brackets); empty for channels without one.
    package var sender: String
    package var bytes: [UInt8]
    package var messages: [Message]
    /// Asked before the text of a message is sent whose envelope the provider took: false when the message has become
    /// another's to send meanwhile. Called on the transport's own threads.
    package var mayFinish: @Sendable () -> Bool = { true }
    /// The limit that its messages start under; nil where there is none.
    package var limit: (any StartLimit)?

    package init(sender: String, bytes: [UInt8] = [], messages: [Message] = []) {
        self.sender = sender
        self.bytes = bytes
        self.messages = messages
    }
}

/// A limit on when messages start, as transports meet it. Asked on their own threads; it must not block. Moments are in nanoseconds of
/// CLOCK_MONOTONIC.
package protocol StartLimit: Sendable {
    /// Whether there is a limit now: while there is none, messages start at once, and may be sent before the one ahead is answered.
    var isActive: Bool { get }

    /// Takes the next moment for a message that is ready to start.
    func next() -> Start

    /// A moment taken before has come.
    /// - Returns: whether it may still be used; if not, `next` is to be asked again.
    func use(_ moment: Int64) -> Bool
}

/// When a message may start.
package enum Start: Sendable, Equatable {
    case now
    /// At this moment, which is its own; then `StartLimit.use` is asked.
    case at(Int64)
    /// Not soon: the messages of the group that are left go back.
    case none
}
