/// A transaction in which statements of the ledger run, on one session's thread.
final class PostgreSQLTransaction: SQLTransaction {
    private let connection: PostgreSQLConnection
    /// Nothing is written and no row locked.
    private let isReading: Bool
    private(set) var changes = 0
    let outbox = WebhookOutbox()
    /// It wrote something.
    private var hasWritten = false
    private var hasCounted = false
    /// By what it is known later whether the transaction was committed.
    let token = Int64.random(in: 1 ... .max)

    init(_ connection: PostgreSQLConnection, isReading: Bool) {
        self.connection = connection
        self.isReading = isReading
    }

    var locking: String { isReading ? "" : " FOR UPDATE" }
    var sharing: String { isReading ? "" : " FOR SHARE" }
    var elements: String {
        "(SELECT place - 1 AS key, value FROM json_array_elements_text(CAST(? AS json)) WITH ORDINALITY AS e (value, place)) AS elements"
    }
    /// One bit in 4,096 tells of seven in eight rows that it does not.
    func holdsHash(_ parameter: String) -> String {
        let bit = "(get_byte(\(parameter), 0) + 256 * (get_byte(\(parameter), 1) & 15))::bigint"
        return "CASE WHEN get_bit(filter, \(bit)) = 1 THEN instr(hashes, \(parameter)) > 0 ELSE false END"
    }
    var orderedJoin: String { "JOIN" }
    var countedFailures: String { "failure_counted" }
    func isSet(_ flag: String) -> String { "\(flag) = 1" }
    func indexed(_ index: String) -> String { "" }

    /// Runs statements without parameters.
    func script(_ sql: String) throws { try connection.run(sql) }

    func insert(into table: String, _ columns: String, _ rows: [[any SQLConvertible]]) throws {
        guard !rows.isEmpty else { return }
        var rest = rows[...]
        changes = try connection.copy(into: "\(table) (\(columns))") { rest.popFirst().map { $0.map { Self.plain($0.sqlValue) } } }
        hasWritten = true
    }

    func run(_ sql: String, _ values: [any SQLConvertible]) throws {
        _ = try answer(sql, values)
    }

    func runAll(_ sql: String, _ rows: [[any SQLConvertible]]) throws -> [Int] {
        let written = try answers(sql, rows).map(\.changes)
        changes = written.last ?? 0
        hasWritten = hasWritten || written.contains { $0 > 0 }
        return written
    }

    func firstRows<Value>(
        _ sql: String, _ rows: [[any SQLConvertible]], _ read: (any SQLRow, Int) throws -> Value
    ) throws -> [Value?] {
        try answers(sql, rows).enumerated().map { place, rows in try PostgreSQLCursor(rows).next().map { try read($0, place) } }
    }

    private func answers(_ sql: String, _ rows: [[any SQLConvertible]]) throws -> [PostgreSQLRows] {
        guard !rows.isEmpty else { return [] }
        return try connection.pipeline(
            rows.map { row in
                let values = row.map { Self.plain($0.sqlValue) }
                return PostgreSQLCall(statement: connection.statement(sql, values), values: values)
            })
    }

    func rows(_ sql: String, _ values: [any SQLConvertible]) throws -> any SQLCursor {
        PostgreSQLCursor(try answer(sql, values))
    }

    func row(_ sql: String, _ values: [any SQLConvertible]) throws -> (any SQLRow)? { try rows(sql, values).next() }

    func allRows(_ sql: String, _ values: [any SQLConvertible]) throws -> [any SQLRow] {
        let rows = try answer(sql, values)
        return (0..<rows.count).map { PostgreSQLRow(rows: rows, place: $0) }
    }

    private func answer(_ sql: String, _ values: [any SQLConvertible]) throws -> PostgreSQLRows {
        let values = values.map { Self.plain($0.sqlValue) }
        let rows = try connection.run(connection.statement(sql, values), values)
        changes = rows.changes
        hasWritten = hasWritten || (changes > 0 && !sql.hasPrefix("SELECT"))
        return rows
    }

    /// A text of PostgreSQL holds no zero byte.
    static func plain(_ value: SQLValue) -> SQLValue {
        guard case .text(let text) = value, text.utf8.contains(0) else { return value }
        return .text(text.replacing("\0", with: "\u{FFFD}"))
    }
}

extension PostgreSQLTransaction {
    func add(
        to table: String, _ keys: KeyValuePairs<String, any SQLConvertible>, _ sums: KeyValuePairs<String, any SQLConvertible>
    ) throws {
        let part = table + "_part"
        let names = keys.map(\.key) + ["slot"]
        let columns = names + sums.map(\.key)
        let places = columns.map { _ in "?" }.joined(separator: ", ")
        let changes = sums.map { "\($0.key) = \(part).\($0.key) + excluded.\($0.key)" }.joined(separator: ", ")
        try run(
            """
            INSERT INTO \(part) (\(columns.joined(separator: ", "))) VALUES (\(places))
            ON CONFLICT (\(names.joined(separator: ", "))) DO UPDATE SET \(changes)
            """, keys.map(\.value) + [connection.slot] + sums.map(\.value))
    }

    /// Plans are made for the values that are asked for; compiling a long condition costs more than it saves; and a list of customers that
    /// has no room in memory would be read once for each customer.
    func beginAnalysis() throws {
        try script("SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off; SET LOCAL work_mem = '128MB'")
    }

    /// A partition's rows are its table's.
    func columnType(_ type: SQLType) -> String {
        switch type {
        case .bigint: "bigint"
        case .text: "word"
        case .bytes: "bytea"
        }
    }

    func tablesOfMailings() throws -> [String] {
        try all(
            String.self,
            """
            SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'mailing'
            WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
                AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
            """)
    }

    func now() throws -> Int64 {
        try one(Int64.self, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint") ?? 0
    }

    func countCommit() throws -> Int64 {
        hasCounted = true
        try addToSlot(commits: 1)
        return try commits()
    }

    func commits() throws -> Int64 {
        try one(Int64.self, "SELECT coalesce(moved, commits + (SELECT coalesce(sum(commits), 0) FROM writer)) FROM ledger") ?? 0
    }

    func isMoved() throws -> Bool { try one(Bool.self, "SELECT moved IS NOT NULL FROM ledger") ?? false }

    /// A session that writes has looked for itself.
    func standing() throws -> String? {
        try isReading ? one(String.self, "SELECT standing FROM ledger") : connection.standing
    }

    func raiseCommits(above number: Int64) throws {
        let known = try commits()
        try run("UPDATE ledger SET commits = commits + ?, moved = NULL", [max(0, number - known) + 1])
    }

    /// Counts the transaction, by which others see that something has changed. It is the last that it does, as others wait for the row.
    func finish() throws {
        if hasWritten, !hasCounted { try addToSlot(commits: 0) }
    }

    private func addToSlot(commits: Int) throws {
        try run(
            """
            INSERT INTO writer (slot, commits, changes, token) VALUES (?, ?, 1, ?)
            ON CONFLICT (slot) DO UPDATE SET commits = writer.commits + excluded.commits, changes = writer.changes + 1,
                token = excluded.token
            """, [connection.slot, commits, token])
    }

    /// Whether the transaction wrote something.
    var isWriting: Bool { hasWritten }
}

/// The rows of an answer, which are all here.
final class PostgreSQLCursor: SQLCursor {
    private let rows: PostgreSQLRows
    private var place = 0

    init(_ rows: PostgreSQLRows) { self.rows = rows }

    func next() throws -> (any SQLRow)? {
        guard place < rows.count else { return nil }
        defer { place += 1 }
        return PostgreSQLRow(rows: rows, place: place)
    }
}

struct PostgreSQLRow: SQLRow {
    let rows: PostgreSQLRows
    let place: Int

    func integer(_ column: Int) throws -> Int64? { try reading { () throws(PostgreSQLError) in try rows.integer(place, column) } }
    func text(_ column: Int) throws -> String? { try reading { () throws(PostgreSQLError) in try rows.text(place, column) } }
    func bytes(_ column: Int) throws -> [UInt8]? { try reading { () throws(PostgreSQLError) in try rows.bytes(place, column) } }

    func name(of column: Int) -> String { rows.name(of: column) }

    private func reading<T>(_ body: () throws(PostgreSQLError) -> T) throws(SQLDamage) -> T {
        do throws(PostgreSQLError) { return try body() } catch { throw SQLDamage(error.detail) }
    }
}
