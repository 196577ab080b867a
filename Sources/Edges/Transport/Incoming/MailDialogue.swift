import NIOCore
import Text

/// The server's side of one connection of SMTP (RFC 5321) or LMTP (RFC 2033), as LHLO says. It takes bytes and the time, and says what to
/// do; `MailConnection` does it. It takes mail for every address and sends none on.
///
/// Commands may come without waiting for replies (RFC 2920). Nothing a client sends makes it keep more than a line, `mostRecipients`
/// addresses and the beginning of one message.
struct MailDialogue {
    enum Step: Equatable {
        /// It waits for more.
        case more
        /// A message is complete; `finish` is to be called with what became of it.
        case message
        case close
    }

    private enum Phase {
        case command, data, waiting, closed
    }

    /// As many as a server has to take (section 4.5.3.1.8).
    static let mostRecipients = 100
    /// Octets of a command line at most: 512 and what extensions add (section 4.5.3.1.4, RFC 1870, RFC 6531).
    private static let longestLine = 2048
    private static let longestAddress = 320
    /// Octets of all addresses of a message. Its sender gives the others in a message of their own (section 4.5.3.1.10).
    private static let addressBytes = 4096
    /// Commands that mean nothing here, in one connection.
    private static let mostMistakes = 20

    let bounds: MailServer.Bounds
    private let hostname: String
    private var phase = Phase.command
    private var isGreeted = false
    private var isLMTP = false
    private var sender: String?
    private var recipients: [String] = []
    private var mistakes = 0
    private var data: MessageData
    private var dataSince: Int64 = 0
    /// When the connection is ended, in milliseconds of the clock that `take` gets: a command has to be whole by then, however many bytes
    /// of it come, and a text must not come slower than a kilobyte a second.
    private(set) var deadline: Int64

    init(hostname: String, bounds: MailServer.Bounds, at now: Int64) {
        (self.hostname, self.bounds) = (hostname, bounds)
        data = MessageData(keptMost: bounds.keptBytes)
        deadline = now + bounds.commandTime
    }

    /// What a client is greeted with.
    var greeting: String { "220 \(hostname) ESMTP\r\n" }

    /// No message has been begun, so that the connection may be ended.
    var isIdle: Bool { phase == .command && sender == nil }

    /// Bytes of the message that are kept.
    var keptBytes: Int { data.kept.count }

    /// There is no memory for the message: it is refused for now.
    mutating func discard() { data.discard() }

    /// Takes what has come, as far as it can now.
    /// - Parameter out: gets the replies.
    mutating func take(_ input: inout ByteBuffer, into out: inout ByteBuffer, at now: Int64) -> Step {
        while true {
            switch phase {
            case .closed:
                input.clear()
                return .close
            case .waiting: return .more
            case .data:
                let end = input.withUnsafeReadableBytes { data.take($0) }
                guard let end else {
                    input.clear()
                    deadline = dataSince + bounds.dataTime + Int64(data.count)
                    return .more
                }
                input.moveReaderIndex(forwardBy: end)
                phase = .waiting
                return .message
            case .command:
                guard let line = Self.line(&input) else {
                    guard input.readableBytes > Self.longestLine else { return .more }
                    reply("500 5.5.2 line too long", into: &out)
                    phase = .closed
                    continue
                }
                command(line, into: &out, at: now)
                deadline = (phase == .data ? bounds.dataTime : bounds.commandTime) + now
            }
        }
    }

    /// The message that is complete.
    mutating func message() -> IncomingMail {
        IncomingMail(
            sender: sender ?? "", recipients: recipients, head: data.kept, size: data.count, isWhole: data.count <= bounds.keptBytes)
    }

    /// Why a complete message is not even looked at.
    var refusal: MailVerdict? {
        if data.count > bounds.mostBytes { return .refused }
        return data.isDiscarded ? .later : nil
    }

    /// Answers the message that was complete.
    mutating func finish(_ verdict: MailVerdict, into out: inout ByteBuffer, at now: Int64) {
        guard phase == .waiting else { return }
        let text =
            switch verdict {
            case .taken: "250 2.0.0 taken"
            case .later: "451 4.3.0 not now, try again later"
            case .refused: "552 5.3.4 message too big"
            }
        // RFC 2033 section 4.2: a reply for each recipient.
        for _ in 0..<(isLMTP ? recipients.count : 1) { reply(text, into: &out) }
        reset()
        phase = .command
        deadline = now + bounds.commandTime
    }

    private mutating func reset() {
        sender = nil
        recipients = []
        data = MessageData(keptMost: bounds.keptBytes)
    }

    private func reply(_ text: String, into out: inout ByteBuffer) { out.writeString("\(text)\r\n") }

    private mutating func mistake(_ text: String, into out: inout ByteBuffer) {
        mistakes += 1
        guard mistakes < Self.mostMistakes else {
            reply("421 4.7.0 too many mistakes", into: &out)
            phase = .closed
            return
        }
        reply(text, into: &out)
    }

    /// The next line that ends with CRLF, without it.
    private static func line(_ input: inout ByteBuffer) -> [UInt8]? {
        let end = input.withUnsafeReadableBytes { bytes -> Int? in
            let bytes = bytes.prefix(longestLine + 2)
            return bytes.indices.dropLast().first { bytes[$0] == UInt8(ascii: "\r") && bytes[$0 + 1] == UInt8(ascii: "\n") }
        }
        guard let end, let line = input.readBytes(length: end) else { return nil }
        input.moveReaderIndex(forwardBy: 2)
        return line
    }
}

extension MailDialogue {
    private mutating func command(_ line: [UInt8], into out: inout ByteBuffer, at now: Int64) {
        let text = String(decoding: line, as: UTF8.self)
        let verb = text.prefix { $0 != " " }.uppercased()
        let rest = text.dropFirst(verb.count).trimming { $0 == " " }
        switch verb {
        case "HELO", "EHLO", "LHLO": greet(verb, into: &out)
        case "MAIL": mail(rest, into: &out)
        case "RCPT": recipient(rest, into: &out)
        case "DATA": beginData(into: &out, at: now)
        case "RSET":
            reset()
            reply("250 2.0.0 ok", into: &out)
        case "NOOP": reply("250 2.0.0 ok", into: &out)
        case "VRFY": reply("252 2.1.5 send it, and see", into: &out)
        case "QUIT":
            reply("221 2.0.0 bye", into: &out)
            phase = .closed
        default: mistake("502 5.5.1 no such command here", into: &out)
        }
    }

    private mutating func greet(_ verb: String, into out: inout ByteBuffer) {
        reset()
        (isGreeted, isLMTP) = (true, verb == "LHLO")
        guard verb != "HELO" else { return reply("250 \(hostname)", into: &out) }
        for word in [hostname, "PIPELINING", "SIZE \(bounds.mostBytes)", "8BITMIME", "SMTPUTF8"] { reply("250-\(word)", into: &out) }
        reply("250 ENHANCEDSTATUSCODES", into: &out)
    }

    private mutating func mail(_ rest: Substring, into out: inout ByteBuffer) {
        guard isGreeted else { return mistake("503 5.5.1 greet first", into: &out) }
        guard sender == nil else { return mistake("503 5.5.1 a message has been begun already", into: &out) }
        guard let (address, parameters) = Self.path(rest, behind: "FROM:") else {
            return mistake("501 5.5.4 write MAIL FROM:<address>", into: &out)
        }
        let size = parameters.first { $0.uppercased().hasPrefix("SIZE=") }.flatMap { Int($0.dropFirst(5)) }
        // RFC 1870 section 6.1.
        guard size ?? 0 <= bounds.mostBytes else { return reply("552 5.3.4 message too big", into: &out) }
        sender = address
        reply("250 2.1.0 ok", into: &out)
    }

    private mutating func recipient(_ rest: Substring, into out: inout ByteBuffer) {
        guard sender != nil else { return mistake("503 5.5.1 MAIL first", into: &out) }
        guard let (address, _) = Self.path(rest, behind: "TO:"), !address.isEmpty else {
            return mistake("501 5.5.4 write RCPT TO:<address>", into: &out)
        }
        guard recipients.count < Self.mostRecipients, recipients.reduce(address.utf8.count, { $0 + $1.utf8.count }) <= Self.addressBytes
        else { return reply("452 4.5.3 too many recipients", into: &out) }
        recipients.append(address)
        reply("250 2.1.5 ok", into: &out)
    }

    private mutating func beginData(into out: inout ByteBuffer, at now: Int64) {
        guard sender != nil else { return mistake("503 5.5.1 MAIL first", into: &out) }
        guard !recipients.isEmpty else { return mistake("503 5.5.1 RCPT first", into: &out) }
        (phase, dataSince) = (.data, now)
        reply("354 end with a dot on a line of its own", into: &out)
    }

    /// The address of a path in angle brackets (section 4.1.2), without its source route, and the parameters behind it.
    private static func path(_ text: Substring, behind word: String) -> (address: String, parameters: [Substring])? {
        guard text.prefix(word.count).uppercased() == word else { return nil }
        let rest = text.dropFirst(word.count).trimming { $0 == " " }
        guard rest.first == "<", let end = rest.lastIndex(of: ">") else { return nil }
        var address = rest[..<end].dropFirst()
        if address.first == "@", let colon = address.firstIndex(of: ":") { address = address[address.index(after: colon)...] }
        guard address.utf8.count <= longestAddress, !address.utf8.contains(where: \.isControl) else { return nil }
        return (String(address), rest[rest.index(after: end)...].split(separator: " "))
    }
}

extension Substring {
    fileprivate func trimming(_ isTrimmed: (Character) -> Bool) -> Substring {
        var text = drop(while: isTrimmed)
        while let last = text.last, isTrimmed(last) { text.removeLast() }
        return text
    }
}
