import Ledger
import Model
import Policy

/// How large a mailing's batches are.
enum BatchSize {
    /// Seconds of work in a batch of a slow mailing: few messages are with workers when it is paused or its speed changes.
    private static let seconds = 1.0

    /// The smallest batch that is worth a row of the ledger.
    private static let least = 20

    static func of(_ record: MailingRecord) -> Int { of(record.mailing, speed: record.speed) }

    static func of(_ mailing: Mailing, speed: String?) -> Int {
        guard let speed, let limit = try? RateLimit(speed) else { return mailing.batchSize }
        return min(mailing.batchSize, max(least, Int(limit.perSecond * seconds)))
    }
}
