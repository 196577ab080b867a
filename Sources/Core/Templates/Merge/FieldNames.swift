/// The fields that a template may name, and the nearest of them to a name that is none.
struct FieldNames {
    let names: [String]
    private let columns: [String: Int]
    private let nested: Set<Int>

    init(_ names: [String], nested: [String]) {
        self.names = names
        let columns = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        self.columns = columns
        self.nested = Set(nested.compactMap { columns[$0] })
    }

    func column(_ name: String) -> Int? { columns[name] }

    /// The column's values may be JSON lists or objects.
    func isNested(_ column: Int) -> Bool { nested.contains(column) }

    /// What to tell the writer of an unknown name: the nearest field, and all there are.
    func advice(for name: String) -> String {
        let shown = names.prefix(40).joined(separator: ", ") + (names.count > 40 ? ", … (\(names.count) in all)" : "")
        let nearest = nearest(to: name).map { "did you mean '\($0)'? " } ?? ""
        return "\(nearest)the recipients have: \(shown)"
    }

    /// The field with the fewest changed letters, upper and lower case being one; nil where none is alike.
    func nearest(to name: String) -> String? {
        let wanted = Self.folded(name)
        let ranked = names.map { ($0, Self.distance(wanted, Self.folded($0))) }
        guard let best = ranked.min(by: { $0.1 < $1.1 }), best.1 <= max(1, wanted.count / 3) else { return nil }
        return best.0
    }

    private static func folded(_ name: String) -> [Character] {
        name.lowercased().filter { !"_- ".contains($0) }.map(\.self)
    }

    /// Insertions, deletions, replacements and swaps of neighbours that make one of the other (optimal string alignment).
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, character) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(
                    last[column + 1] + 1, current[column] + 1, last[column] + (character == other ? 0 : 1))
                if row > 0, column > 0, character == right[column - 1], left[row - 1] == other {
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
