/// Cuts a server's bytes into replies (RFC 5321 section 4.2.1), however they are split, in bounded memory.
///
/// The text of a reply of one line that came in one piece stays where it is; only what is split or continued is copied.
struct SMTPReplyParser: Sendable {
    /// A whole reply.
    struct Reply {
        /// From 100 to 599.
        var code: Int
        /// Where its text lies in the input; nil when it was put together, and `takeText` has it.
        var text: Range<Int>?
    }

    /// Why bytes are no reply.
    enum Problem: Error {
        case lineTooLong, replyTooLong, malformed

        var description: String {
            switch self {
            case .lineTooLong: "a reply line of more than \(SMTPReplyParser.longestLine) bytes"
            case .replyTooLong: "a reply of more than \(SMTPReplyParser.longestReply) bytes"
            case .malformed: "a reply that does not start with a three-digit code"
            }
        }
    }

    /// Bytes of a line at most; RFC 5321 section 4.5.3.1.5 allows servers 512.
    static let longestLine = 2_048
    /// Bytes of all lines of a reply.
    static let longestReply = 32_768

    /// The beginning of a line whose end has not come yet.
    private var partial: [UInt8] = []
    /// The lines of a continued reply, without codes, with LF between them.
    private var text: [UInt8] = []
    private var isContinued = false
    private var size = 0

    /// The next whole reply in `input` from `offset` on, which moves behind it; nil when the input is used up.
    mutating func next(in input: borrowing Span<UInt8>, from offset: inout Int) throws(Problem) -> Reply? {
        while offset < input.count {
            let start = offset
            var end = start
            while end < input.count, input[end] != UInt8(ascii: "\n") { end += 1 }
            guard partial.count + end - start <= Self.longestLine else { throw .lineTooLong }
            guard end < input.count else {
                for index in start..<end { partial.append(input[index]) }
                offset = end
                return nil
            }
            offset = end + 1
            if partial.isEmpty {
                if end > start, input[end - 1] == UInt8(ascii: "\r") { end -= 1 }
                if let reply = try take(input.extracting(start..<end), at: start) { return reply }
            } else {
                for index in start..<end { partial.append(input[index]) }
                if partial.last == UInt8(ascii: "\r") { partial.removeLast() }
                let line = partial
                partial.removeAll(keepingCapacity: true)
                if let reply = try take(line.span, at: nil) { return reply }
            }
        }
        return nil
    }

    /// The text of a reply that was put together.
    mutating func takeText() -> [UInt8] {
        defer { text = [] }
        return text
    }

    /// Forgets what has come in so far.
    mutating func reset() { self = SMTPReplyParser() }

    /// Takes a line without its end. `place` is where it lies in the input, if it does.
    private mutating func take(_ line: borrowing Span<UInt8>, at place: Int?) throws(Problem) -> Reply? {
        guard line.count >= 3, let code = Self.code(line) else { throw .malformed }
        let isLast: Bool
        switch line.count == 3 ? UInt8(ascii: " ") : line[3] {
        case UInt8(ascii: " "): isLast = true
        case UInt8(ascii: "-"): isLast = false
        default: throw .malformed
        }
        let start = min(4, line.count)
        if isLast, !isContinued, let place { return Reply(code: code, text: place + start..<place + line.count) }
        size += line.count + 2
        guard size <= Self.longestReply else { throw .replyTooLong }
        if isContinued { text.append(UInt8(ascii: "\n")) }
        for index in start..<line.count { text.append(line[index]) }
        isContinued = !isLast
        guard isLast else { return nil }
        size = 0
        return Reply(code: code, text: nil)
    }

    private static func code(_ line: borrowing Span<UInt8>) -> Int? {
        let first = Int(line[0]) - 48
        let second = Int(line[1]) - 48
        let third = Int(line[2]) - 48
        guard 1...5 ~= first, 0...9 ~= second, 0...9 ~= third else { return nil }
        return first * 100 + second * 10 + third
    }
}
