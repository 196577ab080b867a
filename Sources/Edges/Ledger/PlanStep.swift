package import Model

/// What one transaction adds to the plan of one mailing. A mailing's first step begins it.
package struct PlanStep: Sendable {
    /// Where the plan stands after the step.
    package enum Ending: Sendable, Equatable {
        /// Further steps follow.
        case more
        /// Every recipient is planned: the mailing is sent from now on.
        case whole
        /// The plan cannot be made, and the mailing fails.
        case failed(reason: String)
    }

    package var mailing: MailingID
    /// The source file, by which a resumed planning sees that it has changed: its size in bytes, and when it was modified, in milliseconds
    /// since 1970. Nil leaves what was noted before.
    package var sourceSize: Int64?
    package var sourceModified: Int64?
    package var batches: [PlannedBatch] = []
    package var exclusions: [Exclusion] = []
    /// Recipients in `batches` whose telephone number is in no range that is known.
    package var unverified = 0
    /// Rows of the source that are planned or excluded now; nil for as many as before. A planning that was interrupted goes on behind them.
    package var rowsRead: Int?
    package var ending = Ending.more

    package init(mailing: MailingID, ending: Ending = .more) {
        self.mailing = mailing
        self.ending = ending
    }
}

/// The mailings that wait for their planning.
package struct WaitingMailings: Sendable {
    /// Those whose start has come, or whose planning was interrupted; the longest due first.
    package var due: [MailingRecord]
    /// When the next mailing is to begin that is not due, in milliseconds since 1970; nil for none.
    package var next: Int64?
}

extension PlanStore {
    /// Notes the source's size in bytes and its time of modification in milliseconds since 1970.
    package func noteSource(_ id: MailingID, size: Int64, modified: Int64) async throws(LedgerError) {
        var step = PlanStep(mailing: id)
        step.sourceSize = size
        step.sourceModified = modified
        try await writePlan(step)
    }

    /// Adds batches, exclusions and how far the source was read.
    package func appendPlan(
        _ id: MailingID, batches: [PlannedBatch], exclusions: [Exclusion], rowsRead: Int
    ) async throws(LedgerError) {
        var step = PlanStep(mailing: id)
        step.batches = batches
        step.exclusions = exclusions
        step.rowsRead = rowsRead
        try await writePlan(step)
    }

    /// Marks the plan as whole.
    package func finishPlan(_ id: MailingID, now: Int64) async throws(LedgerError) {
        try await writePlan(PlanStep(mailing: id, ending: .whole), now: now)
    }

    /// Marks the mailing as failed, because its plan cannot be made.
    package func failPlan(_ id: MailingID, reason: String, now: Int64) async throws(LedgerError) {
        try await writePlan(PlanStep(mailing: id, ending: .failed(reason: reason)), now: now)
    }

    private func writePlan(_ step: PlanStep, now: Int64 = Clock.milliseconds()) async throws(LedgerError) {
        if let refusal = try await writePlan([step], now: now)[step.mailing] { throw refusal }
    }
}
