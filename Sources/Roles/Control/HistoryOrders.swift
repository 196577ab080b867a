package import Customers
package import Ledger
package import Model

/// Events or orders, which the ledger keeps.
package protocol StoredHistory: HistoryEntry {
    static var importing: AuditNote.Order { get }
    static func store(
        _ part: [Self], _ ledger: any CustomerHistoryStore, audit: CustomerAudit, now: Int64
    ) async throws(LedgerError) -> HistorySummary
}

extension CustomerEvent: StoredHistory {
    package static var importing: AuditNote.Order { .importEvents }

    package static func store(
        _ part: [CustomerEvent], _ ledger: any CustomerHistoryStore, audit: CustomerAudit, now: Int64
    ) async throws(LedgerError) -> HistorySummary { try await ledger.store(part, audit: audit, now: now) }
}

extension CustomerOrder: StoredHistory {
    package static var importing: AuditNote.Order { .importOrders }

    package static func store(
        _ part: [CustomerOrder], _ ledger: any CustomerHistoryStore, audit: CustomerAudit, now: Int64
    ) async throws(LedgerError) -> HistorySummary { try await ledger.store(part, audit: audit, now: now) }
}

/// Adds the events or orders of a file, part by part, each in a transaction. What is there already, by its key, stays as it is: the same
/// import, given again after an interruption, does the rest.
package struct ImportHistory<Entry: StoredHistory>: Order {
    package let file: String
    /// The next part of the file; nil behind the last.
    private let next: @Sendable () throws -> [Entry]?
    /// Is told how many are done, after each part.
    private let progress: @Sendable (Int) -> Void

    package init(
        file: String, next: @escaping @Sendable () throws -> [Entry]?, progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.file = file
        self.next = next
        self.progress = progress
    }

    package var kind: AuditNote.Order { Entry.importing }
    package var object: AuditedObject { .customers }

    package func carryOut(_ context: OrderContext) async throws(OrderError) -> HistorySummary {
        var total = HistorySummary()
        var audit = CustomerAudit(context.note, file: file)
        var done = 0
        while true {
            do {
                guard let part = try next() else { return total }
                total += try await Entry.store(part, context.ledger, audit: audit, now: context.now)
                done += part.count
            } catch let error as LedgerError where done == 0 {
                throw .ledger(error)
            } catch {
                let kept = ". The first \(done) rows are in the ledger: import the same file again, and the others follow"
                throw .refused("\(error)" + (done > 0 ? kept : ""))
            }
            audit.entry = total.entry
            audit.changed = total.added
            progress(done)
        }
    }
}
