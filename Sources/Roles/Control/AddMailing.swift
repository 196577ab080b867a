package import Model
package import Ledger

/// Adds a mailing, unless an earlier one of its identity stands in its way.
package struct AddMailing: Order {
    package struct Outcome: Sendable {
        package var added: AddOutcome
        package var reach: OrderReach
    }

    package let new: NewMailing
    package let policy: RepeatPolicy

    package init(_ new: NewMailing, repeating policy: RepeatPolicy) {
        self.new = new
        self.policy = policy
    }

    package var kind: AuditNote.Order { .add }
    package var object: AuditedObject { .mailing(new.id) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Outcome {
        try await context.requireCategories([new.mailing.category ?? ""])
        let added = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.add(new, repeating: policy, note: context.note, now: context.now)
        }
        return Outcome(added: added, reach: await context.announcer.planned())
    }

    package func obstacle(_ outcome: Outcome) -> OrderObstacle? {
        switch outcome.added {
        case .added: nil
        case .unfinished(let record): .refused("mailing \(record.id) of the same identity has not ended")
        case .forgotten(let earlier): .refused("it is no longer known whom mailing \(earlier.id) has reached")
        case .sentBefore: .refused("an earlier mailing of the same identity has reached people")
        case .lost(let id): .refused("mailing \(id) of the same identity was added, and this ledger, an older copy, does not know it")
        }
    }
}
