import Text

/// Reads what languages a visitor wants (RFC 9110 section 12.5.4). Whatever is sent, it takes a bounded time.
enum AcceptedLanguages {
    private static let bytes = 512
    private static let ranges = 20

    /// The one of some languages that the visitor likes best; the first where they like none of them, or say nothing.
    /// - Parameters:
    ///   - field: `Accept-Language`.
    ///   - known: codes of languages without regions, in small letters; one at least.
    static func choose(_ field: String, among known: [String]) -> String {
        guard !field.isEmpty else { return known[0] }
        var best: (code: String, quality: Int)?
        for part in String(decoding: field.utf8.prefix(bytes), as: UTF8.self).split(separator: ",").prefix(ranges) {
            let fields = part.split(separator: ";", maxSplits: 4)
            guard let range = fields.first.map({ trimmed($0).lowercased() }) else { continue }
            let quality = fields.dropFirst().lazy.compactMap { Self.quality(of: $0) }.first ?? 1000
            let primary = String(range.prefix { $0 != "-" && $0 != "_" })
            let code = primary == "*" ? known[0] : primary
            // Of two that they like alike the one that they name first.
            guard quality > 0, known.contains(code), quality > best?.quality ?? 0 else { continue }
            best = (code, quality)
        }
        return best?.code ?? known[0]
    }

    /// `q=0.8` in thousandths; nil for another parameter. What is no number counts as 0.
    private static func quality(of parameter: Substring) -> Int? {
        let text = trimmed(parameter)
        guard text.hasPrefix("q=") || text.hasPrefix("Q=") else { return nil }
        guard let value = Double(text.dropFirst(2)), (0...1).contains(value) else { return 0 }
        return Int(value * 1000)
    }

    private static func trimmed(_ text: Substring) -> String {
        String(decoding: Array(text.utf8).drop { $0 <= 0x20 }.reversed().drop { $0 <= 0x20 }.reversed(), as: UTF8.self)
    }
}
