import Model
import Telemetry
import Text

/// The list of excluded rows for a terminal, page by page. The first page sets the widths of the columns.
struct ExcludedText {
    let file: String
    /// The row of the last line; nil before the first.
    private(set) var last: Int?
    private var widths: [Int] = []

    init(file: String) { self.file = file }

    private static let header = ["ROW", "REASON", "ID", "ADDRESS", "WHAT IS WRONG"]
    /// Columns that a value takes at most.
    private static let widest = 60

    /// A line, with the file and the header before the first.
    mutating func line(_ item: Exclusion, of page: [Exclusion]) -> String {
        let isFirst = last == nil
        last = item.row
        guard isFirst else { return line(Self.cells(item)) }
        widths = TextTable.widths([Self.header] + page.map(Self.cells))
        return "Excluded rows of \(LogText.line(file)):\n\n\(line(Self.header))\n\(line(Self.cells(item)))"
    }

    private func line(_ cells: [String]) -> String {
        cells.enumerated().map { column, cell in
            let space = String(repeating: " ", count: max(0, widths[column] - cell.columns))
            return column == 0 ? space + cell : column == cells.count - 1 ? cell : cell + space
        }.joined(separator: "  ")
    }

    private static func cells(_ item: Exclusion) -> [String] {
        [
            String(item.row), item.reason.rawValue, LogText.line(item.id).cut(to: widest, at: .end),
            LogText.line(item.address).cut(to: widest, at: .end), LogText.line(item.detail),
        ]
    }

    /// A row as a JSON object on one line.
    static func json(_ item: Exclusion, file: String) throws -> String {
        try ScriptJSON.line(
            Row(
                file: file, row: item.row, reason: item.reason.rawValue, id: item.id, address: item.address,
                detail: item.detail.isEmpty ? nil : item.detail))
    }

    static let csvHeader = "row,reason,id,address,detail"

    /// A row as a line of CSV.
    /// - Parameter raw: values stay as they are, also those that a spreadsheet takes for formulas.
    static func csv(_ item: Exclusion, raw: Bool) -> String {
        csv([String(item.row), item.reason.rawValue, item.id, item.address, item.detail], raw: raw)
    }

    /// Values as a line of CSV (RFC 4180). Line breaks in values are shown as escapes, so that each row is one line.
    static func csv(_ values: [String], raw: Bool) -> String {
        values.map { CSVValue.encoded(LogText.line(raw ? $0 : CSVValue.guarded($0))) }.joined(separator: ",")
    }

    private struct Row: Encodable {
        var file: String
        var row: Int
        var reason: String
        var id: String
        var address: String
        var detail: String?
    }
}
