/// Numbers as people write them in rules: `451`, `400-499`.
package enum NumberRange {
    /// Reads one number, or the first and the last of a row; nil for anything else, and for numbers outside `all`.
    package static func read(_ text: Substring, in all: ClosedRange<Int>) -> ClosedRange<Int>? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(number)
        guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last,
            all.contains(first), all.contains(last)
        else { return nil }
        return first...last
    }

    package static func read(_ text: String, in all: ClosedRange<Int>) -> ClosedRange<Int>? { read(text[...], in: all) }

    package static func text(_ range: ClosedRange<Int>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }

    /// Digits only: no sign.
    private static func number(_ text: Substring) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ 48...57 ~= $0 }) else { return nil }
        return Int(text)
    }
}
