package import Ledger
package import Model

/// Takes the values of a person out of the ledger. Whoever may still be sent to, or waits for a decision, stays and is named.
package struct EraseRecipient: Order {
    package let person: ErasedPerson

    package init(_ person: ErasedPerson) { self.person = person }

    package var kind: AuditNote.Order { .erase }
    /// The person is nowhere named.
    package var object: AuditedObject { .ledger }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Erasure {
        guard person.addresses.contains(where: { !$0.isEmpty }) else { throw .refused("an empty address names nobody") }
        return try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.erase(person, note: context.note, now: context.now)
        }
    }
}
