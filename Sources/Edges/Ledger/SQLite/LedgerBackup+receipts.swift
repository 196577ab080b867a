import GRDB

/// What providers told since a copy was made, beside what became of the recipients.
extension LedgerBackup {
    /// Takes over by which ids messages are found, and the receipts that are aside. What cannot be read is lost with that: receipts of
    /// those messages are put aside.
    static func mergeReceipts(into db: Database) {
        let columns =
            "key, webhook, provider, kind, word, provider_id, message_id, recipient, detail, is_machine, at, arrived, until, tried"
        let statements = [
            """
            INSERT OR IGNORE INTO main.message_reference (day, hash, mailing, batch, idx)
            SELECT day, hash, mailing, batch, idx FROM replaced.message_reference
            WHERE mailing IN (SELECT id FROM main.mailing)
            """,
            "INSERT OR IGNORE INTO main.receipt_unknown (\(columns)) SELECT \(columns) FROM replaced.receipt_unknown",
        ]
        for statement in statements {
            try? db.inTransaction {
                try db.execute(sql: statement)
                return .commit
            }
        }
    }
}
