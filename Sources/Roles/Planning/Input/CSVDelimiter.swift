import Text

/// Finds the byte that stands between the values of a CSV file.
enum CSVDelimiter {
    private static let quote = UInt8(ascii: "\"")
    private static let candidates = Array(",;\t|".utf8)
    /// Bytes in which a line `sep=` ends, with a delimiter for each column behind it.
    private static let separatorLineBytes = 8 + InputLimit.columns

    /// Passes a line `sep=;`, as Excel writes and reads it, and takes what it says where the header has it; else the one of `,`, `;`, tab
    /// and `|` that the header has most often.
    static func find(_ input: InputFile) throws(InputError) -> UInt8 {
        while input.end - input.position < separatorLineBytes, !input.isAtEnd { try input.more() }
        var named: UInt8?
        if let (delimiter, count) = separatorLine(
            UnsafeBufferPointer(start: input.bytes + input.position, count: input.end - input.position))
        {
            input.position += count
            input.line += 1
            named = delimiter
        }
        let counts = try headerCounts(input)
        if let named, counts[Int(named)] > 0 { return named }
        // The first of the commonest.
        let commonest = candidates.reduce(candidates[0]) { counts[Int($1)] > counts[Int($0)] ? $1 : $0 }
        return counts[Int(commonest)] > 0 ? commonest : named ?? commonest
    }

    private static func separatorLine(_ text: UnsafeBufferPointer<UInt8>) -> (delimiter: UInt8, count: Int)? {
        var rest = text[...]
        let isQuoted = rest.first == quote
        if isQuoted { rest = rest.dropFirst() }
        guard rest.count > 4, ASCII.equalIgnoringCase(rest.prefix(4), "sep=".utf8) else { return nil }
        rest = rest.dropFirst(4)
        guard let delimiter = rest.popFirst(), delimiter < 0x80, !delimiter.isLetterOrDigit, delimiter != quote, !isLineEnd(delimiter)
        else { return nil }
        if isQuoted, rest.popFirst() != quote { return nil }
        // A program that saved the line as a row has put a delimiter behind it for each further column.
        rest = rest.drop { $0 == delimiter || $0 == UInt8(ascii: " ") || candidates.contains($0) }
        guard let end = rest.popFirst() else { return (delimiter, text.count) }
        guard isLineEnd(end) else { return nil }
        if end == UInt8(ascii: "\r"), rest.first == UInt8(ascii: "\n") { rest = rest.dropFirst() }
        return (delimiter, text.count - rest.count)
    }

    /// How often each byte stands outside of quotation marks in the first line that has more than delimiters and blanks. Passes the lines
    /// before it, whose delimiters need not be those of the header.
    private static func headerCounts(_ input: InputFile) throws(InputError) -> [Int] {
        while true {
            var counts = [Int](repeating: 0, count: 256)
            var isQuoted = false
            var hasText = false
            var passed = (bytes: 0, lines: 0)
            var previous: UInt8 = 0
            let text = UnsafeBufferPointer(start: input.bytes + input.position, count: input.end - input.position)
            for (index, byte) in text.enumerated() {
                defer { previous = byte }
                if byte == quote {
                    isQuoted.toggle()
                } else if !isQuoted, isLineEnd(byte) {
                    if hasText {
                        input.position += passed.bytes
                        input.line += passed.lines
                        return counts
                    }
                    counts = [Int](repeating: 0, count: 256)
                    passed.bytes = index + 1
                    if byte == UInt8(ascii: "\r") || previous != UInt8(ascii: "\r") { passed.lines += 1 }
                } else {
                    if byte != UInt8(ascii: " "), !candidates.contains(byte) { hasText = true }
                    if !isQuoted { counts[Int(byte)] += 1 }
                }
            }
            if input.isAtEnd || input.end - input.position > InputLimit.row { return counts }
            try input.more()
        }
    }

    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
}
