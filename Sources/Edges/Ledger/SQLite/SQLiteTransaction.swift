import Foundation
import GRDB
import Model

/// The shared statements in a transaction of SQLite.
final class SQLiteTransaction: SQLTransaction {
    private let db: Database
    let outbox = WebhookOutbox()

    init(_ db: Database) { self.db = db }

    var changes: Int { db.changesCount }
    /// One transaction writes at a time.
    var locking: String { "" }
    var sharing: String { "" }
    var elements: String { "json_each(?)" }
    /// Reading all fingerprints costs less than a search in them by SQLite.
    func holdsHash(_ parameter: String) -> String { "\(parameter) IS NOT NULL" }
    var orderedJoin: String { "CROSS JOIN" }
    var countedFailures: String { "failure" }
    func isSet(_ flag: String) -> String { flag }
    func indexed(_ index: String) -> String { " INDEXED BY \(index)" }

    func run(_ sql: String, _ values: [any SQLConvertible]) throws {
        try Self.noticingDamage { try db.cachedStatement(sql: sql).execute(arguments: Self.arguments(values)) }
    }

    func runAll(_ sql: String, _ rows: [[any SQLConvertible]]) throws -> [Int] {
        guard !rows.isEmpty else { return [] }
        return try Self.noticingDamage {
            let statement = try db.cachedStatement(sql: sql)
            return try rows.map { row in
                try statement.execute(arguments: Self.arguments(row))
                return db.changesCount
            }
        }
    }

    func firstRows<Value>(
        _ sql: String, _ rows: [[any SQLConvertible]], _ read: (any SQLRow, Int) throws -> Value
    ) throws -> [Value?] {
        try rows.enumerated().map { place, values in try cursor(sql, values).step().map { try read($0, place) } }
    }

    func rows(_ sql: String, _ values: [any SQLConvertible]) throws -> any SQLCursor { try cursor(sql, values) }

    func row(_ sql: String, _ values: [any SQLConvertible]) throws -> (any SQLRow)? {
        try cursor(sql, values).step().map { SQLiteKeptRow($0) }
    }

    func allRows(_ sql: String, _ values: [any SQLConvertible]) throws -> [any SQLRow] {
        let cursor = try cursor(sql, values)
        var rows: [any SQLRow] = []
        while let row = try cursor.step() { rows.append(SQLiteKeptRow(row)) }
        return rows
    }

    private func cursor(_ sql: String, _ values: [any SQLConvertible]) throws -> SQLiteCursor {
        try Self.noticingDamage { SQLiteCursor(try SQLiteSteps(db.cachedStatement(sql: sql), Self.arguments(values))) }
    }

    /// Turns an unreadable file into `SQLDamage`, like an impossible value.
    static func noticingDamage<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            throw SQLDamage(error.message ?? "\(error.resultCode)")
        }
    }

    /// GRDB takes values of several types as they are. For values of one type it makes a key path anew each time, which costs more than a
    /// small statement.
    private static func arguments(_ values: [any SQLConvertible]) -> StatementArguments {
        StatementArguments(
            values.map { value -> (any DatabaseValueConvertible)? in
                switch value.sqlValue {
                case .null: nil
                case .bigint(let number): number
                case .text(let text): text
                case .bytes(let bytes): Data(bytes)
                }
            })
    }
}

extension SQLiteTransaction {
    func add(
        to table: String, _ keys: KeyValuePairs<String, any SQLConvertible>, _ sums: KeyValuePairs<String, any SQLConvertible>
    ) throws {
        let changes = sums.map { "\($0.key) = \($0.key) + ?" }.joined(separator: ", ")
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

    func columnType(_ type: SQLType) -> String {
        switch type {
        case .bigint: "INTEGER"
        case .text: "TEXT"
        case .bytes: "BLOB"
        }
    }

    func tablesOfMailings() throws -> [String] {
        try all(
            String.self,
            """
            SELECT DISTINCT t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c
            WHERE t.type = 'table' AND c.name = 'mailing' ORDER BY 1
            """)
    }

    func now() throws -> Int64 { Clock.milliseconds() }

    func countCommit() throws -> Int64 { try one(Int64.self, "UPDATE ledger SET commits = commits + 1 RETURNING commits") ?? 0 }

    func commits() throws -> Int64 { try one(Int64.self, "SELECT commits FROM ledger") ?? 0 }

    /// A file shows by its own number of commits, and by the note beside it, whether it is an older copy.
    func isMoved() throws -> Bool { false }
    func standing() throws -> String? { nil }

    func raiseCommits(above number: Int64) throws { try run("UPDATE ledger SET commits = max(commits, ?) + 1", [number]) }
}
