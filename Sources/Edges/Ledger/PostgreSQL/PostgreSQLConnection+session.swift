import CPQ
import Model

extension PostgreSQLConnection {
    static let oldestVersion = 150_000

    /// - Throws: for a server that lacks what the tables and statements need.
    static func check(version: Int) throws(LedgerError) {
        guard version < oldestVersion else { return }
        throw .refused("the ledger's PostgreSQL server has version \(version / 10_000), and 15 or later is needed: upgrade it")
    }

    /// Demands what the ledger relies on, and has the session see one schema alone: a schema of the user's name that is made later would
    /// come first in the usual `search_path`, and hide the tables.
    /// - Parameter schema: where the ledger is; nil for the first schema of the `search_path` that has one, or else the first.
    /// - Returns: the schema.
    @discardableResult
    func prepareSession(schema known: String? = nil) throws -> String {
        try Self.check(version: Int(PQserverVersion(connection)))
        let encoding = PQparameterStatus(connection, "server_encoding").map { String(cString: $0) } ?? ""
        guard encoding == "UTF8" else {
            throw LedgerError.refused(
                """
                the ledger's database has the encoding \(encoding), and UTF8 is needed: make one with CREATE DATABASE … ENCODING 'UTF8' \
                TEMPLATE template0
                """)
        }
        // A pooler in between takes no settings while a connection opens.
        // What Redis was told to forget must outlive a power failure, or people would get a message twice.
        try run(
            """
            SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
            SET bytea_output = 'hex';
            SET statement_timeout = '\(statementTime.milliseconds)ms'
            """)
        let found = try known ?? findSchema()
        try run("SET search_path = \"\(found.replacing("\"", with: "\"\""))\"")
        schema = found
        return found
    }

    private static let schemaStatement = PostgreSQLStatement(
        name: "schema",
        sql: """
            SELECT coalesce((SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.oid = to_regclass('flotilla_migration')), current_schema())::text, current_setting('search_path')
            """)

    private func findSchema() throws -> String {
        let row = try run(Self.schemaStatement)
        if let schema = try row.text(0, 0) { return schema }
        let path = try row.text(0, 1) ?? ""
        throw LedgerError.refused(
            """
            the ledger's database has none of the schemas that the user may use (search_path: \(path)). Make one (CREATE SCHEMA … \
            AUTHORIZATION "\(user)"), grant USAGE and CREATE on it, or correct the search_path in ledger.url
            """)
    }

    private static let transactionIDStatement = PostgreSQLStatement(
        name: "transaction_id", sql: "SELECT pg_current_xact_id_if_assigned()::text")
    private static let transactionStatusStatement = PostgreSQLStatement(
        name: "transaction_status", sql: "SELECT pg_xact_status($1::text::xid8)", types: [25])

    private static let tokenStatement = PostgreSQLStatement(
        name: "token", sql: "SELECT count(*) FROM writer WHERE token = $1::text::bigint", types: [25])

    /// Whether a transaction with that token was committed.
    func isThere(token: Int64) throws(PostgreSQLError) -> Bool {
        try run(Self.tokenStatement, [.text(String(token))]).integer(0, 0) ?? 0 > 0
    }

    /// The number by which it is asked later whether the transaction is still in progress; nil for one that wrote nothing.
    func transactionID() throws(PostgreSQLError) -> String? {
        try run(Self.transactionIDStatement).text(0, 0)
    }

    /// `committed`, `aborted` or `in progress`; nil where the server knows no more. After a crash the number may be another transaction's.
    func status(ofTransaction id: String) throws(PostgreSQLError) -> String? {
        do throws(PostgreSQLError) {
            return try run(Self.transactionStatusStatement, [.text(id)]).text(0, 0)
        } catch {
            // One that lies in the future: another server has taken the place of the one before.
            guard error.sqlState == "22023" else { throw error }
            return nil
        }
    }
}
