import GRDB
import GRDBSQLite

/// The rows of a query, read in place as SQLite steps through them. GRDB's own rows cost more than
/// most queries, and end the process where a value has an unexpected type.
final class SQLiteCursor: SQLCursor {
    private let steps: SQLiteSteps

    init(_ steps: SQLiteSteps) { self.steps = steps }

    var statement: SQLiteStatement { steps._statement.sqliteStatement }

    /// The names of the columns.
    var names: [String] { steps._statement.columnNames }

    func next() throws -> (any SQLRow)? { try step() }

    func step() throws -> SQLiteRow? {
        try SQLiteTransaction.noticingDamage { try steps.next() }.map { SQLiteRow(cursor: self) }
    }
}

/// The steps of a statement, which GRDB follows. Its protocol gives the names with an underscore.
final class SQLiteSteps: DatabaseCursor {
    typealias Element = Void

    // swift-format-ignore: NoLeadingUnderscores
    let _statement: Statement
    // swift-format-ignore: NoLeadingUnderscores
    var _isDone = false

    init(_ statement: Statement, _ arguments: StatementArguments) throws {
        _statement = statement
        try statement.setArguments(arguments)
    }

    /// A statement that is not reset keeps its view of the file, and the log from being emptied.
    deinit { sqlite3_reset(_statement.sqliteStatement) }

    // swift-format-ignore: NoLeadingUnderscores
    func _element(sqliteStatement: SQLiteStatement) {}
}
