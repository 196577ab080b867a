package import Model

extension SQLLedger: EventStore {
    package func write(
        events batches: [EventBatch], letters: [DeadLetter], _ rules: EventRules, countingAtMost: Int, now: Int64
    ) async throws(LedgerError) -> EventSummary {
        // Two collectors that write events of one recipient write them one after the other.
        try await write("events", .alone) { db in
            try Self.keep(letters, db)
            var writing = EventWriting(db, rules)
            try writing.add(batches, countingAtMost: countingAtMost, now: now)
            var summary = try writing.apply(now: now)
            summary.standing = try db.standing()
            return summary
        }
    }

    package func countEvents(
        of id: MailingID?, inSlicesOf least: Int, _ rules: EventRules, now: Int64
    ) async throws(LedgerError) -> EventSummary {
        try await write("count_events", .alone) { db in
            var writing = EventWriting(db, rules)
            try writing.countLogged(of: id, inSlicesOf: least)
            return try writing.apply(now: now)
        }
    }

    package func uncountedEvents() async throws(LedgerError) -> Int {
        try await read("counting events") { db in try EventLog(db).waiting() }
    }

    package func recountEvents(
        _ id: MailingID, after: EventPlace?, limit: Int, _ rules: EventRules, order: EventRecountOrder?
    ) async throws(LedgerError) -> EventRecount {
        try await write("recount_events", .alone) { db in
            var writing = EventWriting(db, rules)
            let part = try writing.recount(id, after: after, limit: limit)
            if let order, part.last == nil {
                var after = AuditedValues()
                after.visits = order.changed + part.changed
                try Self.note(db, order.note, on: .mailing(id), before: AuditedValues(), after: after, now: order.now)
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
        var pages = EventGroupPages(db, id, size: 500)
        while let page = try pages.next() {
            for row in page {
                for place in row.group.places { tally.change(from: [], to: try row.group.events(at: place)) }
            }
        }
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
