import Text

/// Quoted-printable (RFC 2045 section 6.7) appended to what already stands in `self`: the line so far is looked up there,
/// so that a text may come in pieces.
extension [UInt8] {
    /// Line ends of any kind become CRLF, NUL is dropped, a dot at a line's start is encoded so that none needs stuffing.
    mutating func appendQuoted(_ text: Bytes) {
        var column = quotedColumn
        var index = 0
        while index < text.count {
            let start = index
            let limit = Swift.min(text.count, index + Self.quotedWidth - column)
            if column > 0 || text[index] != UInt8(ascii: ".") {
                while index < limit, text[index].isPlainInQuoted { index += 1 }
            }
            append(contentsOf: Bytes(rebasing: text[start..<index]))
            column += index - start
            guard index < text.count else { return }
            let byte = text[index]
            switch byte {
            case 0: index += 1
            case 0x0a, 0x0d:
                if byte == 0x0d || index == 0 || text[index - 1] != 0x0d {
                    endQuotedLine()
                    column = 0
                }
                index += 1
            case _ where column + (column > 0 && byte.isPlainInQuoted ? 1 : 3) > Self.quotedWidth:
                append(contentsOf: "=\r\n".utf8)
                column = 0
            default:
                append(UInt8(ascii: "="))
                append(.hexadecimalDigit(byte >> 4))
                append(.hexadecimalDigit(byte & 15))
                column += 3
                index += 1
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

extension UInt8 {
    /// Stands for itself in quoted-printable, but for white space at the end and a dot at the start of a line.
    fileprivate var isPlainInQuoted: Bool { (0x20...0x7e).contains(self) && self != UInt8(ascii: "=") || self == 0x09 }
}
