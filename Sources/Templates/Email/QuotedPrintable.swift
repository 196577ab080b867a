/// Quoted-printable (RFC 2045 section 6.7) appended to what already stands in `self`: the line so far is looked up there,
/// so that a text may come in pieces.
extension [UInt8] {
    /// Line ends of any kind become CRLF, NUL is dropped, a dot at a line's start is encoded so that none needs stuffing.
    mutating func appendQuoted(_ text: Bytes) {
        var column = quotedColumn
        for index in 0..<text.count {
            let byte = text[index]
            switch byte {
            case 0: continue
            case 0x0a where index > 0 && text[index - 1] == 0x0d: continue
            case 0x0a, 0x0d:
                endQuotedLine()
                column = 0
                continue
            default: break
            }
            let isPlain: Bool
            switch byte {
            case UInt8(ascii: "="): isPlain = false
            case UInt8(ascii: "."): isPlain = column > 0 && column < Self.quotedWidth
            case 0x20...0x7e, 0x09: isPlain = true
            default: isPlain = false
            }
            if column + (isPlain ? 1 : 3) > Self.quotedWidth {
                append(contentsOf: "=\r\n".utf8)
                column = 0
            }
            if isPlain {
                append(byte)
                column += 1
            } else {
                append(UInt8(ascii: "="))
                append(.hexDigit(byte >> 4))
                append(.hexDigit(byte & 15))
                column += 3
            }
        }
    }

    /// Ends a line; white space before its end is encoded, as mail systems may drop it.
    mutating func endQuotedLine() {
        if let byte = last, byte.isBlank, quotedColumn > 0 {
            removeLast()
            if quotedColumn + 3 > Self.quotedWidth { append(contentsOf: "=\r\n".utf8) }
            append(contentsOf: byte == 0x20 ? "=20".utf8 : "=09".utf8)
        }
        append(0x0d)
        append(0x0a)
    }

    /// Characters of a line before the `=` of a soft line break.
    private static var quotedWidth: Int { 75 }

    /// Characters in the line that is being written; at most 76 of any line are looked at.
    private var quotedColumn: Int {
        var index = count
        let limit = Swift.max(0, count - 80)
        while index > limit, self[index - 1] != 0x0a { index -= 1 }
        return count - index
    }
}
