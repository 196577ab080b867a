/// Finds what somebody meant to write.
enum Spelling {
    /// The candidate nearest to a word: equal but for case, or at most a third of its letters away; nil where none is near.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        let lowered = Array(word.lowercased())
        guard !lowered.isEmpty, lowered.count <= 64 else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in candidates where !candidate.isEmpty && candidate.count <= 64 {
            let distance = distance(lowered, Array(candidate.lowercased()))
            if distance <= max(1, lowered.count / 3), distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// Letters to insert, delete, replace or swap with their neighbour (optimal string alignment).
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var twoBack: [Int] = []
        var oneBack = Array(0...right.count)
        for row in 1...max(1, left.count) where !left.isEmpty {
            var current = [row]
            for column in 1...max(1, right.count) where !right.isEmpty {
                let isSame = left[row - 1] == right[column - 1]
                var cost = min(oneBack[column] + 1, current[column - 1] + 1, oneBack[column - 1] + (isSame ? 0 : 1))
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                    cost = min(cost, twoBack[column - 2] + 1)
                }
                current.append(cost)
            }
            twoBack = oneBack
            oneBack = current
        }
        return oneBack[right.count]
    }
}
