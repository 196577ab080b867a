import Logging
import Model
import Synchronization

@testable import Ledger

/// A ledger whose process is killed between two statements of a transaction: the engine undoes it, as it does for a process that is gone.
final class KilledEngine: LedgerEngine {
    private let engine: any LedgerEngine
    /// Statements until the end; nil for none.
    let left = Mutex<Int?>(nil)

    init(_ engine: any LedgerEngine) { self.engine = engine }

    var name: String { engine.name }
    var logger: Logger { engine.logger }
    var notes: LedgerNotes? { engine.notes }
    var problem: LedgerError? { engine.problem }

    func transact<T: Sendable>(
        _ operation: String, _ order: WriteOrder, _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws(LedgerError) -> T {
        try await engine.transact(operation, order) { db in
            let killed = KilledTransaction(db) { try self.step() }
            let value = try body(killed)
            try self.step()
            return value
        }
    }

    private func step() throws(LedgerError) {
        let isKilled = left.withLock { left in
            guard let count = left else { return false }
            left = count - 1
            return count <= 0
        }
        if isKilled { throw .refused("killed") }
    }

    func view<T: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws(LedgerError) -> T { try await engine.view(operation, body) }

    func prepare(for steps: [PlanStep]) async throws(LedgerError) { try await engine.prepare(for: steps) }
    func tidy(after id: MailingID) async { await engine.tidy(after: id) }
    func dropOverwritten() async { await engine.dropOverwritten() }
    func check() throws(LedgerError) { try engine.check() }
    func wake(_ signal: WakeSignal) -> ChangeSubscription { engine.wake(signal) }
    func close() throws(LedgerError) { try engine.close() }
}

/// Passes everything on, and is asked before each statement.
private final class KilledTransaction: SQLTransaction {
    private let db: any SQLTransaction
    private let step: () throws -> Void

    init(_ db: any SQLTransaction, _ step: @escaping () throws -> Void) { (self.db, self.step) = (db, step) }

    var changes: Int { db.changes }
    var outbox: WebhookOutbox { db.outbox }
    var locking: String { db.locking }
    var sharing: String { db.sharing }
    var elements: String { db.elements }
    var orderedJoin: String { db.orderedJoin }
    var countedFailures: String { db.countedFailures }
    func holdsHash(_ parameter: String) -> String { db.holdsHash(parameter) }
    func isSet(_ flag: String) -> String { db.isSet(flag) }
    func indexed(_ index: String) -> String { db.indexed(index) }

    func run(_ sql: String, _ values: [any SQLConvertible]) throws {
        try step()
        try db.run(sql, values)
    }

    func runAll(_ sql: String, _ rows: [[any SQLConvertible]]) throws -> [Int] {
        try step()
        return try db.runAll(sql, rows)
    }

    func firstRows<Value>(
        _ sql: String, _ rows: [[any SQLConvertible]], _ read: (any SQLRow, Int) throws -> Value
    ) throws -> [Value?] {
        try step()
        return try db.firstRows(sql, rows, read)
    }

    func rows(_ sql: String, _ values: [any SQLConvertible]) throws -> any SQLCursor {
        try step()
        return try db.rows(sql, values)
    }

    func row(_ sql: String, _ values: [any SQLConvertible]) throws -> (any SQLRow)? {
        try step()
        return try db.row(sql, values)
    }

    func allRows(_ sql: String, _ values: [any SQLConvertible]) throws -> [any SQLRow] {
        try step()
        return try db.allRows(sql, values)
    }

    func add(
        to table: String, _ keys: KeyValuePairs<String, any SQLConvertible>, _ sums: KeyValuePairs<String, any SQLConvertible>
    ) throws {
        try step()
        try db.add(to: table, keys, sums)
    }

    func insert(into table: String, _ columns: String, _ rows: [[any SQLConvertible]]) throws {
        try step()
        try db.insert(into: table, columns, rows)
    }

    func removeAtOnce(_ id: MailingID) throws -> Int? { try db.removeAtOnce(id) }
    func columnType(_ type: SQLType) -> String { db.columnType(type) }
    func tablesOfMailings() throws -> [String] { try db.tablesOfMailings() }
    func now() throws -> Int64 { try db.now() }
    func countCommit() throws -> Int64 { try db.countCommit() }
    func commits() throws -> Int64 { try db.commits() }
    func isMoved() throws -> Bool { try db.isMoved() }
    func standing() throws -> String? { try db.standing() }
    func raiseCommits(above number: Int64) throws { try db.raiseCommits(above: number) }
}
