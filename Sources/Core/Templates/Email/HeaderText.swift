import Text

/// The text of unstructured header fields (RFC 5322 section 2.2.3), with RFC 2047 encoded words where ASCII does not do.
extension [UInt8] {
    /// Lines of headers end at this character.
    private static var lineLimit: Int { 76 }

    /// The longest line of a message (RFC 5322 section 2.1.1), without its CRLF.
    private static var hardLimit: Int { 998 }

    /// Makes what stands from `start` on the value of a field whose line begins `column` characters before it: left as it
    /// is when it is short and ASCII, else folded, else encoded.
    /// - Parameter keepingWords: a word of ASCII that is longer than a line, such as a URL, stays whole up to the longest line of mail.
    mutating func finishHeaderText(from start: Int, column: Int, keepingWords: Bool = false) {
        var isASCII = true
        var looksEncoded = false
        for index in start..<count {
            let byte = self[index]
            if byte >= 0x7f || byte < 0x20 { isASCII = false }
            if byte == UInt8(ascii: "?"), index > start, self[index - 1] == UInt8(ascii: "=") { looksEncoded = true }
        }
        if isASCII, !looksEncoded, count - start + column <= Self.lineLimit { return }
        var first = start
        var end = count
        while first < end, self[first] == 0x20 { first += 1 }
        while first < end, self[end - 1] == 0x20 { end -= 1 }
        let value = Array(self[first..<end])
        removeLast(count - start)
        if isASCII, !looksEncoded, let folds = Self.folds(value, column: column, longest: keepingWords ? Self.hardLimit : Self.lineLimit) {
            for (index, byte) in value.enumerated() {
                if folds.contains(index) { append(contentsOf: "\r\n".utf8) }
                append(byte)
            }
        } else {
            appendEncodedWords(value, column: column)
        }
    }

    /// The spaces before which to break lines; nil where a word is too long for that.
    /// - Parameter longest: characters that a line may have where no space is in it.
    private static func folds(_ text: [UInt8], column: Int, longest: Int) -> Set<Int>? {
        var folds: Set<Int> = []
        var lineStart = -column
        var lastSpace: Int?
        for index in text.indices {
            if text[index] == 0x20, index > 0, text[index - 1] != 0x20, index + 1 < text.count, text[index + 1] != 0x20 {
                lastSpace = index
            }
            guard index - lineStart >= lineLimit else { continue }
            guard let space = lastSpace, space > lineStart else {
                if index - lineStart < longest { continue }
                return nil
            }
            folds.insert(space)
            lineStart = space
        }
        return folds
    }

    /// Appends UTF-8 text as encoded words on as many lines as they need, in the shorter of both encodings. No character is
    /// split between words, and none has more than 75 characters.
    mutating func appendEncodedWords(_ text: [UInt8], column: Int) {
        let quotedCount = text.reduce(0) { $0 + $1.encodedWordWidth }
        let isBase64 = quotedCount > (text.count + 2) / 3 * 4
        var room = Self.lineLimit - column
        var rest = text[...]
        repeat {
            let limit = Swift.max(0, Swift.min(75, room) - "=?utf-8?Q??=".utf8.count)
            var end = rest.startIndex
            var width = 0
            while end < rest.endIndex {
                var next = end + 1
                while next < rest.endIndex, rest[next] & 0xc0 == 0x80, next - end < 4 { next += 1 }
                let cost = rest[end..<next].reduce(0) { $0 + $1.encodedWordWidth }
                let fits = isBase64 ? (next - rest.startIndex + 2) / 3 * 4 <= limit : width + cost <= limit
                guard fits else { break }
                width += cost
                end = next
            }
            if end > rest.startIndex {
                append(contentsOf: (isBase64 ? "=?utf-8?B?" : "=?utf-8?Q?").utf8)
                if isBase64 { appendBase64(rest[..<end]) } else { appendQ(rest[..<end]) }
                append(contentsOf: "?=".utf8)
                rest = rest[end...]
            }
            if !rest.isEmpty { append(contentsOf: "\r\n ".utf8) }
            room = Self.lineLimit - 1
        } while !rest.isEmpty
    }

    private mutating func appendQ(_ text: ArraySlice<UInt8>) {
        for byte in text {
            if byte == 0x20 {
                append(UInt8(ascii: "_"))
            } else if byte.encodedWordWidth == 1 {
                append(byte)
            } else {
                append(UInt8(ascii: "="))
                append(.hexadecimalDigit(byte >> 4))
                append(.hexadecimalDigit(byte & 15))
            }
        }
    }

    private mutating func appendBase64(_ text: ArraySlice<UInt8>) {
        let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        var index = text.startIndex
        while index < text.endIndex {
            let group = text[index..<Swift.min(index + 3, text.endIndex)]
            var bits: UInt32 = 0
            for byte in group { bits = bits << 8 | UInt32(byte) }
            bits <<= UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                append(
                    place <= group.count
                        ? alphabet.utf8Start[Int(bits >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
            }
            index += 3
        }
    }
}

extension UInt8 {
    /// Characters that it takes in an encoded word of encoding Q, in the set that is allowed in phrases too (RFC 2047
    /// section 5).
    fileprivate var encodedWordWidth: Int {
        switch self {
        case _ where isLetterOrDigit: 1
        case 0x20, UInt8(ascii: "!"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"): 1
        default: 3
        }
    }
}
