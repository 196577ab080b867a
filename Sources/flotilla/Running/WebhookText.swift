import Ledger
import Model
import Telemetry
import Text

/// The subscriptions of webhooks for a terminal: figures in a table, and below each its URL, its types and what is wrong.
struct WebhookText {
    /// Lines are no wider, but for a URL: it stays in one piece.
    private static let width = 80
    private let all: [(subscription: WebhookSubscription, waiting: Int)]

    init(_ all: [(subscription: WebhookSubscription, waiting: Int)]) { self.all = all }

    var lines: [String] {
        let rows = all.map { one, waiting in
            [one.id, one.state.rawValue, grouped(waiting), one.lastSuccess.map { Timestamp.text($0) } ?? "never"]
        }
        let table = TextTable(header: ["ID", "STATE", "WAITING", "LAST TAKEN"], rows: rows, rightAligned: [2]).lines
        return table.prefix(1)
            + zip(table.dropFirst(), all).flatMap { row, entry in
                let one = entry.subscription
                let problem = one.state == .disabled ? one.why : one.problem
                return [row, "  to " + LogText.line(one.shownURL)] + wrapped(one.types.names.joined(separator: ", "), "  of ")
                    + (problem.isEmpty ? [] : wrapped(problem, "  !  "))
            }
    }

    private func wrapped(_ text: String, _ first: String) -> [String] {
        WrappedText.lines(text, first: first, rest: "     ", width: Self.width)
    }
}
