import Model

extension LedgerCheck {
    /// Finds rows of mailings, batches, recipients, responses, dead letters and uploads that there are not.
    mutating func findOrphans(_ db: any SQLTransaction) throws {
        // An upload comes before its mailing, and a dead letter may be of any ledger.
        let ofMailings = try db.tablesOfMailings().filter { !$0.hasPrefix("dead_letter") && !$0.hasPrefix("upload") }
        for table in ofMailings {
            // What is of no mailing says so.
            try expectNone(
                db, "\(table) whose mailing is not there",
                "SELECT count(*) FROM \"\(table)\" WHERE coalesce(mailing, '') <> '' AND mailing NOT IN (SELECT id FROM mailing)")
        }
        for (table, column, index) in Self.ofBatches {
            try expectNone(
                db, "\(table) whose batch or recipient is not there",
                """
                SELECT count(*) FROM \(table) t WHERE t.mailing IN (SELECT id FROM mailing) AND NOT EXISTS (
                    SELECT 1 FROM batch b WHERE b.mailing = t.mailing AND b.number = t.\(column) \(index))
                """)
        }
        for (what, sql) in Self.others { try expectNone(db, what, sql) }
    }

    private static let ofRecipients = "AND t.idx BETWEEN 0 AND b.count - 1"
    private static let ofBatches = [
        ("progress", "number", ""), ("fingerprint", "batch", ""), ("result", "batch", ""), ("recipient_error", "batch", ofRecipients),
        ("uncertain", "batch", ofRecipients), ("event", "batch", ofRecipients),
        ("event_group", "batch", "AND t.part >= 0 AND t.part * \(StoredEventGroup.size) < b.count"),
        ("skipped", "batch", ofRecipients), ("bounce", "batch", ofRecipients), ("retried", "batch", ofRecipients),
    ]
    private static let others = [
        (
            "recipient_error whose response is not there",
            """
            SELECT count(*) FROM recipient_error e
            WHERE NOT EXISTS (SELECT 1 FROM failure f WHERE f.id = e.failure AND f.mailing = e.mailing)
            """
        ),
        // Whether anybody is looked for there depends on the number alone.
        (
            "suppressions more or less than the list says",
            "SELECT abs((SELECT count(*) FROM suppression) - (SELECT entries FROM suppression_list))"
        ),
        (
            "dead_letter_field whose dead letter is not there",
            "SELECT count(*) FROM dead_letter_field WHERE letter NOT IN (SELECT id FROM dead_letter)"
        ),
        ("webhook_part whose subscription is not there", "SELECT count(*) FROM webhook_part WHERE webhook NOT IN (SELECT id FROM webhook)"),
        (
            "webhook_event above the highest number that was given",
            "SELECT count(*) FROM webhook_event WHERE sequence > (SELECT last FROM webhook_head)"
        ),
        ("upload_part whose upload is not there", "SELECT count(*) FROM upload_part WHERE mailing NOT IN (SELECT mailing FROM upload)"),
    ]

    private mutating func expectNone(_ db: any SQLTransaction, _ what: String, _ sql: String) throws {
        let count = try db.one(Int.self, sql) ?? 0
        if count > 0 { note(.orphans, "rows of \(what): \(count)") }
    }
}
