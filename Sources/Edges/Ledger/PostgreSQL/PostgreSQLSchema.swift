/// The ledger's tables in PostgreSQL. A migration that has left the house never changes but by a further one.
enum PostgreSQLSchema {
    struct Migration: Sendable {
        var name: String
        var sql: String
    }

    /// In their order.
    static let migrations = [
        Migration(
            name: "1 tables",
            sql: functions + mailings + batches + results + counters + suppressions + uploads + roles + PostgreSQLPartitions.first),
        Migration(name: "29 erasure", sql: erasure),
        Migration(name: "30 events", sql: events),
        Migration(name: "33 numbers", sql: numbers),
        Migration(name: "34 event groups", sql: eventGroups),
        Migration(name: "36 receipts", sql: receipts),
        Migration(name: "38 channels", sql: channels),
        Migration(name: "40 pruned addresses", sql: prunedAddresses),
        Migration(name: "41 webhooks", sql: webhooks),
        Migration(name: "42 suppression provider", sql: suppressionProvider),
        Migration(name: "43 soft bounces", sql: softBounces),
        Migration(name: "44 rounds", sql: rounds),
        Migration(name: "45 brake", sql: brake),
        Migration(name: "50 customers", sql: customers),
        Migration(name: "51 history", sql: history),
    ]

    /// Has the tables be those of this release.
    /// - Throws: `LedgerError`: `foreign`, `newer`; `PostgreSQLError`.
    static func migrate(_ connection: PostgreSQLConnection, path: String) throws {
        let known = try known(connection)
        if let known, try pending(known, path: path).isEmpty { return }
        if known == nil {
            try requireFree(connection, path: path)
            // Of those who open a new ledger at once all but one may fail here, and find it done.
            do { try connection.run(table) } catch {
                guard try count(marks, connection) > 0 else { throw error }
            }
        }
        try connection.run("BEGIN")
        do {
            try connection.run("LOCK TABLE flotilla_migration IN EXCLUSIVE MODE")
            for migration in try pending(Self.known(connection) ?? [], path: path) {
                try connection.run(migration.sql)
                try connection.run(note, [.text(migration.name)])
            }
            try connection.run("COMMIT")
        } catch {
            try? connection.run("ROLLBACK")
            throw error
        }
    }

    /// - Throws: `LedgerError.foreign` for a database with tables that are none of ours.
    static func requireFree(_ connection: PostgreSQLConnection, path: String) throws {
        guard try count(tables, connection) == 0 else { throw LedgerError.foreign(path: path) }
    }

    static func pending(_ known: [String], path: String) throws(LedgerError) -> [Migration] {
        let later = Set(known).subtracting(migrations.map(\.name))
        guard later.isEmpty else { throw .newer(path: path, found: later.sorted()) }
        return migrations.filter { !known.contains($0.name) }
    }

    /// The migrations that were made; nil in a database that is no ledger.
    static func known(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> [String]? {
        guard try count(marks, connection) > 0 else { return nil }
        let rows = try connection.run(names)
        var found: [String] = []
        for row in 0..<rows.count { found.append(try rows.text(row, 0) ?? "") }
        return found
    }

    private static func count(_ statement: PostgreSQLStatement, _ connection: PostgreSQLConnection) throws(PostgreSQLError) -> Int64 {
        try connection.run(statement).integer(0, 0) ?? 0
    }

    private static let table =
        "CREATE TABLE IF NOT EXISTS flotilla_migration (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
    private static let ours = "FROM pg_tables WHERE schemaname = current_schema()"
    private static let tables = PostgreSQLStatement(name: "tables", sql: "SELECT count(*) \(ours) AND tablename <> 'flotilla_migration'")
    private static let marks = PostgreSQLStatement(name: "marks", sql: "SELECT count(*) \(ours) AND tablename = 'flotilla_migration'")
    private static let names = PostgreSQLStatement(name: "migrations", sql: "SELECT name FROM flotilla_migration")
    private static let note = PostgreSQLStatement(name: "migrated", sql: "INSERT INTO flotilla_migration (name) VALUES ($1)", types: [25])
}
