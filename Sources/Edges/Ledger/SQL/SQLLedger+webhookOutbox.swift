import Model

extension SQLLedger {
    /// Rows that are pruned in one transaction.
    private static let prunedRows = 500

    package func activeWebhook(_ id: String) async throws(LedgerError) -> (subscription: WebhookSubscription, parts: [WebhookPart])? {
        try await read("reading webhooks") { db in
            let row = try db.row("SELECT \(WebhookRow.columns) FROM webhook WHERE id = ?", [id])
            guard let one = try row.map(WebhookRow.read), one.state == .active else { return nil }
            let rows = try db.allRows(
                "SELECT part, sequence, item, attempts, since, due FROM webhook_part WHERE webhook = ? ORDER BY part", [id])
            let end = try WebhookRow.last(db) + 1
            let parts = try rows.map { row in
                var part = try WebhookPart(number: row.read(0), place: WebhookPlace(row.read(1), row.read(2)))
                if part.place.sequence > end { part.place = WebhookPlace(end) }
                (part.attempts, part.since, part.due) = try (row.read(3), row.read(4), row.read(5))
                return part
            }
            guard parts.map(\.number) == Array(0..<one.parts) else {
                throw SQLDamage("the parts of the subscription \(id) are not those that it has")
            }
            return (one, parts)
        }
    }

    package func webhookPage(_ subscription: WebhookSubscription, from sequence: Int64) async throws(LedgerError) -> WebhookPage {
        try await read("reading the outbox of webhooks") { db in
            let head = try db.row(
                "SELECT last, pruned, (SELECT revision FROM webhook WHERE id = ? AND state = 'active') FROM webhook_head",
                [subscription.id])
            guard let head else { throw SQLDamage("the table webhook_head has no row") }
            let last: Int64 = try head.read(0)
            var reading = try WebhookReading(db, subscription, from: sequence, last: last, pruned: head.read(1))
            let revision: Int64? = try head.read(2)
            reading.page.isCurrent = revision == subscription.revision && sequence <= last + 1
            return try reading.run()
        }
    }

    package func storeWebhook(_ progress: WebhookProgress, fencingToken: Int64) async throws(LedgerError) -> Bool {
        try await write("webhook_progress", .sideBySide) { db in
            let held = try db.one(
                Int64.self, "SELECT fencing_token FROM leadership WHERE name = ? AND holder <> ''\(db.sharing)", [Leadership.webhooks])
            guard held == fencingToken else { return false }
            // In an older copy of the ledger, what happens next gets numbers that others had before.
            if let place = progress.parts.map(\.place.sequence).max(), try place > WebhookRow.last(db) + 1 { return false }
            try db.run(
                """
                UPDATE webhook SET last_success = ?, first_failure = ?, problem = ?
                WHERE id = ? AND revision = ? AND state = 'active'
                """, [progress.lastSuccess, progress.firstFailure, progress.problem, progress.id, progress.revision])
            guard db.changes == 1 else { return false }
            try db.runAll(
                "UPDATE webhook_part SET sequence = ?, item = ?, attempts = ?, since = ?, due = ? WHERE webhook = ? AND part = ?",
                progress.parts.map { [$0.place.sequence, $0.place.item, $0.attempts, $0.since, $0.due, progress.id, $0.number] })
            return true
        }
    }

    package func pruneWebhookEvents(keep: Int64, longest: Int64) async throws(LedgerError) -> Int {
        let oldest = try await read("looking at the outbox of webhooks") { db in
            try db.one(Int64.self, "SELECT at FROM webhook_event ORDER BY sequence LIMIT 1")
        }
        guard let oldest, oldest < max(keep, longest) else { return 0 }
        return try await write("prune_webhooks") { db in
            let told = try db.one(
                Int64.self,
                "SELECT min(p.sequence) FROM webhook_part p JOIN webhook w ON w.id = p.webhook WHERE w.state = 'active'")
            let rows = try db.allRows("SELECT sequence, at FROM webhook_event ORDER BY sequence LIMIT ?", [Self.prunedRows])
            // Rows are removed in their order: what is left is whole from its first row on.
            var end: Int64?
            for row in rows {
                let (sequence, at): (Int64, Int64) = try (row.read(0), row.read(1))
                guard at < longest || (at < keep && sequence < told ?? .max) else { break }
                end = sequence
            }
            guard let end else { return 0 }
            try db.run("DELETE FROM webhook_event WHERE sequence <= ?", [end])
            let removed = db.changes
            try db.run("UPDATE webhook_head SET pruned = ? WHERE pruned < ?", [end, end])
            return removed
        }
    }
}

/// The reading of a page of the outbox for one subscription.
private struct WebhookReading {
    /// Events of a page at most, about, and rows.
    private static let events = 2000
    private static let rows = 100

    private struct Batch {
        var channel: String?
        var recipients: Recipients
    }

    let db: any SQLTransaction
    let subscription: WebhookSubscription
    let sequence: Int64
    let last: Int64
    var page: WebhookPage
    private var batches: [BatchID: Batch] = [:]

    init(_ db: any SQLTransaction, _ subscription: WebhookSubscription, from sequence: Int64, last: Int64, pruned: Int64) {
        (self.db, self.subscription, self.sequence, self.last) = (db, subscription, sequence, last)
        page = WebhookPage(next: last + 1, pruned: pruned)
    }

    mutating func run() throws -> WebhookPage {
        let rows = try db.allRows(
            """
            SELECT e.sequence, e.at, e.mailing, e.data, m.name, m.number, m.channel
            FROM webhook_event e LEFT JOIN mailing m ON m.id = e.mailing
            WHERE e.sequence >= ? AND (e.types & ?) <> 0 ORDER BY e.sequence LIMIT ?
            """, [sequence, subscription.types.mask, Self.rows])
        for row in rows {
            let sequence: Int64 = try row.read(0)
            guard page.messages.count < Self.events else {
                (page.next, page.isLast) = (sequence, false)
                return page
            }
            try take(row, sequence)
        }
        if rows.count == Self.rows, let end = try rows.last.map({ try $0.read(0) as Int64 }) { (page.next, page.isLast) = (end + 1, false) }
        // The outbox of an older copy of the ledger may end before it.
        page.next = max(page.next, sequence)
        return page
    }

    private mutating func take(_ row: any SQLRow, _ sequence: Int64) throws {
        let at: Int64 = try row.read(1)
        if sequence < subscription.replayEnd, let until = subscription.replayUntil, at > until { return }
        guard let mailing = try MailingID(row.read(2) as String) else {
            page.damaged.append("row \(sequence) of webhook_event is of no mailing")
            return
        }
        let data: [UInt8] = try row.read(3)
        let events: [WebhookEvent?]
        do throws(WireError) { events = try [WebhookEvent].read(data) } catch {
            let why = "row \(sequence) of webhook_event cannot be read: \(error)"
            // A later release can read it: this one has to wait for it.
            guard !error.isNewer else { throw SQLDamage(why) }
            page.damaged.append(why)
            return
        }
        let (name, number, channel): (String?, Int?, String?) = try (row.read(4), row.read(5), row.read(6))
        for (item, event) in events.enumerated() {
            guard let event, subscription.types.contains(event.type) else { continue }
            var message = WebhookMessage(
                place: WebhookPlace(sequence, item), event: event, mailing: mailing, name: name ?? "", number: number,
                channel: channel ?? "")
            if !event.type.isOfMailing, let batch = try batch(BatchID(mailing: mailing, number: event.batch)) {
                if let own = batch.channel { message.channel = own }
                if event.index < batch.recipients.count {
                    message.recipient = batch.recipients[event.index, 0]
                    if subscription.addresses { message.address = batch.recipients[event.index, 1] }
                }
            }
            page.messages.append(message)
        }
    }

    private mutating func batch(_ id: BatchID) throws -> Batch? {
        if let known = batches[id] { return known }
        let row = try db.row("SELECT recipients, channel FROM batch WHERE mailing = ? AND number = ?", [id.mailing.description, id.number])
        guard let row, let recipients = try? Recipients(decodingAddresses: row.read(0)) else { return nil }
        // Rows are of a few batches: those before are not needed any more.
        if batches.count >= 32 { batches.removeAll() }
        let batch = Batch(channel: try row.read(1), recipients: recipients)
        batches[id] = batch
        return batch
    }
}
