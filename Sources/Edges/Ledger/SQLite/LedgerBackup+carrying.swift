import GRDB

extension LedgerBackup {
    /// Takes the mailings that a copy lacks from the ledger whose place it takes: what was sent since the copy was made stays known, and is
    /// not sent again.
    /// - Parameters:
    ///   - path: the ledger of before.
    ///   - db: the copy, outside of a transaction.
    /// - Returns: how many were taken; nil where that ledger cannot be read as a whole, is another one or of another release.
    static func carryMailings(from path: String, into db: Database) -> Int? {
        do {
            try db.execute(sql: "ATTACH ? AS replaced", arguments: [path])
            defer { try? db.execute(sql: "DETACH replaced") }
            guard try isSame(db) else { return nil }
            var count: Int?
            try db.inTransaction {
                count = try carryMailings(db)
                try carrySuppressions(db)
                return .commit
            }
            return count
        } catch {
            // A damaged ledger is what copies are for.
            return nil
        }
    }

    private static func isSame(_ db: Database) throws -> Bool {
        let differing = """
            SELECT (SELECT group_concat(identifier) FROM (SELECT identifier FROM main.grdb_migrations ORDER BY 1))
                    IS NOT (SELECT group_concat(identifier) FROM (SELECT identifier FROM replaced.grdb_migrations ORDER BY 1))
                OR (SELECT identity FROM main.ledger) IS NOT (SELECT identity FROM replaced.ledger)
            """
        return try Bool.fetchOne(db, sql: differing) == false
    }

    /// Takes the list of the suppressed where it is the newer one: who has unsubscribed since the copy was made stays so.
    private static func carrySuppressions(_ db: Database) throws {
        let isNewer = "SELECT (SELECT revision FROM replaced.suppression_list) > (SELECT revision FROM main.suppression_list)"
        if try Bool.fetchOne(db, sql: isNewer) == true {
            for table in ["suppression", "suppression_list"] {
                let columns = try db.columns(in: table).map(\.name).joined(separator: ", ")
                try db.execute(
                    sql: "DELETE FROM main.\(table); INSERT INTO main.\(table) (\(columns)) SELECT \(columns) FROM replaced.\(table)")
            }
        }
        try db.execute(sql: "INSERT OR IGNORE INTO main.category (name, created) SELECT name, created FROM replaced.category")
    }

    private static func carryMailings(_ db: Database) throws -> Int {
        try db.execute(
            sql: "CREATE TEMP TABLE carried AS SELECT id FROM replaced.mailing WHERE id NOT IN (SELECT id FROM main.mailing)")
        let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM carried") ?? 0
        // The numbers of different answers are of one ledger only.
        let shift = try Int.fetchOne(db, sql: "SELECT coalesce(max(id), 0) FROM main.failure") ?? 0
        for table in try tables(db) {
            let columns = try db.columns(in: table).map { "\"\($0.name)\"" }
            let values = columns.map { column in
                column == "\"failure\"" || (table == "failure" && column == "\"id\"") ? "\(column) + \(shift)" : column
            }
            try db.execute(
                sql: """
                    INSERT INTO main."\(table)" (\(columns.joined(separator: ", "))) SELECT \(values.joined(separator: ", "))
                    FROM replaced."\(table)" WHERE "\(table == "mailing" ? "id" : "mailing")" IN (SELECT id FROM carried)
                    """)
        }
        // That ledger knew all of them but what was in flight.
        try db.execute(
            sql: """
                UPDATE main.mailing SET restored = EXISTS (SELECT 1 FROM main.progress WHERE mailing = mailing.id AND dispatched > 0)
                WHERE id IN (SELECT id FROM carried)
                """)
        try db.execute(sql: "DROP TABLE carried")
        return count
    }

    /// The mailings' own table and all that hold something of a mailing. Dead letters are of the Redis, and stay with the ledger of before.
    private static func tables(_ db: Database) throws -> [String] {
        try String.fetchAll(
            db,
            sql: """
                SELECT DISTINCT t.name FROM main.sqlite_schema t JOIN pragma_table_info(t.name) c
                WHERE t.type = 'table' AND t.name NOT LIKE 'dead_letter%' AND (t.name = 'mailing' OR c.name = 'mailing') ORDER BY 1
                """)
    }
}
