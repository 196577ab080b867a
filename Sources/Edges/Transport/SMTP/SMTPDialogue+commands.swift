import Model
import NIOCore

/// What goes onto the wire for one message.
extension SMTPDialogue {
    /// Looks once at what all messages of the run share.
    mutating func prepareSender() {
        senderRefusal = nil
        senderNeedsUTF8 = false
        mailCommand = Array("MAIL FROM:<\(run.group.sender)>".utf8)
        switch SMTPAddressForm(run.group.sender) {
        case .ascii: break
        case .unicode:
            senderNeedsUTF8 = true
            if !capabilities.smtpUTF8 {
                senderRefusal =
                    passingRefusal
                    ?? ProviderResponse(
                        action: .pauseMailing, stage: .mail, code: 0,
                        text: "the sender's address is not ASCII, and the server does not offer SMTPUTF8")
            }
        case .unsafe:
            senderRefusal = ProviderResponse(
                action: .pauseMailing, stage: .mail, code: 0,
                text: "the sender's address holds characters that no SMTP command may hold")
        }
    }

    /// The provider offers SMTPUTF8 on some connections, but on none of those that a message has tried now.
    private var passingRefusal: ProviderResponse? {
        guard run.utf8Elsewhere == .offered else { return nil }
        return ProviderResponse(
            .content, .retry, about: .unclear, stage: .mail, code: 0,
            text: "an address is not ASCII, and the server does not offer SMTPUTF8 on each connection")
    }

    /// The connection cannot take the next message, but another one may.
    var leavesNextToAnother: Bool {
        guard !capabilities.smtpUTF8, run.seeksConnection else { return false }
        return senderNeedsUTF8 || SMTPAddressForm(run.group.messages[run.next].recipient) == .unicode
    }

    /// Why the next message is not even offered to the server; nil for nearly all.
    mutating func ownRefusal() -> ProviderResponse? {
        if let senderRefusal { return senderRefusal }
        let recipient = run.group.messages[run.next].recipient
        recipientForm = recipient.isEmpty ? .unsafe : SMTPAddressForm(recipient)
        switch recipientForm {
        case .ascii: break
        case .unicode:
            if !capabilities.smtpUTF8 {
                // The address is good, and another server may take it: no reason that keeps it from later mailings.
                return passingRefusal
                    ?? ProviderResponse(
                        .content, .fail, about: .recipient, stage: .rcpt, code: 0,
                        text: "the address is not ASCII, and the server does not offer SMTPUTF8")
            }
        case .unsafe:
            return ProviderResponse(
                .unknownUser, .fail, about: .recipient, stage: .rcpt, code: 0,
                text: "the address is empty or holds characters that no SMTP command may hold")
        }
        let size = run.group.messages[run.next].body.count
        if let limit = capabilities.maximumSize, size > limit {
            return ProviderResponse(
                .tooLarge, .fail, about: .unclear, stage: .mail, code: 0,
                text: "the message has \(size) bytes, the server takes \(limit)")
        }
        return nil
    }

    func writeMail(into out: inout ByteBuffer) {
        let body = run.group.messages[current].body
        if let senders = run.group.senders {
            out.writeStaticString("MAIL FROM:<")
            out.writeBytes(senders[current])
            out.writeStaticString(">")
        } else {
            out.writeBytes(mailCommand)
        }
        if capabilities.size {
            out.writeStaticString(" SIZE=")
            out.writeDecimal(body.count)
        }
        if capabilities.eightBitMIME, hasEightBit(body) { out.writeStaticString(" BODY=8BITMIME") }
        if capabilities.smtpUTF8, senderNeedsUTF8 || recipientForm == .unicode {
            out.writeStaticString(" SMTPUTF8")
        }
        out.writeStaticString("\r\n")
    }

    func writeRecipient(into out: inout ByteBuffer) {
        out.writeStaticString("RCPT TO:<")
        out.writeString(run.group.messages[current].recipient)
        out.writeStaticString(">\r\n")
    }

    /// Writes the current message's text and the final dot.
    func writeText(into out: inout ByteBuffer) {
        let body = run.group.messages[current].body
        out.writeBytes(run.group.bytes[body])
        let end = body.upperBound
        let isTerminated =
            body.isEmpty
            || body.count >= 2 && run.group.bytes[end - 2] == UInt8(ascii: "\r")
                && run.group.bytes[end - 1] == UInt8(ascii: "\n")
        out.writeStaticString(isTerminated ? ".\r\n" : "\r\n.\r\n")
    }

    /// A byte above 127 stands in the text. It is looked at by words, which the optimizer always turns into vectors.
    private func hasEightBit(_ body: Range<Int>) -> Bool {
        run.group.bytes.withUnsafeBytes { bytes in
            let text = UnsafeRawBufferPointer(rebasing: bytes[body])
            var seen: UInt64 = 0
            let words = text.count / 8
            for word in 0..<words { seen |= text.loadUnaligned(fromByteOffset: 8 * word, as: UInt64.self) }
            for byte in text[(8 * words)...] { seen |= UInt64(byte) }
            return seen & 0x8080_8080_8080_8080 != 0
        }
    }
}

/// Which bytes an address holds, as far as SMTP commands are concerned; whether it is valid was settled by the planner.
enum SMTPAddressForm: Equatable {
    case ascii
    /// It needs SMTPUTF8 (RFC 6531).
    case unicode
    /// It could end the command or the path: a control character, or a space or bracket outside quotes.
    case unsafe

    init(_ address: String) {
        // Of nearly all addresses no byte needs a closer look.
        if address.utf8.withContiguousStorageIfAvailable({ $0.allSatisfy(Self.isPlain) }) == true {
            self = .ascii
            return
        }
        var isUnicode = false
        var isQuoted = false
        var isEscaped = false
        for byte in address.utf8 {
            if byte < 0x20 || byte == 0x7f {
                self = .unsafe
                return
            }
            if byte >= 0x80 { isUnicode = true }
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == UInt8(ascii: "\\"), isQuoted {
                isEscaped = true
            } else if !isQuoted, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">") {
                self = .unsafe
                return
            }
        }
        self = isQuoted ? .unsafe : isUnicode ? .unicode : .ascii
    }

    /// A byte that stands for itself wherever it is.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "<")
            && byte != UInt8(ascii: ">")
    }
}

extension ByteBuffer {
    /// Writes a number that is not negative in decimal digits.
    fileprivate mutating func writeDecimal(_ value: Int) {
        var digits: UInt64 = 0
        var count = 0
        var rest = value
        // At most eight digits fit; more go the slow way.
        guard value < 100_000_000 else {
            writeString(String(value))
            return
        }
        repeat {
            digits = digits << 8 | UInt64(48 + rest % 10)
            rest /= 10
            count += 1
        } while rest > 0
        for _ in 0..<count {
            writeInteger(UInt8(truncatingIfNeeded: digits))
            digits >>= 8
        }
    }
}
