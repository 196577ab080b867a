import GRDB

extension LedgerBackup {
    /// Takes over the subscriptions and the outbox of the replaced ledger, which knows what was told since the copy was made. Where they
    /// cannot be read, those of the copy stay.
    static func mergeWebhooks(into db: Database) {
        try? db.inTransaction {
            for table in ["webhook", "webhook_part", "webhook_event", "webhook_head"] {
                try db.execute(sql: "DELETE FROM main.\(table)")
                try db.execute(sql: "INSERT INTO main.\(table) SELECT * FROM replaced.\(table)")
            }
            return .commit
        }
    }
}
