import Model
import Policy

/// What the brake counts. It costs nothing for a message that is not refused, and does not come back.
extension SQLLedger.ResultWriting {
    /// Counts a recipient who failed, where no such recipient is there.
    mutating func noteRefused(_ result: RecipientResult, _ mailing: Int) {
        guard let consequence = result.response?.reason.consequence, consequence.isRecipients, consequence.suppresses else { return }
        mailings[mailing].count(result.at, \.refused)
        summary.braked.insert(mailings[mailing].id)
    }

    /// Counts bounces and complaints with the messages that they are of: at the time of the last results of their batch. One that comes
    /// before its result is of a message that was sent just now.
    mutating func countReturned() throws {
        guard !returned.isEmpty else { return }
        let ids = Set(returned.map(\.batch)).sorted { ($0.mailing, $0.number) < ($1.mailing, $1.number) }
        let found: [Int64??] = try db.firstRows(
            "SELECT max(base) FROM result WHERE mailing = ? AND batch = ?", ids.map { [$0.mailing.description, $0.number] }
        ) { row, _ in try row.read(0) as Int64? }
        let times = Dictionary(uniqueKeysWithValues: zip(ids, found.map { $0 ?? nil }))
        for (batch, kind, at) in returned {
            mailings[mailing(batch.mailing)].count((times[batch] ?? nil) ?? at, kind == .complaints ? \.complained : \.bounced)
            summary.braked.insert(batch.mailing)
        }
        returned = []
    }
}
