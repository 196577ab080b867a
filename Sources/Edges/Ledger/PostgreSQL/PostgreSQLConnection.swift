import CPQ

/// A connection to PostgreSQL, with blocking calls. It is not `Sendable`: whoever opens it keeps it to one thread or actor.
final class PostgreSQLConnection {
    let connection: OpaquePointer
    private let password: String?
    /// The statements that this session has prepared.
    private var prepared: Set<String> = []
    /// The prepared forms of the ledger's statements.
    var statements: [StatementKey: PostgreSQLStatement] = [:]
    /// The row of each counter that this session adds to, so that sessions do not wait for one another.
    let slot = Int.random(in: 0..<64)

    /// - Parameters:
    ///   - url: `postgres://user@host/database?sslmode=verify-full&sslrootcert=…`; what libpq takes.
    ///   - connectSeconds: how long each address of the host may take.
    ///   - statementSeconds: how long a statement may take before the server ends it.
    init(url: String, connectSeconds: Int = 10, statementSeconds: Int = 60) throws(PostgreSQLError) {
        let given = try Self.options(of: url)
        var settings = [("dbname", url), ("client_encoding", "UTF8")]
        let defaults = [
            ("application_name", "flotilla"), ("connect_timeout", "\(connectSeconds)"),
            ("options", "-c statement_timeout=\(statementSeconds)s"),
            // A peer that is gone without a word is noticed within a minute.
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"), ("tcp_user_timeout", "60000"),
        ]
        settings += defaults.filter { given[$0.0] == nil }
        let opened = Self.withCStrings(settings.map(\.0)) { names in
            Self.withCStrings(settings.map(\.1)) { values in PQconnectdbParams(names, values, 1) }
        }
        guard let opened else { throw PostgreSQLError(kind: .transient, detail: "no memory for a connection") }
        connection = opened
        password = given["password"]
        guard PQstatus(opened) == CONNECTION_OK else { throw lost() }
        // Notices go to standard error otherwise.
        _ = PQsetNoticeProcessor(opened, { _, _ in }, nil)
    }

    /// What a URL says, by libpq's names.
    private static func options(of url: String) throws(PostgreSQLError) -> [String: String] {
        // libpq's own words about a URL that it cannot read quote it, with its password.
        guard !url.utf8.contains(0), let options = PQconninfoParse(url, nil) else {
            throw PostgreSQLError(
                kind: .permanent, detail: "the ledger's URL cannot be read; write postgres://user@host/database, with %25 for a % in it")
        }
        defer { PQconninfoFree(options) }
        var found: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { found[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return found
    }

    /// A URL as it may be shown: user, host, port and database, and nothing else of it.
    static func displayed(url: String) throws(PostgreSQLError) -> String {
        let given = try options(of: url)
        let user = given["user"].map { $0 + "@" } ?? ""
        let port = given["port"].map { ":" + $0 } ?? ""
        return "postgres://\(user)\(given["host"] ?? given["hostaddr"] ?? "")\(port)/\(given["dbname"] ?? "")"
    }

    deinit { PQfinish(connection) }

    /// Whether the session still stands; a connection that is lost is opened anew, as what it had prepared is gone with it.
    var isOpen: Bool { PQstatus(connection) == CONNECTION_OK }

    /// Runs a script of one or several statements without parameters.
    func run(_ script: String) throws(PostgreSQLError) {
        _ = try check(PQexec(connection, script))
    }

    /// Runs a named statement; the server parses it once a session.
    @discardableResult
    func run(_ statement: PostgreSQLStatement, _ values: [SQLValue] = []) throws(PostgreSQLError) -> PostgreSQLRows {
        try prepare(statement)
        let result = Self.withParameters(values) { pointers, lengths, formats in
            PQexecPrepared(connection, statement.name, Int32(values.count), pointers, lengths, formats, 1)
        }
        return try check(result)
    }

    /// Runs `body` in a transaction, which is rolled back where it throws.
    func transaction<T>(_ body: (PostgreSQLConnection) throws(PostgreSQLError) -> T) throws(PostgreSQLError) -> T {
        try run("BEGIN")
        do throws(PostgreSQLError) {
            let value = try body(self)
            try run("COMMIT")
            return value
        } catch {
            // Where this fails as well, the connection is lost, and the server rolls back by itself.
            try? run("ROLLBACK")
            throw error
        }
    }

    /// Writes rows into a table in binary form.
    /// - Parameters:
    ///   - target: table and columns: trusted text, never from outside.
    ///   - types: those of the columns, as `pg_type` numbers them; empty where numbers are `bigint`.
    ///   - next: the next row; nil at the end.
    /// - Returns: how many rows were written.
    @discardableResult
    func copy(into target: String, types: [UInt32] = [], next: () -> [SQLValue]?) throws(PostgreSQLError) -> Int {
        let begun = PQexec(connection, "COPY \(target) FROM STDIN (FORMAT binary)")
        guard PQresultStatus(begun) == PGRES_COPY_IN else {
            _ = try check(begun)
            throw PostgreSQLError(kind: .permanent, detail: "the server did not begin to copy")
        }
        PQclear(begun)
        var data = PostgreSQLCopy()
        while let row = next() {
            data.append(row, types: types)
            if data.bytes.count >= 1 << 18 { try put(data.take()) }
        }
        data.end()
        try put(data.take())
        guard PQputCopyEnd(connection, nil) == 1 else { throw lost() }
        let result = PQgetResult(connection)
        while let further = PQgetResult(connection) { PQclear(further) }
        return try check(result).changes
    }

    private func put(_ bytes: [UInt8]) throws(PostgreSQLError) {
        let status = bytes.withUnsafeBytes { PQputCopyData(connection, $0.baseAddress, Int32(clamping: $0.count)) }
        guard status == 1 else { throw lost() }
    }

    func prepare(_ statement: PostgreSQLStatement) throws(PostgreSQLError) {
        guard !prepared.contains(statement.name) else { return }
        _ = try check(PQprepare(connection, statement.name, statement.sql, Int32(statement.types.count), statement.types))
        prepared.insert(statement.name)
    }

    func check(_ result: OpaquePointer?) throws(PostgreSQLError) -> PostgreSQLRows {
        guard let result else { throw lost() }
        let rows = PostgreSQLRows(result)
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK: return rows
        default: break
        }
        guard isOpen, let state = flotilla_pq_sqlstate(result) else { throw lost() }
        let constraint = flotilla_pq_constraint(result).map { " of \(String(cString: $0))" } ?? ""
        let message = flotilla_pq_message(result).map { String(cString: $0) } ?? "no reason was given"
        throw PostgreSQLError(sqlState: String(cString: state), detail: clean(message + constraint))
    }

    /// The connection's own error. While it opens, libpq tells no code: the server's words do.
    func lost() -> PostgreSQLError {
        let words = clean(String(cString: PQerrorMessage(connection)))
        let isDenied = words.contains("authentication failed") || words.contains("no password supplied") || words.contains("pg_hba.conf")
        let isAbsent = words.contains("database \"") && words.hasSuffix("does not exist")
        // libpq's words about a setting that it cannot use.
        let isUnusable = words.hasPrefix("invalid ")
        let kind: PostgreSQLError.Kind = isDenied ? .denied : isAbsent ? .absent : isUnusable ? .permanent : .transient
        return PostgreSQLError(kind: kind, detail: words)
    }

    /// One bounded line without the password.
    private func clean(_ words: String) -> String {
        var words = words.split(whereSeparator: \.isNewline).joined(separator: "; ")
        if let password, !password.isEmpty {
            words = words.split(separator: password, omittingEmptySubsequences: false).joined(separator: "…")
        }
        return String(words.prefix(400))
    }
}

/// A statement with the name under which a session prepares it: one name, one text.
struct PostgreSQLStatement: Sendable {
    var name: String
    var sql: String
    /// The types of its parameters, as `pg_type` numbers them; 0 is for the server to find out.
    var types: [UInt32] = []
}
