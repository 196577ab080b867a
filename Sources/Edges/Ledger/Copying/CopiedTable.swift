import Customers
import GRDB
import Model

/// A table of SQLite's ledger, and what of PostgreSQL's has its rows. It follows from the tables themselves, so that a later one is copied
/// too: counters, which stand in rows of several sessions there, are read through views of the table's name, or that of the table with
/// `_counted`, and written to the table with `_part`.
struct CopiedTable {
    struct Column {
        var name: String
        /// As `pg_type` numbers it.
        var type: UInt32
    }

    var name: String
    /// In SQLite's order, with the types that they have when they are read back.
    var columns: [Column]
    /// Where the rows are read from in PostgreSQL.
    var readFrom: String
    /// The tables that are written, each with the places of its columns; one for counts takes the first session's rows.
    private var writes: [Write]
    /// The column that PostgreSQL counts up by itself.
    private var counted: String?

    private struct Write {
        var table: String
        var places: [Int]
        var types: [UInt32]
        var isPart: Bool
    }

    /// It has one row from the beginning.
    var isSingle: Bool { ["suppression_list", "webhook_head"].contains(name) }

    /// All but `ledger`, whose row is there.
    static func all(_ db: Database, _ connection: PostgreSQLConnection) throws -> [CopiedTable] {
        try String.fetchAll(
            db,
            sql: """
                SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'grdb%'
                    AND name <> 'ledger' ORDER BY name
                """
        ).map { try CopiedTable($0, db, connection) }
    }

    private init(_ name: String, _ db: Database, _ connection: PostgreSQLConnection) throws {
        self.name = name
        let names = try String.fetchAll(db, sql: "SELECT name FROM pragma_table_info(?)", arguments: [name])
        let (here, kind) = try Self.columns(of: name, connection)
        func places(_ columns: [Column]) -> [Int] { names.indices.filter { place in columns.contains { $0.name == names[place] } } }
        func write(_ table: String, _ columns: [Column], isPart: Bool) -> Write {
            let places = places(columns)
            let types = places.map { place in columns.first { $0.name == names[place] }?.type ?? 0 }
            return Write(table: table, places: places, types: types, isPart: isPart)
        }
        let parts = try Self.columns(of: name + "_part", connection).columns
        if kind == "v" {
            (columns, readFrom, writes) = (here, name, [write(name + "_part", parts, isPart: true)])
        } else if places(here).count == names.count {
            (columns, readFrom, writes) = (here, name, [write(name, here, isPart: false)])
        } else {
            let counted = try Self.columns(of: name + "_counted", connection).columns
            (columns, readFrom) = (counted, name + "_counted")
            writes = [write(name, here, isPart: false), write(name + "_part", parts, isPart: true)]
        }
        let found = columns
        columns = names.compactMap { name in found.first { $0.name == name } }
        guard columns.count == names.count, Set(writes.flatMap(\.places)) == Set(names.indices) else {
            throw LedgerError.refused("this release does not know how to copy the table \(name): PostgreSQL's lacks columns of SQLite's")
        }
        counted = try connection.run(Self.identity, [.text(name)]).textIfAny(0, 0)
    }

    private static let identity = PostgreSQLStatement(
        name: "identity_column",
        sql: "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass($1) AND attidentity <> '' AND attnum > 0", types: [25])
    private static let described = PostgreSQLStatement(
        name: "columns",
        sql: """
            SELECT a.attname::text, CASE WHEN t.typbasetype = 0 THEN t.oid ELSE t.typbasetype END::bigint, c.relkind::text
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_class c ON c.oid = a.attrelid
            WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum
            """, types: [25])

    private static func columns(of table: String, _ connection: PostgreSQLConnection) throws -> (columns: [Column], kind: String) {
        let rows = try connection.run(described, [.text(table)])
        let columns = try (0..<rows.count).map { row in
            Column(name: try rows.text(row, 0) ?? "", type: UInt32(try rows.integer(row, 1) ?? 0))
        }
        return (columns, try rows.textIfAny(0, 2) ?? "")
    }
}

extension CopiedTable {
    typealias Telling = (_ rows: Int, _ bytes: Int64) -> Void

    /// Copies all rows.
    /// - Returns: the digest of what it read.
    func copy(_ db: Database, _ connection: PostgreSQLConnection, _ tell: Telling) throws -> TableDigest {
        var digest = TableDigest()
        if isSingle { try connection.run("DELETE FROM \(name)") }
        for (number, write) in writes.enumerated() {
            let cursor = try Row.fetchCursor(db, sql: query)
            var failure: (any Error)?
            let names = write.places.map { columns[$0].name } + (write.isPart ? ["slot"] : [])
            try connection.copy(into: "\(write.table) (\(names.joined(separator: ", ")))", types: write.types + (write.isPart ? [21] : []))
            {
                do {
                    guard let row = try cursor.next() else { return nil }
                    let values = try values(of: row)
                    if number == 0 {
                        digest.add(values)
                        tell(digest.rows, digest.bytes)
                    }
                    return write.places.map { values[$0] } + (write.isPart ? [.bigint(0)] : [])
                } catch {
                    failure = error
                    return nil
                }
            }
            if let failure { throw failure }
        }
        if let counted {
            try connection.run(
                """
                SELECT setval(pg_get_serial_sequence('\(name)', '\(counted)'), max(\(counted))) FROM \(name) HAVING max(\(counted)) > 0
                """)
        }
        return digest
    }

    /// The digest of SQLite's rows.
    func read(_ db: Database, _ tell: Telling) throws -> TableDigest {
        var digest = TableDigest()
        let cursor = try Row.fetchCursor(db, sql: query)
        while let row = try cursor.next() {
            digest.add(try values(of: row))
            tell(digest.rows, digest.bytes)
        }
        return digest
    }

    /// The digest of PostgreSQL's rows.
    func read(_ connection: PostgreSQLConnection, _ tell: Telling) throws -> TableDigest {
        var digest = TableDigest()
        try connection.run("DECLARE copied_\(name) NO SCROLL CURSOR FOR SELECT \(list) FROM \(readFrom)")
        let fetch = PostgreSQLStatement(name: "fetch_\(name)", sql: "FETCH 200 FROM copied_\(name)")
        while true {
            let rows = try connection.run(fetch)
            guard rows.count > 0 else { break }
            for row in 0..<rows.count {
                digest.add(
                    try columns.indices.map { column in
                        if columns[column].isNumber { return try rows.integer(row, column).map { .bigint($0) } ?? .null(.bigint) }
                        return try rows.bytes(row, column).map { .bytes($0) } ?? .null(.bytes)
                    })
                tell(digest.rows, digest.bytes)
            }
        }
        try connection.run("CLOSE copied_\(name)")
        return digest
    }

    private var list: String { columns.map(\.name).joined(separator: ", ") }
    private var query: String { "SELECT \(columns.map { "\"\($0.name)\"" }.joined(separator: ", ")) FROM \(name)" }

    private func values(of row: Row) throws -> [SQLValue] {
        try columns.indices.map { place in
            switch (row[place] as DatabaseValue).storage {
            case .null: return .null(.bytes)
            case .int64(let number) where columns[place].isNumber: return .bigint(number)
            case .string(let text) where columns[place].isText: return PostgreSQLTransaction.plain(.text(text))
            case .blob(let data) where !columns[place].isNumber && !columns[place].isText: return .bytes(Array(data))
            default: throw SQLDamage("the column \(columns[place].name) of \(name) holds a value of another kind")
            }
        }
    }

    /// The row of the ledger itself.
    static func copyLedger(_ db: Database, _ connection: PostgreSQLConnection) throws {
        guard let row = try Row.fetchOne(db, sql: "SELECT identity, commits, restored, older_than FROM ledger") else {
            throw SQLDamage("the table ledger has no row")
        }
        let transaction = PostgreSQLTransaction(connection, isReading: false)
        try transaction.run(
            "UPDATE ledger SET identity = ?, commits = ?, restored = ?, older_than = ?",
            [row[0] as String, row[1] as Int64, row[2] as Int64?, row[3] as Int64?])
    }
}

extension CopiedTable.Column {
    fileprivate var isText: Bool { type == SQLValue.text("").type }
    fileprivate var isNumber: Bool { [20, 21, 23].contains(type) }
}

extension PostgreSQLRows {
    /// Nil where there is no such row.
    fileprivate func textIfAny(_ row: Int, _ column: Int) throws(PostgreSQLError) -> String? {
        row < count ? try text(row, column) : nil
    }
}

extension CopiedTable {
    /// Adds the columns of customers' attributes, which the target has from nobody else.
    static func addAttributes(of db: Database, to connection: PostgreSQLConnection) throws {
        for row in try Row.fetchAll(db, sql: "SELECT type, number FROM attribute ORDER BY number") {
            guard let type = AttributeType(rawValue: row[0]) else { continue }
            let column = CustomerColumn.name(Attribute(name: "", type: type, number: row[1]))
            let kind = CustomerColumn.type(type) == .text ? "word" : "bigint"
            for table in ["customer", "customer_staging"] {
                try connection.run("ALTER TABLE \(table) ADD COLUMN IF NOT EXISTS \(column) \(kind)")
            }
        }
    }
}
