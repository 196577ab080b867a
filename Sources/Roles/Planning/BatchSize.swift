import Ledger
import Model
import Policy

/// How large a mailing's batches are.
enum BatchSize {
    /// Seconds of work that a slow mailing's batch holds: a pause, or a change of speed, finds little in the workers' hands.
    private static let seconds = 1.0

    /// The least that is worth a row of the ledger.
    private static let least = 20

    static func of(_ record: MailingRecord) -> Int {
        guard let speed = record.speed, let limit = try? RateLimit(speed) else { return record.mailing.batchSize }
        return min(record.mailing.batchSize, max(least, Int(limit.perSecond * seconds)))
    }
}
