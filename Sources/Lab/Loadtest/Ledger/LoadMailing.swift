import Ledger
import Model

/// A mailing of made-up recipients that is planned into a ledger as a planner does it.
struct LoadMailing {
    /// Recipients of a batch.
    static let batch = 500
    /// Batches of a transaction.
    private static let step = 20

    let id: MailingID
    let mailing: Mailing
    /// A multiple of `batch`.
    let recipients: Int
    /// The values of the n-th recipient, in the order of the mailing's fields.
    let row: (Int) -> [String]

    /// - Returns: how long the ledger took to write the plan.
    func plan(into ledger: any LedgerStore) async throws(LedgerError) -> Duration {
        try await ledger.create(id, mailing: mailing, source: nil, origin: "", state: .collecting, now: Clock.milliseconds())
        let count = recipients / Self.batch
        var took = Duration.zero
        for first in stride(from: 0, to: count, by: Self.step) {
            let end = min(first + Self.step, count)
            var step = PlanStep(mailing: id, ending: end == count ? .whole : .more)
            step.batches = (first..<end).map { batch in
                var all = Recipients(width: mailing.fields.count)
                for place in 0..<Self.batch { all.append(row: row(batch * Self.batch + place)) }
                return PlannedBatch(number: batch, recipients: all)
            }
            if first == 0 { step.sourceSize = Int64(step.bytes) * Int64(count) / Int64(step.batches.count) }
            step.rowsRead = end * Self.batch
            let start = ContinuousClock.now
            let refusals = try await ledger.writePlan([step], now: Clock.milliseconds())
            took += ContinuousClock.now - start
            if let refusal = refusals[id] { throw refusal }
        }
        return took
    }
}
