import Policy

/// What the text of a reply says.
enum SMTPReplyText {
    /// Bytes of a text that a response keeps.
    static let longest = 500

    /// The text as one line of at most `longest` bytes of valid UTF-8: lines are joined by a space without repeating
    /// their enhanced code, and each control character becomes a space.
    static func oneLine(_ text: borrowing Span<UInt8>) -> String {
        var isPlain = text.count <= longest
        for index in text.indices where text[index] < 0x20 || text[index] > 0x7e { isPlain = false }
        if isPlain { return string(text) }
        return cleaned(text)
    }

    static func string(_ text: borrowing Span<UInt8>) -> String {
        text.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }

    private static func cleaned(_ text: borrowing Span<UInt8>) -> String {
        let lines = string(text).split(separator: "\n", omittingEmptySubsequences: true)
        let code = text.withUnsafeBufferPointer { EnhancedCode(startOf: $0) }.map { "\($0) " } ?? ""
        var joined = ""
        for line in lines {
            let isRepeated = !joined.isEmpty && !code.isEmpty && line.hasPrefix(code)
            if !joined.isEmpty { joined += " " }
            joined += isRepeated ? line.dropFirst(code.count) : line
            // The rest is cut off below.
            if joined.utf8.count > 2 * longest { break }
        }
        var result = ""
        var size = 0
        for scalar in joined.unicodeScalars {
            let isControl =
                scalar.properties.generalCategory == .control
                || scalar.properties.generalCategory == .lineSeparator
                || scalar.properties.generalCategory == .paragraphSeparator
            let kept: Unicode.Scalar = isControl ? " " : scalar
            size += UTF8.width(kept)
            guard size <= longest else { break }
            result.unicodeScalars.append(kept)
        }
        return result
    }
}
