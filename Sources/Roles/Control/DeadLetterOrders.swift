package import Broker
package import Ledger
package import Model

/// Puts an entry that could not be read back to where it came from, for a release that can read it. The batch of a lane is dispatched anew
/// from the ledger instead.
package struct RetryDeadLetter: Order {
    package let id: Int64
    private let letters: DeadLetters

    package init(_ id: Int64, in letters: DeadLetters) {
        self.id = id
        self.letters = letters
    }

    package var kind: AuditNote.Order { .retry }
    package var object: AuditedObject { .deadLetters([id]) }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> StoredDeadLetter {
        let found = try await OrderError.mapping { () async throws(LedgerError) in try await context.ledger.deadLetter(id) }
        guard let found else { throw .refused("there is no dead letter \(id): flotilla dead list shows those there are") }
        if !found.letter.isBatch {
            let isPutBack: Bool
            do { isPutBack = try await letters.putBack(found.letter) } catch { throw .refused("\(error)") }
            guard isPutBack else { throw .refused("\(id) is not kept whole and cannot be put back; drop it: flotilla dead drop \(id)") }
        }
        _ = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.noteRetry(id, note: context.note, now: context.now)
        }
        return found
    }
}

/// Forgets entries that could not be read: their recipients stay as they are.
package struct DropDeadLetters: Order {
    /// Nil for all.
    package let ids: [Int64]?

    package init(_ ids: [Int64]?) { self.ids = ids }

    package var kind: AuditNote.Order { .drop }
    package var object: AuditedObject { ids.map(AuditedObject.deadLetters) ?? .allDeadLetters }

    package func obstacle(_ dropped: Int) -> OrderObstacle? {
        guard dropped == 0 else { return nil }
        return ids == nil ? .unchanged("there are no dead letters") : .refused("there are no such dead letters")
    }

    /// - Returns: how many there were.
    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Int {
        try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.dropDeadLetters(ids, note: context.note, now: context.now)
        }
    }
}
