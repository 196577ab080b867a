import Ledger
import Model
import Telemetry

/// The list of uncertain recipients for a terminal, page by page. The first page sets the widths of the columns.
struct UncertainText {
    private var widths: [Int]?

    private static let header = ["RECIPIENT", "ADDRESS", "SINCE", "STATE NOW", "WHY"]

    /// A line, with the header before the first.
    mutating func row(_ item: UncertainRecipient, of page: [UncertainRecipient]) -> String {
        guard let widths else {
            let widths = Self.widths(page)
            self.widths = widths
            return Self.line(Self.header, widths) + "\n" + Self.line(Self.cells(item), widths)
        }
        return Self.line(Self.cells(item), widths)
    }

    private static func cells(_ item: UncertainRecipient) -> [String] {
        var state = item.state.name
        if let outcome = item.listing.outcome { state += outcome == .resend ? ", resent" : ", settled" }
        return [item.id, item.address, Timestamp.text(item.listing.at), state, item.listing.why].map(LogText.line)
    }

    private static func widths(_ page: [UncertainRecipient]) -> [Int] {
        TextTable.widths([header] + page.map(cells)).map { min(60, $0) }
    }

    private static func line(_ cells: [String], _ widths: [Int]) -> String {
        cells.enumerated().map { column, cell in
            column == cells.count - 1 ? cell : cell + String(repeating: " ", count: max(0, widths[column] - cell.columns))
        }.joined(separator: "  ")
    }

    /// A row as a JSON object on one line; times are ISO 8601 in UTC.
    static func json(_ item: UncertainRecipient) throws -> String {
        let listing = item.listing
        let row = Row(
            recipient: item.id, address: item.address, batch: item.batch, index: item.index, state: item.state.name,
            since: Timestamp.text(listing.at), why: listing.why, held: listing.isHeld, dispatchNumber: listing.dispatchNumber,
            generation: listing.dispatchNumber,
            worker: listing.worker, settledAt: listing.settled.map(Timestamp.text), outcome: listing.outcome?.rawValue)
        return try ScriptJSON.line(row)
    }

    private struct Row: Encodable {
        var recipient: String
        var address: String
        var batch: Int
        var index: Int
        var state: String
        var since: String
        var why: String
        var held: Bool
        var dispatchNumber: Int
        /// The deprecated name of `dispatchNumber`.
        var generation: Int
        var worker: String
        var settledAt: String?
        var outcome: String?
    }
}
