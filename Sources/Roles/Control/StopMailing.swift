package import Ledger
package import Model

/// Ends a mailing for good: recipients that were not sent to become stopped.
package struct StopMailing: Order {
    package struct Outcome: Sendable {
        package var record: MailingRecord
        /// Right after the stop; those who are still open are with a worker, or uncertain.
        package var progress: MailingProgress
        package var reach: OrderReach
    }

    package let mailing: MailingID
    /// Why, for people; may be empty.
    package let reason: String

    package init(_ mailing: MailingID, reason: String = "") {
        self.mailing = mailing
        self.reason = reason
    }

    package var kind: AuditNote.Order { .stop }
    package var object: AuditedObject { .mailing(mailing) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Outcome {
        let record = try await context.mailing(mailing)
        let isStopped = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.setState(
                mailing, to: .stopped, from: [.draft, .scheduled, .collecting, .sending, .paused],
                reason: .person(context.actor.description, reason), note: context.note, now: context.now)
        }
        guard isStopped else { throw .refused("mailing \(mailing) has ended already: it is \(record.state.rawValue)") }
        // First of all nothing more starts.
        let reach = await context.announcer.announce(mailing)
        let progress = try await OrderError.mapping { () async throws(LedgerError) in
            // A planner does the same, but none may be running. Batches in flight are stopped when their results come back.
            _ = try await context.ledger.stopOpen(mailing, now: context.now)
            return try await context.ledger.progress(mailing)
        }
        guard let progress else { throw .refused("mailing \(mailing) is gone from the ledger") }
        return Outcome(record: record, progress: progress, reach: reach)
    }
}
