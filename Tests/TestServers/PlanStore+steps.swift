package import Ledger
package import Model

/// One step of one mailing's plan at a time, as tests write it.
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
