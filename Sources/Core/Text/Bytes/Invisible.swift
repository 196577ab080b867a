extension UnsafeBufferPointer<UInt8> {
    /// The text without characters that are not displayed, which web pages and word processors put between letters: zero-width spaces, word
    /// joiners, byte order marks, soft hyphens. What changes the order or the form of other letters is left. Nil where nothing is removed,
    /// and where the text is not UTF-8.
    var visible: [UInt8]? {
        guard contains(where: { $0 >= 0x80 }), let text = String(validating: self, as: UTF8.self) else { return nil }
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        for index in scalars.indices where !scalars[index].isInvisible || scalars.isJoiner(at: index) { result.append(scalars[index]) }
        return result.count < scalars.count ? Array(String(result).utf8) : nil
    }
}

extension Unicode.Scalar {
    /// A character that is not displayed (Default_Ignorable_Code_Point), but for embeddings, overrides and isolates, which change the order
    /// of the others (Unicode TR9 section 2).
    fileprivate var isInvisible: Bool {
        properties.isDefaultIgnorableCodePoint && !(0x202a...0x202e ~= value) && !(0x2066...0x2069 ~= value)
    }
}

extension [Unicode.Scalar] {
    /// At an index stands a joiner (U+200C, U+200D) where one changes what people see: between letters of scripts that join theirs, which
    /// begin with Arabic (RFC 5892 appendix A has the rules for domains).
    func isJoiner(at index: Int) -> Bool {
        guard self[index].value & ~1 == 0x200c, index > 0, index + 1 < count else { return false }
        return [self[index - 1], self[index + 1]].allSatisfy { $0.value >= 0x600 && !$0.properties.isDefaultIgnorableCodePoint }
    }
}
