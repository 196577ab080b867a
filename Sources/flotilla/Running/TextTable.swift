/// Rows in columns, for a terminal.
struct TextTable {
    let header: [String]
    let rows: [[String]]
    var rightAligned: Set<Int> = []
    /// Spaces between two columns.
    var gap = 2

    var text: String { lines.joined(separator: "\n") }

    var lines: [String] {
        let all = (header.isEmpty ? [] : [header]) + rows
        let widths = Self.widths(all)
        return all.map { row in
            row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.columns)
                if rightAligned.contains(column) { return space + cell }
                return column == row.count - 1 ? cell : cell + space
            }.joined(separator: String(repeating: " ", count: gap))
        }
    }

    /// How wide each column is.
    static func widths(_ rows: [[String]]) -> [Int] {
        let columns = rows.map(\.count).max() ?? 0
        return (0..<columns).map { column in rows.map { column < $0.count ? $0[column].columns : 0 }.max() ?? 0 }
    }
}
