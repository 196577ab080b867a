import CPQ

/// A connection to PostgreSQL, with calls that wait for the answer, and no longer than `answerTimeout`. It is not `Sendable`: whoever opens
/// it keeps it to one thread or actor.
final class PostgreSQLConnection {
    let connection: OpaquePointer
    private let redaction: PasswordRedaction
    /// The schema that the session sees; empty until it is prepared.
    var schema = ""
    /// How long an answer may take. The server ends a statement before; one that is stopped, or gone without a word, ends nothing.
    let answerTimeout: Duration
    /// How long a statement may take before the server ends it.
    let statementTime: Duration
    /// An answer did not come in time: what comes later belongs to nothing.
    var isSilent = false
    /// The other side has ended the session: libpq sees that only when it reads on.
    private var hasEnded = false
    /// The statements that this session has prepared.
    private var prepared: Set<String> = []
    /// The ledger has noted on which server it stands.
    var isStandingNoted = false
    /// That server; nil where it was not asked for, or cannot be told.
    var standing: String?
    /// The prepared forms of the ledger's statements.
    var statements: [StatementKey: PostgreSQLStatement] = [:]
    /// The row of each counter that this session adds to, so that sessions do not wait for one another.
    let slot = Int.random(in: 0..<4096)

    /// - Parameters:
    ///   - url: `postgres://user@host/database?sslmode=verify-full&sslrootcert=…`; what libpq takes.
    ///   - connectTime: how long each address of the host may take, in whole seconds.
    ///   - statementTime: how long a statement may take before the server ends it, once the session is prepared; zero for no
    ///     end.
    init(url: String, connectTime: Duration = .seconds(10), statementTime: Duration = .seconds(60)) throws(PostgreSQLError) {
        let given = try PostgreSQLURL.options(of: url)
        answerTimeout = statementTime == .zero ? .seconds(Int32.max) : statementTime + min(.seconds(5), statementTime)
        self.statementTime = statementTime
        var settings = [("dbname", url), ("client_encoding", "UTF8")]
        let defaults = [
            ("application_name", "flotilla"), ("connect_timeout", "\(connectTime.components.seconds)"),
            // A peer that is gone without a word is noticed within a minute.
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"), ("tcp_user_timeout", "60000"),
        ]
        settings += defaults.filter { given[$0.0] == nil }
        let opened = Self.withCStrings(settings.map(\.0)) { names in
            Self.withCStrings(settings.map(\.1)) { values in PQconnectdbParams(names, values, 1) }
        }
        guard let opened else { throw PostgreSQLError(kind: .transient, detail: "no memory for a connection") }
        connection = opened
        redaction = PasswordRedaction([given["password"], given["sslpassword"]])
        guard PQstatus(opened) == CONNECTION_OK else { throw lost() }
        _ = PQsetnonblocking(opened, 1)
        // Notices go to standard error otherwise.
        _ = PQsetNoticeProcessor(opened, { _, _ in }, nil)
    }

    deinit { PQfinish(connection) }

    /// Whether the session still stands; a connection that is lost is opened anew, as what it had prepared is gone with it.
    var isOpen: Bool { PQstatus(connection) == CONNECTION_OK && !isSilent && !hasEnded }

    /// Runs a script of one or several statements without parameters.
    func run(_ script: String) throws(PostgreSQLError) {
        _ = try check(answer(PQsendQuery(connection, script)))
    }

    /// Runs a named statement; the server parses it once a session.
    @discardableResult
    func run(_ statement: PostgreSQLStatement, _ values: [SQLValue] = []) throws(PostgreSQLError) -> PostgreSQLRows {
        try prepare(statement)
        let status = Self.withParameters(values) { pointers, lengths, formats in
            PQsendQueryPrepared(connection, statement.name, Int32(values.count), pointers, lengths, formats, 1)
        }
        return try check(answer(status))
    }

    /// Writes rows into a table in binary form.
    /// - Parameters:
    ///   - target: table and columns: trusted text, never from outside.
    ///   - types: those of the columns, as `pg_type` numbers them; empty where numbers are `bigint`.
    ///   - next: the next row; nil at the end.
    /// - Returns: how many rows were written.
    @discardableResult
    func copy(into target: String, types: [UInt32] = [], next: () -> [SQLValue]?) throws(PostgreSQLError) -> Int {
        let begun = try answer(PQsendQuery(connection, "COPY \(target) FROM STDIN (FORMAT binary)"))
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
        return try check(answer(PQputCopyEnd(connection, nil))).changes
    }

    private func put(_ bytes: [UInt8]) throws(PostgreSQLError) {
        let status = bytes.withUnsafeBytes { PQputCopyData(connection, $0.baseAddress, Int32(clamping: $0.count)) }
        guard status == 1 else { throw lost() }
        try waitUntilSent()
    }

    func prepare(_ statement: PostgreSQLStatement) throws(PostgreSQLError) {
        guard !prepared.contains(statement.name) else { return }
        _ = try check(answer(PQsendPrepare(connection, statement.name, statement.sql, Int32(statement.types.count), statement.types)))
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
        hasEnded = flotilla_pq_severity(result).map { Self.isLast(String(cString: $0)) } ?? false
        var error = PostgreSQLError(sqlState: String(cString: state), detail: clean(message + constraint), isLast: hasEnded)
        (error.user, error.schema) = (user, schema)
        if error.sqlState == "25006", isReadOnlyByDefault { error.kind = .denied }
        throw error
    }

    /// Whether an error of this severity ends the session: what became of a commit is not known then. Poolers write the same words.
    private static func isLast(_ severity: String) -> Bool { ["FATAL", "PANIC"].contains(severity) }

    /// Under whose name we are.
    var user: String { PQuser(connection).map { String(cString: $0) } ?? "" }

    /// The server writes, and this role or database does not. A standby may become one that does.
    private var isReadOnlyByDefault: Bool { isOn("default_transaction_read_only") && !isOn("in_hot_standby") }

    private func isOn(_ parameter: String) -> Bool {
        PQparameterStatus(connection, parameter).map { String(cString: $0) == "on" } ?? false
    }

    /// The connection's own error. While it opens, libpq tells no code: the server's words do.
    func lost() -> PostgreSQLError {
        let words = Self.line(String(cString: PQerrorMessage(connection)))
        var error = PostgreSQLError(kind: PostgreSQLError.kind(ofWords: words), detail: clean(words))
        (error.user, error.schema) = (user, schema)
        return error
    }

    /// One bounded line without a password.
    private func clean(_ words: String) -> String { String(redaction.redact(Self.line(words)).prefix(400)) }

    /// libpq indents a second line by a tab.
    static func line(_ words: String) -> String {
        words.split(whereSeparator: \.isNewline).map { line in
            line.split { $0.isWhitespace || $0.unicodeScalars.allSatisfy { $0.value < 0x20 } }.joined(separator: " ")
        }.filter { !$0.isEmpty }.joined(separator: "; ")
    }
}

/// A statement with the name under which a session prepares it: one name, one text.
struct PostgreSQLStatement: Sendable {
    var name: String
    var sql: String
    /// The types of its parameters, as `pg_type` numbers them; 0 is for the server to find out.
    var types: [UInt32] = []
}
