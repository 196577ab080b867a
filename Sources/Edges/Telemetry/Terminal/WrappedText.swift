/// A text on as many lines as it needs.
package enum WrappedText {
    /// Its words, on lines that are no wider than `width`. A word that is wider is broken.
    /// - Parameters:
    ///   - first: what the first line begins with.
    ///   - rest: what the other lines begin with; as wide as `first`.
    package static func lines(_ text: String, first: String, rest: String, width: Int) -> [String] {
        var lines = [first]
        for word in LogText.line(text).split(separator: " ") {
            var word = String(word)
            if lines[lines.count - 1].count > first.count {
                if lines[lines.count - 1].columns + 1 + word.columns <= width {
                    lines[lines.count - 1] += " " + word
                    continue
                }
                lines.append(rest)
            }
            // A word that is wider than the terminal continues on the next line.
            while lines[lines.count - 1].columns + word.columns > width, !word.isEmpty {
                let part = word.fitting(max(1, width - rest.columns))
                if part.isEmpty { break }
                lines[lines.count - 1] += part
                word = String(word.dropFirst(part.count))
                lines.append(rest)
            }
            lines[lines.count - 1] += word
        }
        return lines.filter { $0 != rest }
    }
}
