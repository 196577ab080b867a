/// Finds what somebody may have meant by a name that does not exist.
package enum NearestName {
    /// Names longer than this are not compared, so that the time stays bounded.
    private static let longest = 64

    /// The candidate with the fewest changed characters. Case does not count, and neither do `_`, `-` and spaces.
    /// - Returns: nil where even the nearest differs in more than a third of the shorter name's characters (at least one).
    package static func of(_ name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = folded(name)
        guard 1...longest ~= wanted.count else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let other = folded(candidate)
            guard 1...longest ~= other.count else { continue }
            let distance = editDistance(wanted, other)
            if distance <= max(1, min(wanted.count, other.count) / 3), distance < best?.distance ?? .max {
                best = (candidate, distance)
            }
        }
        return best?.name
    }

    private static func folded(_ name: String) -> [Character] { Array(name.lowercased().filter { !"_- ".contains($0) }) }

    /// The number of insertions, deletions, replacements and swaps of neighbours that make one of the other (optimal string
    /// alignment distance).
    static func editDistance<Element: Equatable>(_ left: [Element], _ right: [Element]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let replacement = last[column] + (left[row] == right[column] ? 0 : 1)
                var cost = min(last[column + 1] + 1, current[column] + 1, replacement)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
