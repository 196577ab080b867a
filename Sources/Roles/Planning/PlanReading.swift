import Ledger
import Model

/// What was read of a mailing's recipients and is not in the plan's buffer yet.
struct PlanReading {
    private let record: MailingRecord
    /// The step that is being filled.
    var step: PlanStep
    private var nextBatch: Int
    /// Rows up to which steps were taken.
    private(set) var written: Int
    /// Bytes of the batches in `step`.
    private(set) var bytes = 0

    init(_ record: MailingRecord, from first: PlanStep) {
        self.record = record
        step = first
        nextBatch = record.nextBatch
        written = record.rowsRead
    }

    mutating func add(_ chunk: PlannedChunk) {
        if !chunk.recipients.isEmpty {
            step.batches.append(PlannedBatch(number: nextBatch, recipients: chunk.recipients, channel: record.mailing.channel))
            nextBatch += 1
            bytes += chunk.bytes
        }
        step.exclusions += chunk.exclusions
        step.reachedBefore += chunk.reachedBefore
        step.unverified += chunk.unverified
    }

    /// Ends the step, and begins another.
    mutating func takeEntry(upTo planner: borrowing RecipientPlanner, hasMore: Bool) -> PlanBuffer.Entry {
        step.rowsRead = planner.rows
        step.sourceChecksum = Int64(bitPattern: planner.rowsChecksum)
        step.ending = hasMore ? .more : .whole
        var entry = PlanBuffer.Entry(step: step, rows: planner.rows - written, record: record)
        if !hasMore { entry.ignored = planner.ignored }
        written = planner.rows
        bytes = 0
        step = PlanStep(mailing: record.id)
        return entry
    }
}
