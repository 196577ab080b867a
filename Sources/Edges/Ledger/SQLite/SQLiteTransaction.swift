import Foundation
import GRDB
import Model

/// The shared statements in a transaction of SQLite.
final class SQLiteTransaction: SQLTransaction {
    private let db: Database

    init(_ db: Database) { self.db = db }

    var changes: Int { db.changesCount }
    /// One transaction writes at a time.
    var locking: String { "" }
    var sharing: String { "" }
    var elements: String { "json_each(?)" }
    func holdsHash(_ parameter: String) -> String { "instr(hashes, \(parameter)) > 0" }
    var orderedJoin: String { "CROSS JOIN" }
    var countedFailures: String { "failure" }
    func isSet(_ flag: String) -> String { flag }
    func indexed(_ index: String) -> String { " INDEXED BY \(index)" }

    func run(_ sql: String, _ values: [any SQLConvertible]) throws {
        try db.cachedStatement(sql: sql).execute(arguments: Self.arguments(values))
    }

    func runAll(_ sql: String, _ rows: [[any SQLConvertible]]) throws -> [Int] {
        let statement = try db.cachedStatement(sql: sql)
        return try rows.map { row in
            try statement.execute(arguments: Self.arguments(row))
            return db.changesCount
        }
    }

    func rowsAll(_ sql: String, _ rows: [[any SQLConvertible]]) throws -> [any SQLCursor] {
        try rows.map { SQLiteCursor(try Row.fetchCursor(db, sql: sql, arguments: Self.arguments($0))) }
    }

    func rows(_ sql: String, _ values: [any SQLConvertible]) throws -> any SQLCursor {
        SQLiteCursor(try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: Self.arguments(values)))
    }

    func add(
        to table: String, _ keys: KeyValuePairs<String, any SQLConvertible>, _ sums: KeyValuePairs<String, any SQLConvertible>
    ) throws {
        let changes = sums.map { "\($0.key) = \(table).\($0.key) + ?" }.joined(separator: ", ")
        let names = keys.map(\.key)
        try run(
            "UPDATE \(table) SET \(changes) WHERE \(names.map { "\($0) = ?" }.joined(separator: " AND "))",
            sums.map(\.value) + keys.map(\.value))
        guard self.changes == 0 else { return }
        let columns = names + sums.map(\.key)
        try run(
            "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))",
            keys.map(\.value) + sums.map(\.value))
    }

    func now() throws -> Int64 { Clock.milliseconds() }

    func countCommit() throws -> Int64 { try one(Int64.self, "UPDATE ledger SET commits = commits + 1 RETURNING commits") ?? 0 }

    func commits() throws -> Int64 { try one(Int64.self, "SELECT commits FROM ledger") ?? 0 }

    /// Whether a file is an older copy its own number tells, and the note beside it.
    func isMoved() throws -> Bool { false }

    func raiseCommits(above number: Int64) throws { try run("UPDATE ledger SET commits = max(commits, ?) + 1", [number]) }

    private static func arguments(_ values: [any SQLConvertible]) -> StatementArguments {
        StatementArguments(
            values.map { value -> DatabaseValue in
                switch value.sqlValue {
                case .null: .null
                case .bigint(let number): number.databaseValue
                case .text(let text): text.databaseValue
                case .bytes(let bytes): Data(bytes).databaseValue
                }
            })
    }
}

private final class SQLiteCursor: SQLCursor {
    private let cursor: RowCursor

    init(_ cursor: RowCursor) { self.cursor = cursor }

    func next() throws -> (any SQLRow)? { try cursor.next().map { SQLiteRow(row: $0.copy()) } }
}

private struct SQLiteRow: SQLRow {
    var row: Row

    func integer(_ column: Int) throws -> Int64? {
        switch (row[column] as DatabaseValue).storage {
        case .null: return nil
        case .int64(let number): return number
        default: throw SQLDamage("its column \(column + 1) holds no number")
        }
    }

    func text(_ column: Int) throws -> String? {
        switch (row[column] as DatabaseValue).storage {
        case .null: return nil
        case .string(let text): return text
        default: throw SQLDamage("its column \(column + 1) holds no text")
        }
    }

    func bytes(_ column: Int) throws -> [UInt8]? {
        switch (row[column] as DatabaseValue).storage {
        case .null: return nil
        case .string(let text): return Array(text.utf8)
        case .blob(let data): return Array(data)
        default: throw SQLDamage("its column \(column + 1) holds no bytes")
        }
    }
}

/// SQLite as an engine of the shared statements.
extension SQLiteLedger: LedgerEngine {
    var name: String { path }

    func transact<T: Sendable>(
        _ operation: String, _ order: WriteOrder, _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws(LedgerError) -> T {
        try await write(operation) { db in try Self.mapping { try body(SQLiteTransaction(db)) } }
    }

    func view<T: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws(LedgerError) -> T {
        try await read(operation) { db in try Self.mapping { try body(SQLiteTransaction(db)) } }
    }

    func check() throws(LedgerError) { try checkFile() }

    private static func mapping<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let damage as SQLDamage { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: damage.text) }
    }
}
