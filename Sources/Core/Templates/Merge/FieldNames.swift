import Text

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
        let nearest = NearestName.of(name, among: names).map { "did you mean '\($0)'? " } ?? ""
        return "\(nearest)the recipients have: \(shown)"
    }
}
