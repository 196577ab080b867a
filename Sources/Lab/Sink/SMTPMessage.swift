/// What is known of the message that is being taken.
struct SMTPMessage {
    /// Bytes so far, without the end.
    var size = 0
    /// The next byte stands at the beginning of a line; RFC 5321 counts the CRLF of the DATA command.
    var isLineStart = true
    /// A byte above 127 was seen where none is allowed.
    var isEightBit = false
    /// The Message-ID without brackets; empty until it is found.
    private(set) var id: [UInt8] = []
    /// The field's name stood on the line before, its value may be on the next (RFC 5322 section 2.2.3).
    private var isFolded = false
    private static let longestID = 512

    mutating func clear() {
        size = 0
        isLineStart = true
        isEightBit = false
        isFolded = false
        id.removeAll(keepingCapacity: true)
    }

    /// Looks for the id in a line of the header.
    mutating func read(headerLine line: UnsafeRawBufferPointer) {
        guard id.isEmpty, let first = line.first else { return }
        if first == UInt8(ascii: "M") || first == UInt8(ascii: "m") {
            isFolded = line.startsIgnoringCase("message-id:")
            if isFolded { take(line.slice(from: 11)) }
        } else if isFolded {
            isFolded = first == Byte.space || first == Byte.tab
            if isFolded { take(line) }
        }
    }

    private mutating func take(_ text: UnsafeRawBufferPointer) {
        guard let open = text.place(of: Byte.less), let end = text.place(of: Byte.greater, from: open) else { return }
        id.append(contentsOf: text.slice(open + 1..<min(end, open + 1 + Self.longestID)))
    }
}
