import Text

/// Finds the byte that stands between the values of a CSV file.
enum CSVDelimiter {
    private static let quote = UInt8(ascii: "\"")

    /// Passes a line `sep=;`, as Excel writes and reads it, and takes what it says; else looks at the header.
    static func find(_ input: InputFile) throws(InputError) -> UInt8 {
        // The longest form is `"sep=;"` and a line end.
        while input.end - input.position < 8, !input.isAtEnd { try input.more() }
        if let (delimiter, count) = separatorLine(
            UnsafeBufferPointer(start: input.bytes + input.position, count: input.end - input.position))
        {
            input.position += count
            input.line += 1
            return delimiter
        }
        return try commonest(input)
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
        guard let end = rest.popFirst() else { return (delimiter, text.count) }
        guard isLineEnd(end) else { return nil }
        if end == UInt8(ascii: "\r"), rest.first == UInt8(ascii: "\n") { rest = rest.dropFirst() }
        return (delimiter, text.count - rest.count)
    }

    /// Counts the candidates in the first line that is not blank, outside quotation marks, and takes the commonest.
    private static func commonest(_ input: InputFile) throws(InputError) -> UInt8 {
        let candidates = Array(",;\t|".utf8)
        while true {
            var counts = candidates.map { _ in 0 }
            var isQuoted = false
            var hasText = false
            for byte in UnsafeBufferPointer(start: input.bytes + input.position, count: input.end - input.position) {
                if byte == quote { isQuoted.toggle() }
                if !isQuoted, isLineEnd(byte) {
                    if hasText { return candidates[counts.firstIndex(of: counts.max() ?? 0) ?? 0] }
                    counts = candidates.map { _ in 0 }
                    continue
                }
                if byte != UInt8(ascii: " ") { hasText = true }
                if !isQuoted, let index = candidates.firstIndex(of: byte) { counts[index] += 1 }
            }
            if input.isAtEnd || input.end - input.position > InputLimit.row {
                return candidates[counts.firstIndex(of: counts.max() ?? 0) ?? 0]
            }
            try input.more()
        }
    }

    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
}
