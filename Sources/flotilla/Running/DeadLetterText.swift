import Ledger
import Model
import Telemetry

/// Dead letters for a terminal.
enum DeadLetterText {
    /// Bytes of a field that are shown at most.
    private static let longest = 2_000

    static func line(_ item: StoredDeadLetter) -> String {
        let letter = item.letter
        var parts = ["\(item.id)", Timestamp.text(letter.at), letter.source.stream, mailing(item)]
        if let batch = letter.batch { parts[3] += "/\(batch)" }
        parts.append("\(grouped(item.bytes)) bytes")
        if let retried = item.retried { parts.append("put back \(Timestamp.text(retried))") }
        return (parts + [letter.reason]).joined(separator: "  ")
    }

    /// - Parameter count: from 1.
    static func discarded(_ kind: DeadLetter.Source.Kind, _ count: Int) -> String {
        let place =
            switch kind {
            case .status: "status streams"
            case .events: "events streams"
            case .receipts: "the receipts stream"
            case .lane: "lanes"
            case .foreign: "other programs"
            }
        return "\(grouped(count)) older ones of \(place) are no longer kept"
    }

    static func mailing(_ item: StoredDeadLetter) -> String { item.letter.mailing.map { "\($0)" } ?? "-" }

    static func field(_ field: DeadLetter.Field) -> String {
        let value = field.value.prefix(longest)
        let rest = field.value.count > value.count ? "… (\(grouped(field.value.count)) bytes)" : ""
        return "\(field.name): \(String(decoding: value, as: UTF8.self))\(rest)"
    }
}
