import Policy
import Telemetry

/// A table that fits a width. Where there is no room, figures are shortened (`1.23M`) and names are cut.
struct FittedTable {
    /// A cell, in its long and its short form.
    struct Cell {
        var long: String
        var short: String

        init(_ long: String, short: String? = nil) {
            self.long = long
            self.short = short ?? long
        }

        /// A number of things: `1,234,567`, or `1.23M`.
        static func count(_ number: Int) -> Cell { Cell(grouped(number), short: brief(number)) }

        /// A rate; `-` if it is unknown.
        static func count(_ value: Double?) -> Cell { value.map { count(whole($0)) } ?? Cell("-") }

        /// Seconds: `3 min 20 s`, or `3m`; `-` if they are unknown.
        static func span(_ seconds: Double?) -> Cell {
            guard let seconds else { return Cell("-") }
            let text = TimeSpan.text(seconds: seconds.rounded())
            let parts = text.split(separator: " ").prefix(2)
            return Cell(text, short: String((parts.first ?? "") + (parts.last?.prefix(1) ?? "")))
        }
    }

    let header: [String]
    let rows: [[Cell]]
    let rightAligned: Set<Int>
    /// The column of names, and where a name is cut.
    let names: Int
    let cut: String.Cut

    /// Columns of a name that are enough to recognise it.
    private static let recognisable = 16

    /// The header and a line a row.
    func lines(width: Int) -> [String] {
        let long = [header] + rows.map { $0.map(\.long) }
        if let lines = fitted(long, gap: 2, width: width, least: Self.recognisable) { return lines }
        let short = [header] + rows.map { $0.map(\.short) }
        return fitted(short, gap: 1, width: width, least: 0) ?? []
    }

    private func fitted(_ cells: [[String]], gap: Int, width: Int, least: Int) -> [String]? {
        let widths = TextTable.widths(cells)
        let room = width - widths.reduce(0, +) + widths[names] - gap * (widths.count - 1)
        guard room >= min(widths[names], least) || least == 0 else { return nil }
        let fitted = cells.map { row in
            var row = row
            // A terminal that is too narrow for the figures still shows part of each name.
            row[names] = row[names].cut(to: max(4, room), at: cut)
            return row
        }
        return TextTable(header: fitted[0], rows: Array(fitted.dropFirst()), rightAligned: rightAligned, gap: gap).lines
    }
}

/// A number in at most five characters: `99999`, `123k`, `1.23M`, `12.3G`; rounded down.
func brief(_ number: Int) -> String {
    guard number.magnitude >= 100_000 else { return "\(number)" }
    let units = ["k", "M", "G", "T", "P", "E"]
    var (value, unit) = (Double(number.magnitude) / 1000, 0)
    while value >= 1000, unit + 1 < units.count { (value, unit) = (value / 1000, unit + 1) }
    let scale = value < 10 ? 100.0 : value < 100 ? 10 : 1
    let digits = Int(value * scale)
    let (front, behind) = digits.quotientAndRemainder(dividingBy: Int(scale))
    let fraction = scale == 1 ? "" : ".\(scale == 100 && behind < 10 ? "0" : "")\(behind)"
    return "\(number < 0 ? "-" : "")\(front)\(fraction)\(units[unit])"
}

/// A figure as a whole number; 0 for one that is not finite, and bounded, since other processes report it.
func whole(_ value: Double) -> Int { value.isFinite ? Int(max(-1e15, min(1e15, value.rounded()))) : 0 }
