/// A mail that came to us.
package struct IncomingMail: Sendable, Equatable {
    /// The envelope's sender; empty for the null path of a bounce, and where it is not known.
    package var sender: String
    /// The addresses that it came to.
    package var recipients: [String]
    /// The beginning of its text, which may have any bytes.
    package var head: [UInt8]
    /// Bytes of the whole text, about.
    package var size: Int
    /// `head` is the whole text.
    package var isWhole: Bool

    package init(sender: String = "", recipients: [String], head: [UInt8], size: Int, isWhole: Bool) {
        (self.sender, self.recipients, self.head, self.size, self.isWhole) = (sender, recipients, head, size, isWhole)
    }

    /// Bytes of a mail that are kept: what a delivery report says stands before the message that came back.
    package static let headBytes = 256 << 10
}

/// What became of a mail.
package enum MailVerdict: Sendable, Equatable {
    /// It is kept, or nothing is to be kept of it: its sender need not send it again.
    case taken
    /// It is to be sent again later.
    case later
    /// It is larger than any that is taken.
    case refused
}
