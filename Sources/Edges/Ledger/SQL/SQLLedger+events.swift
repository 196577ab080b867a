package import Model

extension SQLLedger: EventStore {
    package func write(
        events batches: [EventBatch], letters: [DeadLetter], _ rules: EventRules, now: Int64
    ) async throws(LedgerError) -> EventSummary {
        // Two collectors that write events of one recipient write them one after the other.
        try await write("events", .alone) { db in
            try Self.keep(letters, db)
            var writing = EventWriting(db, rules)
            try writing.add(batches, now: now)
            return try writing.apply(now: now)
        }
    }

    package func recountEvents(
        _ id: MailingID, after: EventPlace?, limit: Int, _ rules: EventRules
    ) async throws(LedgerError) -> EventRecount {
        try await write("recount_events", .alone) { db in
            let rows = try db.allRows(
                """
                SELECT batch, idx, data FROM event_recipient WHERE mailing = ? AND (batch, idx) > (?, ?)
                ORDER BY batch, idx LIMIT ?
                """, [id.description, after?.batch ?? -1, after?.index ?? -1, limit])
            var recipients: [(batch: BatchID, index: Int, events: [StoredEvent])] = []
            for row in rows {
                let batch = try BatchID(mailing: id, number: row.read(0))
                try recipients.append((batch, row.read(1), [StoredEvent](packed: row.read(2))))
            }
            var writing = EventWriting(db, rules)
            var part = EventRecount()
            part.changed = try writing.reclassify(recipients)
            part.recipients = recipients.count
            part.events = recipients.reduce(0) { $0 + $1.events.count }
            if recipients.count == limit, let last = recipients.last {
                part.last = EventPlace(batch: last.batch.number, index: last.index)
            }
            return part
        }
    }

    package func checkEvents(_ id: MailingID) async throws(LedgerError) -> [String] {
        try await read("counting events") { db in try Self.checkEvents(db, id) }
    }

    static func checkEvents(_ db: any SQLTransaction, _ id: MailingID) throws -> [String] {
        // Of a mailing whose recipients are not kept any more the counters are all that there is.
        guard try db.one(Bool.self, "SELECT pruned IS NULL FROM mailing WHERE id = ?", [id.description]) == true else { return [] }
        var tally = EventTally()
        let rows = try db.rows("SELECT data FROM event_recipient WHERE mailing = ?", [id.description])
        while let row = try rows.next() { tally.add(try [StoredEvent](packed: row.read(0)), 1) }
        var counted: [[Int]: EventTally.Count] = [:]
        let counters = try db.rows("SELECT class, action, link, n, recipients FROM event_count WHERE mailing = ?", [id.description])
        while let row = try counters.next() {
            let count = try EventTally.Count(events: row.read(3), recipients: row.read(4))
            let key: [Int] = try [row.read(0), row.read(1), row.read(2)]
            if count != EventTally.Count() { counted[key] = count }
        }
        var problems: [String] = []
        for (key, count) in tally.counts {
            let found = counted.removeValue(forKey: [key.visitor, key.action, key.link]) ?? EventTally.Count()
            guard found != count else { continue }
            problems.append(
                """
                the counter of events of class \(key.visitor), action \(key.action) and link \(key.link) says \(found.events) of \
                \(found.recipients) recipients, the events \(count.events) of \(count.recipients)
                """)
        }
        problems += counted.keys.map { "the counter of events of class \($0[0]), action \($0[1]) and link \($0[2]) counts none" }
        let inHours = try db.one(Int.self, "SELECT sum(n) FROM event_hour WHERE mailing = ?", [id.description]) ?? 0
        let all = tally.hours.values.reduce(0, +)
        if inHours != all { problems.append("the hours count \(inHours) events, the recipients have \(all)") }
        return problems.sorted()
    }
}
