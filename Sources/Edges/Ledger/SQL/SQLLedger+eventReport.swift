package import Model
import Policy

extension SQLLedger {
    package func eventReport(_ id: MailingID) async throws(LedgerError) -> EventReport? {
        try await read("reporting events") { db in try Self.eventReport(db, id) }
    }

    /// Links that a report lists at most.
    private static let links = 1000

    static func eventReport(_ db: any SQLTransaction, _ id: MailingID) throws -> EventReport? {
        var report = EventReport()
        let actions = try db.rows(
            "SELECT class, action, n, recipients FROM event_count WHERE mailing = ? AND link = -1 AND n > 0", [id.description])
        while let row = try actions.next() {
            guard let action = TrackedAction(rawValue: try number(row, 1)) else { continue }
            let count = try EventReport.Count(total: row.read(2), unique: row.read(3))
            report.actions[action, default: EventReport.Counts()].take(try number(row, 0), count)
        }
        report.waiting = try EventLog(db).waiting(of: id)
        guard !report.actions.isEmpty || report.waiting > 0 else { return nil }
        report.rules = try db.all(String.self, "SELECT version FROM event_rules WHERE mailing = ? ORDER BY version", [id.description])
        report.links = try links(db, id)
        (report.timeline, report.hours) = try timeline(db, id)
        return report
    }

    private static func number(_ row: any SQLRow, _ column: Int) throws -> UInt8 { try UInt8(clamping: row.read(column) as Int) }

    private static func links(_ db: any SQLTransaction, _ id: MailingID) throws -> [EventReport.Link] {
        var links: [Int: EventReport.Counts] = [:]
        let rows = try db.rows(
            """
            SELECT class, link, n, recipients FROM event_count WHERE mailing = ?1 AND action = ?2 AND link IN (
                SELECT link FROM event_count WHERE mailing = ?1 AND action = ?2 AND class = 0 AND link >= 0
                ORDER BY recipients DESC, link LIMIT ?3)
            """, [id.description, Int(TrackedAction.click.rawValue), Self.links])
        while let row = try rows.next() {
            let count = try EventReport.Count(total: row.read(2), unique: row.read(3))
            try links[row.read(1), default: EventReport.Counts()].take(number(row, 0), count)
        }
        // Numbers without their targets are better than none.
        let targets = links.isEmpty ? [] : (try? MailingRecord.one(db, id)?.mailing.tracking?.targets) ?? []
        let all = links.filter { $0.value.all.total > 0 }.map {
            EventReport.Link(number: $0.key, target: targets.indices.contains($0.key) ? targets[$0.key] : "", counts: $0.value)
        }
        return all.sorted { ($1.counts[.human].unique, $0.number) < ($0.counts[.human].unique, $1.number) }
    }

    /// The events by stretches of so many hours that there are at most some 200.
    private static func timeline(_ db: any SQLTransaction, _ id: MailingID) throws -> ([EventReport.Moment], Int64) {
        let span = try db.row("SELECT min(hour), max(hour) FROM event_hour WHERE mailing = ? AND n > 0", [id.description])
        guard let span, let first: Int64 = try span.read(0), let last: Int64 = try span.read(1) else { return ([], 1) }
        let needed = (last - first) / 200 + 1
        let step = [1, 2, 3, 6, 12, 24, 48, 168].first { $0 >= needed } ?? needed
        let rows = try db.rows(
            """
            SELECT hour / ?1 * ?1 AS start, class, action, sum(n) FROM event_hour
            WHERE mailing = ?2 AND n > 0 GROUP BY start, class, action ORDER BY start
            """, [step, id.description])
        var moments: [EventReport.Moment] = []
        while let row = try rows.next() {
            let start = try (row.read(0) as Int64) * 3_600_000
            guard let visitor = VisitorClass(rawValue: try number(row, 1)), let action = TrackedAction(rawValue: try number(row, 2)) else {
                continue
            }
            if moments.last?.start != start { moments.append(EventReport.Moment(start: start, events: [:])) }
            moments[moments.count - 1].events[action, default: [:]][visitor] = try row.read(3)
        }
        return (moments, step)
    }

    /// What visitors did with the message of one recipient, by time.
    static func visits(_ db: any SQLTransaction, _ batch: BatchID, _ index: Int) throws -> [EventDetail] {
        let events = try StoredEventGroup.events(db, batch, index)
        guard !events.isEmpty else { return [] }
        var clients = EventClients(db)
        try clients.load(Set(events.map(\.client)))
        return events.map { event in
            let client = clients[event.client]
            return EventDetail(
                action: event.action, method: event.method, visitor: event.visitor, at: event.time,
                link: event.action == .click ? Int(event.link) : nil, agent: client.agent, network: client.network, address: event.address)
        }
    }
}

extension EventReport.Counts {
    /// - Parameter visitor: a `VisitorClass`; 0 for all.
    fileprivate mutating func take(_ visitor: UInt8, _ count: EventReport.Count) {
        if visitor == 0 { all = count } else if let visitor = VisitorClass(rawValue: visitor) { classes[visitor] = count }
    }
}
