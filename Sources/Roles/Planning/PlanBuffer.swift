import Ledger
import Logging
import Model
import Policy

/// Steps of the plans of mailings that go into one transaction: parts of a large mailing, or several small ones together.
struct PlanBuffer {
    /// Rows of a transaction, so that memory stays small, a crash costs little, and others get at the ledger meanwhile.
    static let rowsAtOnce = 10_000
    /// Bytes of recipients of a transaction.
    static let bytesAtOnce = 16 << 20

    /// A step, and what the log says of it when it is written.
    struct Entry {
        var step: PlanStep
        /// Rows of the source that it adds to the plan.
        var rows: Int
        var record: MailingRecord
        /// With the last step: keys of NDJSON that are ignored.
        var ignored: [NDJSONReader.IgnoredKey] = []
    }

    private(set) var entries: [Entry] = []
    private(set) var rows = 0
    private(set) var bytes = 0

    /// Whether so many more rows, or bytes, would fill it.
    func isFull(withRows more: Int = 0, bytes moreBytes: Int = 0) -> Bool {
        rows + more >= Self.rowsAtOnce || bytes + moreBytes >= Self.bytesAtOnce
    }

    mutating func append(_ entry: Entry) {
        entries.append(entry)
        bytes += entry.step.bytes
        // A mailing without a row costs something too.
        rows += max(entry.rows, 10)
    }

    /// Removes the steps of a mailing that failed.
    mutating func remove(_ mailing: MailingID) {
        for entry in entries where entry.record.id == mailing {
            rows -= max(entry.rows, 10)
            bytes -= entry.step.bytes
        }
        entries.removeAll { $0.record.id == mailing }
    }

    /// Empties the buffer.
    mutating func take() -> [Entry] {
        defer { self = PlanBuffer() }
        return entries
    }
}
