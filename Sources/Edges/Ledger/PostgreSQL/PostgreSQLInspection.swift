extension SQLLedger {
    /// Checks a whole ledger in PostgreSQL, while roles use it: its version, and what its tables hold (`LedgerCheck`). Nothing is changed,
    /// and an older ledger is not brought forward. Whether the server's files are whole is the server's to say (pg_amcheck).
    /// - Parameter say: gets words about each part before it is looked at, and about how far it has come.
    /// - Throws: `LedgerError`: `missing`, `unreachable`, `denied`, `refused`, `foreign`, `newer`.
    package static func inspect(
        _ address: PostgreSQLAddress, say: @escaping (String) -> Void = { _ in }
    ) throws(LedgerError) -> LedgerInspection {
        try LedgerError.mapping(postgreSQL: address.name, operation: "checking") {
            // Whole tables are read, which may take longer than any statement of a role.
            let (connection, _) = try connect(address, statementTime: .zero)
            guard let known = try PostgreSQLSchema.known(connection) else {
                try PostgreSQLSchema.requireFree(connection, path: address.name)
                throw LedgerError.missing(path: address.name)
            }
            let pending = try PostgreSQLSchema.pending(known, path: address.name)
            let version = PostgreSQLSchema.migrations.count - pending.count
            var check = LedgerCheck(version: version, say: say) { look in
                try connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                // Where this fails the connection is lost, and the next statement says so.
                defer { try? connection.run("ROLLBACK") }
                try look(PostgreSQLTransaction(connection, isReading: true))
            } judge: { error in
                switch error {
                case let damage as SQLDamage: return (.file, damage.text)
                case let error as PostgreSQLError where error.kind == .corrupt: return (.file, "\(error)")
                // A table or a column is missing, or is of another kind.
                case let error as PostgreSQLError where error.kind == .permanent: return (.schema, "\(error)")
                default: return nil
                }
            }
            guard pending.isEmpty else {
                let needed = "this release needs version \(PostgreSQLSchema.migrations.count): flotilla ledger migrate"
                check.note(.version, "the ledger is of version \(version), and \(needed)")
                return check.inspection
            }
            check.progress.begin("tables")
            if let expected = try expectedParts(connection) {
                try check.look(at: "tables") { _, check in check.compare(try parts(connection), with: expected) }
            }
            try check.run()
            return check.inspection
        }
    }

    /// What this release makes, in a schema that no one else sees and that goes with the transaction.
    /// - Returns: nil where we may make none: a standby, or a role with few rights.
    private static func expectedParts(_ connection: PostgreSQLConnection) throws -> [String: [String]]? {
        try connection.run("BEGIN")
        defer { try? connection.run("ROLLBACK") }
        do throws(PostgreSQLError) {
            try connection.run("CREATE SCHEMA flotilla_expected; SET LOCAL search_path = flotilla_expected")
        } catch {
            // The name is taken, the right is missing, or nothing may be written.
            guard ["42P06", "42501", "25006"].contains(error.sqlState) else { throw error }
            return nil
        }
        for migration in PostgreSQLSchema.migrations { try connection.run(migration.sql) }
        return try parts(connection)
    }

    private static let partsStatement = PostgreSQLStatement(
        name: "parts",
        sql: """
            SELECT CASE WHEN c.relkind IN ('r', 'p') THEN 'table ' WHEN c.relkind = 'v' THEN 'view ' ELSE 'index ' END || c.relname,
                a.attname::text
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
                AND NOT c.relispartition AND c.relkind IN ('r', 'p', 'v', 'i', 'I')
            ORDER BY 1, a.attnum
            """)

    /// The columns of each table, view and index, by its kind and name, but for partitions.
    private static func parts(_ connection: PostgreSQLConnection) throws -> [String: [String]] {
        let rows = try connection.run(partsStatement)
        var parts: [String: [String]] = [:]
        for row in 0..<rows.count { parts[try rows.text(row, 0) ?? "", default: []].append(try rows.text(row, 1) ?? "") }
        return parts
    }
}
