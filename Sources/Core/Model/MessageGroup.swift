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
        /// HTTP: header lines of its own, as `Name: value`.
        package var headers: [String] = []

        package init(recipient: String, body: Range<Int>, key: String) {
            self.recipient = recipient
            self.body = body
            self.key = key
        }
    }

    /// The envelope's sender (RFC 5321 reverse-path, without brackets); empty for channels without one.
    package var sender: String
    /// The envelope's sender of each message, where they have their own in its place.
    package var senders: EnvelopeSenders?
    package var bytes: [UInt8]
    package var messages: [Message]
    /// Asked before the text of a message is sent whose envelope the provider took: false when another worker
    /// sends the message meanwhile. Called on the transport's own threads.
    package var mayFinish: @Sendable () -> Bool = { true }
    /// The limit that its messages start under; nil where there is none.
    package var limit: (any StartLimit)?
    /// Composes the texts anew for a server that understands less than `extensions`; nil where they suit every server. Called on the
    /// transport's own threads, unless there is `elsewhere`.
    package var recompose: (@Sendable (MailExtensions) -> Texts)?
    /// Runs `recompose` on another thread, where it takes long, as it does for texts that are signed: no connection waits for it. Nil where
    /// it is quick.
    package var elsewhere: (@Sendable (_ work: @escaping @Sendable () -> Void) -> Void)?
    /// What a server must understand for the texts as they are.
    package var extensions = MailExtensions.none
    /// Takes a message, by its place in the group, whose response is late: `deliver` returns without it, and without
    /// messages that were not started. Nil where nobody waits for late ones. Called before `deliver` returns.
    package var detach: (@Sendable (_ index: Int, _ response: LateResponse) -> Void)?

    /// The texts of a group: all in one piece, and where each message's lies.
    package struct Texts: Sendable {
        package var bytes: [UInt8]
        package var bodies: [Range<Int>]

        package init(bytes: [UInt8], bodies: [Range<Int>]) {
            self.bytes = bytes
            self.bodies = bodies
        }
    }

    /// The envelope's sender of one message, for people and rules.
    package func sender(of index: Int) -> String { senders.map { String(decoding: $0[index], as: UTF8.self) } ?? sender }

    /// Makes its texts fit for a server. One that offers SMTPUTF8 gets addresses beyond ASCII as they are.
    package mutating func suit(_ server: MailExtensions) {
        guard let recompose, !suits(server) else { return }
        let texts = recompose(server)
        guard texts.bodies.count == messages.count else { return }
        bytes = texts.bytes
        for (index, body) in texts.bodies.enumerated() { messages[index].body = body }
        extensions = server
    }

    /// Its texts are fit for a server as they are.
    package func suits(_ server: MailExtensions) -> Bool { recompose == nil || server.covers(extensions) && !gains(server) }

    private func gains(_ server: MailExtensions) -> Bool {
        guard server.smtpUTF8, !extensions.smtpUTF8 else { return false }
        return messages.contains { $0.recipient.utf8.contains { $0 >= 0x80 } }
    }

    package init(sender: String, bytes: [UInt8] = [], messages: [Message] = []) {
        self.sender = sender
        self.bytes = bytes
        self.messages = messages
    }
}

/// The envelopes' senders of a group's messages, each with as many bytes as the others, in one piece of memory. All are in ASCII.
package struct EnvelopeSenders: Sendable {
    private let bytes: [UInt8]
    private let length: Int

    /// - Parameter bytes: all of them, one behind the other, each of `length` bytes.
    package init(_ bytes: [UInt8], length: Int) { (self.bytes, self.length) = (bytes, length) }

    /// That of a message, by its place in the group.
    package subscript(index: Int) -> ArraySlice<UInt8> { bytes[index * length..<(index + 1) * length] }
}

/// What a mail server understands beyond RFC 5321, as far as texts depend on it.
package struct MailExtensions: Sendable, Equatable {
    /// 8BITMIME (RFC 6152).
    package var eightBitMIME: Bool
    /// SMTPUTF8 (RFC 6531): headers may name addresses beyond ASCII.
    package var smtpUTF8: Bool

    package init(eightBitMIME: Bool, smtpUTF8: Bool) {
        self.eightBitMIME = eightBitMIME
        self.smtpUTF8 = smtpUTF8
    }

    package static let none = MailExtensions(eightBitMIME: false, smtpUTF8: false)

    func covers(_ other: MailExtensions) -> Bool {
        (eightBitMIME || !other.eightBitMIME) && (smtpUTF8 || !other.smtpUTF8)
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
