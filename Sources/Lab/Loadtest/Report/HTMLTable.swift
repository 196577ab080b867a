/// A table whose first column names its rows; it scrolls sideways where the screen is narrow.
struct HTMLTable {
    enum Kind { case text, number, long }

    struct Column {
        var title: String
        var kind = Kind.number
    }

    var columns: [Column]
    private var rows: HTML = ""

    init(_ columns: [Column]) { self.columns = columns }

    /// Columns of numbers behind a first one of names.
    init(_ first: String, _ numbers: String...) {
        columns = [Column(title: first, kind: .text)] + numbers.map { Column(title: $0) }
    }

    /// - Parameters:
    ///   - head: the row's name.
    ///   - cells: for the other columns; `bad` ones stand out.
    ///   - style: a class for the row: `bad`, `all`.
    mutating func add(_ head: HTML, _ cells: [Cell], style: HTML = "") {
        var row: HTML = "<tr class=\"\(style)\"><th scope=\"row\">\(head)</th>"
        for (cell, column) in zip(cells, columns.dropFirst()) {
            row += "<td class=\"\(Self.style(column.kind))\(cell.isBad ? " bad" as HTML : "")\">\(cell.content)</td>"
        }
        rows += "\(row)</tr>\n"
    }

    struct Cell {
        var content: HTML
        var isBad = false

        init(_ text: String, isBad: Bool = false) {
            content = "\(text)"
            self.isBad = isBad
        }

        init(html: HTML) { content = html }
    }

    var html: HTML {
        let heads = columns.map { "<th scope=\"col\" class=\"\(Self.style($0.kind))\">\($0.title)</th>" as HTML }
        return """
            <div class="wide">
            <table>
            <thead><tr>\(heads)</tr></thead>
            <tbody>
            \(rows)</tbody>
            </table>
            </div>

            """
    }

    private static func style(_ kind: Kind) -> HTML {
        switch kind {
        case .text: ""
        case .number: "number"
        case .long: "long"
        }
    }
}
