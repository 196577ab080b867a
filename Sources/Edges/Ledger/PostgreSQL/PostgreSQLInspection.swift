import Logging
import Model

extension SQLLedger {
    /// Checks a whole ledger in PostgreSQL, while roles use it: its version, each mailing's counters against its rows, and rows that belong
    /// to no mailing. Nothing is changed, and an older ledger is not brought forward. Whether the server's files are whole is the server's
    /// to say (pg_amcheck).
    /// - Parameter say: gets words about each part before it is looked at.
    /// - Throws: `LedgerError`: `missing`, `unreachable`, `denied`, `refused`, `foreign`, `newer`.
    package static func inspect(_ address: PostgreSQLAddress, say: (String) -> Void = { _ in }) async throws(LedgerError)
        -> LedgerInspection
    {
        let options = PostgreSQLSession.Options()
        let pending = try LedgerError.mapping(postgreSQL: address.name, operation: "checking") {
            let connection = try PostgreSQLConnection(url: address.url, connectSeconds: options.connectSeconds)
            try connection.prepareSession()
            guard let known = try PostgreSQLSchema.known(connection) else {
                try PostgreSQLSchema.requireFree(connection, path: address.name)
                throw LedgerError.missing(path: address.name)
            }
            return try PostgreSQLSchema.pending(known, path: address.name)
        }
        let version = PostgreSQLSchema.migrations.count - pending.count
        var inspection = LedgerInspection(version: version)
        guard pending.isEmpty else {
            let needed = "this release needs version \(PostgreSQLSchema.migrations.count): flotilla ledger migrate"
            inspection.faults.append(.init(.version, "the ledger is of version \(version), and \(needed)"))
            return inspection
        }
        let ledger = SQLLedger(
            PostgreSQLEngine(url: address.url, name: address.name, sessions: 1, options: options, logger: Logger(label: "flotilla")))
        say("mailings")
        try await ledger.recountAll(&inspection)
        say("rows that belong to nothing")
        let orphans = try await ledger.orphans()
        inspection.faults += orphans.map { .init(.orphans, "rows of \($0.table) whose mailing is not there: \($0.count)") }
        try ledger.close()
        return inspection
    }

    private func recountAll(_ inspection: inout LedgerInspection) async throws(LedgerError) {
        inspection.faults += try await unreadableMailings(limit: .max).map { .init(.mailing, mailing: $0.id, "\($0.error)") }
        for record in try await mailings(states: nil, limit: .max) {
            inspection.mailings += 1
            inspection.recipients += record.plannedCount
            let problems = try await recount(record.id) + checkEvents(record.id)
            inspection.faults += problems.map { .init(.counts, mailing: record.id.description, $0) }
        }
    }

    private func orphans() async throws(LedgerError) -> [(table: String, count: Int)] {
        try await read("checking") { db in
            // A partition's rows are counted with its table's. An upload comes before its mailing.
            let tables = try db.all(
                String.self,
                """
                SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'mailing'
                WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                    AND c.relname NOT LIKE 'dead_letter%' AND c.relname NOT LIKE 'upload%' ORDER BY 1
                """)
            return try tables.compactMap { table throws -> (table: String, count: Int)? in
                let sql = "SELECT count(*) FROM \"\(table)\" WHERE mailing <> '' AND mailing NOT IN (SELECT id FROM mailing)"
                let count = try db.one(Int.self, sql) ?? 0
                return count > 0 ? (table, count) : nil
            }
        }
    }
}
