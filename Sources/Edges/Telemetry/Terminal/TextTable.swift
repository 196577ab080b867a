/// Rows in columns, for a terminal.
package struct TextTable {
    private let header: [String]
    private let rows: [[String]]
    private let rightAligned: Set<Int>
    private let gap: Int

    /// - Parameters:
    ///   - header: empty for none.
    ///   - rightAligned: columns, counted from 0, whose cells end at the same place.
    ///   - gap: spaces between two columns.
    package init(header: [String], rows: [[String]], rightAligned: Set<Int> = [], gap: Int = 2) {
        self.header = header
        // A cell stays on its line and in its column.
        self.rows = rows.map { $0.map(LogText.line) }
        self.rightAligned = rightAligned
        self.gap = gap
    }

    package var text: String { lines.joined(separator: "\n") }

    package var lines: [String] {
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
    package static func widths(_ rows: [[String]]) -> [Int] {
        let columns = rows.map(\.count).max() ?? 0
        return (0..<columns).map { column in rows.map { column < $0.count ? $0[column].columns : 0 }.max() ?? 0 }
    }
}
