package import Ledger
package import Model

/// Adds suppressions.
package struct AddSuppressions: Order {
    package let suppressions: [Suppression]

    package init(_ suppressions: [Suppression]) { self.suppressions = suppressions }

    package var kind: AuditNote.Order { .suppress }
    package var object: AuditedObject { .suppressions }

    package func obstacle(_ change: SuppressionChange) -> OrderObstacle? {
        change.added + change.replaced == 0 ? .unchanged("all of them are suppressed already") : nil
    }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> SuppressionChange {
        try await context.requireCategories(Set(suppressions.map(\.key.category)))
        let change = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.suppress(suppressions, audit: SuppressionAudit(context.note), now: context.now)
        }
        await context.announcer.tell(suppressions.filter { $0.isInForce(at: context.now) })
        return change
    }
}

/// Removes suppressions: the addresses are sent to again, but for the mailings that have excluded or skipped them.
package struct RemoveSuppressions: Order {
    package let keys: [Suppression.Key]

    package init(_ keys: [Suppression.Key]) { self.keys = keys }

    package var kind: AuditNote.Order { .unsuppress }
    package var object: AuditedObject { .suppressions }

    package func obstacle(_ removed: [Suppression]) -> OrderObstacle? {
        removed.isEmpty ? .refused("there are no such suppressions") : nil
    }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> [Suppression] {
        let removed = try await OrderError.mapping { () async throws(LedgerError) in
            try await context.ledger.unsuppress(keys, audit: SuppressionAudit(context.note), now: context.now)
        }
        await context.announcer.tell([], lifted: removed.map(\.key))
        return removed
    }
}

/// Removes all suppressions that a filter finds, part by part, each in a transaction and all in one audit entry. What a part has removed
/// stays removed when a later one fails: the same order, given again, removes the rest.
package struct UndoSuppressions: Order {
    private static let part = 5000
    package let filter: SuppressionFilter

    package init(_ filter: SuppressionFilter) { self.filter = filter }

    package var kind: AuditNote.Order { .unsuppress }
    package var object: AuditedObject { .suppressions }

    package func obstacle(_ removed: Int) -> OrderObstacle? { removed == 0 ? .unchanged("there are no such suppressions") : nil }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> Int {
        var audit = SuppressionAudit(context.note)
        // An unavailable Redis is waited for once, and not for every part.
        var isTelling = true
        while true {
            do throws(LedgerError) {
                let part = try await context.ledger.unsuppress(filter, limit: Self.part, audit: audit, now: context.now)
                (audit.entry, audit.changed) = (part.entry, audit.changed + part.removed.count)
                if isTelling { isTelling = await context.announcer.tell([], lifted: part.removed.map(\.key)) }
                if part.removed.count < Self.part { return audit.changed }
            } catch {
                guard audit.changed > 0 else { throw .ledger(error) }
                throw .refused("\(error). \(audit.changed) suppressions are removed: give the order again, and the others are, too")
            }
        }
    }
}

/// Adds the suppressions of a file, part by part, each in a transaction. What a part has added stays when a later one fails: the same
/// import, given again, adds the rest.
package struct ImportSuppressions: Order {
    package let file: String
    /// The next part of the file; nil behind the last.
    private let next: @Sendable () throws -> [Suppression]?
    /// Is told how many are done, after each part.
    private let progress: @Sendable (Int) -> Void

    package init(
        file: String, next: @escaping @Sendable () throws -> [Suppression]?, progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.file = file
        self.next = next
        self.progress = progress
    }

    package var kind: AuditNote.Order { .suppress }
    package var object: AuditedObject { .suppressions }

    package func obstacle(_ change: SuppressionChange) -> OrderObstacle? {
        change.added + change.replaced == 0 ? .unchanged("all of them are suppressed already") : nil
    }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> SuppressionChange {
        var total = SuppressionChange()
        var audit = SuppressionAudit(context.note, file: file)
        var done = 0
        // An unavailable Redis is waited for once, and not for every part.
        var isTelling = true
        while true {
            let part: [Suppression]?
            do { part = try next() } catch { throw stopped(done, "\(error)") }
            guard let part else { return total }
            do { try await context.requireCategories(Set(part.map(\.key.category))) } catch { throw stopped(done, "\(error)") }
            do throws(LedgerError) {
                let change = try await context.ledger.suppress(part, audit: audit, now: context.now)
                total.added += change.added
                total.replaced += change.replaced
                total.unchanged += change.unchanged
                total.entry = change.entry ?? total.entry
                if isTelling, change.added + change.replaced > 0 {
                    isTelling = await context.announcer.tell(part.filter { $0.isInForce(at: context.now) })
                }
            } catch {
                guard done > 0 else { throw .ledger(error) }
                throw stopped(done, "\(error)")
            }
            audit.entry = total.entry
            audit.changed = total.added + total.replaced
            done += part.count
            progress(done)
        }
    }

    private func stopped(_ done: Int, _ why: String) -> OrderError {
        done == 0
            ? .refused(why)
            : .refused("\(why). The first \(done) suppressions are in the ledger: import the same file again, and the others are added")
    }
}
