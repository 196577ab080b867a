package import Ledger
package import Model

/// Classifies all visits of a mailing's messages again, by the rules of now.
package struct RecountVisits: Order {
    package let id: MailingID
    private let rules: EventRules

    package init(_ id: MailingID, _ rules: EventRules) { (self.id, self.rules) = (id, rules) }

    package var kind: AuditNote.Order { .recount }
    package var object: AuditedObject { .mailing(id) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> EventRecount {
        try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.recountEvents(id, rules, note: context.note, now: context.now)
        }
    }
}
