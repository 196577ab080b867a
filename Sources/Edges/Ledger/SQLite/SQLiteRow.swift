import GRDB
import GRDBSQLite

/// The current row of a cursor; it keeps the cursor.
struct SQLiteRow: SQLRow {
    let cursor: SQLiteCursor
    private var statement: SQLiteStatement { cursor.statement }

    func integer(_ column: Int) throws -> Int64? {
        switch sqlite3_column_type(statement, CInt(column)) {
        case SQLITE_NULL: return nil
        case SQLITE_INTEGER: return sqlite3_column_int64(statement, CInt(column))
        default: throw SQLDamage(self, column, "holds no number")
        }
    }

    func text(_ column: Int) throws -> String? {
        switch sqlite3_column_type(statement, CInt(column)) {
        case SQLITE_NULL: return nil
        case SQLITE_TEXT: return String(decoding: content(column), as: UTF8.self)
        default: throw SQLDamage(self, column, "holds no text")
        }
    }

    func bytes(_ column: Int) throws -> [UInt8]? {
        switch sqlite3_column_type(statement, CInt(column)) {
        case SQLITE_NULL: return nil
        case SQLITE_TEXT, SQLITE_BLOB: return [UInt8](content(column))
        default: throw SQLDamage(self, column, "holds no bytes")
        }
    }

    private func content(_ column: Int) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(statement, CInt(column))
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, CInt(column))))
    }

    func name(of column: Int) -> String { sqlite3_column_name(statement, CInt(column)).map { String(cString: $0) } ?? "\(column + 1)" }

    var count: Int { Int(sqlite3_column_count(statement)) }

    /// A value that outlives the statement.
    fileprivate func kept(_ column: Int) -> SQLiteKeptRow.Value {
        switch sqlite3_column_type(statement, CInt(column)) {
        case SQLITE_NULL: .null
        case SQLITE_INTEGER: .number(sqlite3_column_int64(statement, CInt(column)))
        case SQLITE_TEXT: .text([UInt8](content(column)))
        case SQLITE_BLOB: .bytes([UInt8](content(column)))
        default: .other
        }
    }
}

/// A row that outlives its statement. A text stays as its bytes until it is read as a text: those of a batch are long.
struct SQLiteKeptRow: SQLRow {
    fileprivate enum Value {
        case null
        case number(Int64)
        case text([UInt8])
        case bytes([UInt8])
        /// No table of a ledger takes it.
        case other
    }

    private let names: [String]
    private let values: [Value]

    init(_ row: SQLiteRow) {
        names = row.cursor.names
        values = (0..<row.count).map(row.kept)
    }

    func integer(_ column: Int) throws -> Int64? {
        switch values[column] {
        case .null: return nil
        case .number(let number): return number
        default: throw SQLDamage(self, column, "holds no number")
        }
    }

    func text(_ column: Int) throws -> String? {
        switch values[column] {
        case .null: return nil
        case .text(let text): return String(decoding: text, as: UTF8.self)
        default: throw SQLDamage(self, column, "holds no text")
        }
    }

    func bytes(_ column: Int) throws -> [UInt8]? {
        switch values[column] {
        case .null: return nil
        case .text(let bytes), .bytes(let bytes): return bytes
        default: throw SQLDamage(self, column, "holds no bytes")
        }
    }

    func name(of column: Int) -> String { names[column] }
}
