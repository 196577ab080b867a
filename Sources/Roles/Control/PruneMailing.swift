package import Ledger
package import Model

/// Removes the recipients of a mailing that ended long ago. Its totals and its identity stay.
package struct PruneMailing: Order {
    package let id: MailingID
    private let rule: RetentionRule
    private let onPart: @Sendable (Int) -> Void

    /// - Parameter onPart: is told how many recipients are gone after each transaction.
    package init(_ id: MailingID, _ rule: RetentionRule, onPart: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.id = id
        self.rule = rule
        self.onPart = onPart
    }

    package var kind: AuditNote.Order { .prune }
    package var object: AuditedObject { .mailing(id) }

    /// - Returns: how many recipients were removed.
    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Int {
        try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.prune(id, rule, note: context.note, now: context.now, onPart: onPart)
        }
    }
}
