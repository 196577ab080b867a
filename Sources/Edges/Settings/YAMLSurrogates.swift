import Yams

/// Surrogate pairs in double-quoted texts of YAML. JSON writes one character as `\ud83d\ude00` (RFC 8259 section 7), and JSON is read as
/// YAML; the parser takes each of the two escapes by itself, and neither for a character.
enum YAMLSurrogates {
    /// The parser's words for an escape that stands for no character.
    static let problem = "found invalid Unicode character escape code"
    /// Texts with such pairs in a document, at most: for each the parser begins anew.
    static let mostTexts = 200

    /// The document with each pair as one escape (`\U0001F600`), up to the end of the double-quoted text that holds a place.
    /// - Parameter mark: where the digits of the first pair begin.
    /// - Returns: nil where no pair stands at that place.
    static func joined(_ document: String, at mark: Mark) -> String? {
        let scalars = Array(document.unicodeScalars)
        var index = place(of: mark, in: scalars) - 2
        guard scalars.indices.contains(index), pair(in: scalars, at: index) != nil else { return nil }
        var result = String.UnicodeScalarView(scalars[..<index])
        while index < scalars.count, scalars[index] != "\"" {
            if let scalar = pair(in: scalars, at: index) {
                let digits = String(scalar.value, radix: 16)
                result.append(contentsOf: "\\U\(String(repeating: "0", count: 8 - digits.count))\(digits)".unicodeScalars)
                index += 12
            } else {
                let end = min(index + (scalars[index] == "\\" ? 2 : 1), scalars.count)
                result.append(contentsOf: scalars[index..<end])
                index = end
            }
        }
        result.append(contentsOf: scalars[index...])
        return String(result)
    }

    /// The character of a pair of escapes.
    private static func pair(in scalars: [Unicode.Scalar], at index: Int) -> Unicode.Scalar? {
        guard let high = escape(in: scalars, at: index), let low = escape(in: scalars, at: index + 6), 0xd800..<0xdc00 ~= high,
            0xdc00..<0xe000 ~= low
        else { return nil }
        return Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
    }

    private static func escape(in scalars: [Unicode.Scalar], at index: Int) -> UInt32? {
        guard index + 6 <= scalars.count, scalars[index] == "\\", scalars[index + 1] == "u" else { return nil }
        let digits = scalars[(index + 2)..<(index + 6)]
        guard digits.allSatisfy(\.properties.isASCIIHexDigit) else { return nil }
        return UInt32(String(String.UnicodeScalarView(digits)), radix: 16)
    }

    /// The index of a place, with the line ends that the parser knows (YAML 1.1 section 4.2). Lines and columns begin with 1.
    private static func place(of mark: Mark, in scalars: [Unicode.Scalar]) -> Int {
        var (index, line) = (0, 1)
        while line < mark.line, index < scalars.count {
            let isCRLF = scalars[index] == "\r" && index + 1 < scalars.count && scalars[index + 1] == "\n"
            if ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalars[index]) { line += 1 }
            index += isCRLF ? 2 : 1
        }
        return index + mark.column - 1
    }
}
