package import Model

extension SQLLedger: ReportStore {
    package func progress(_ id: MailingID) async throws(LedgerError) -> MailingProgress? {
        try await read("reading counters") { db in try Self.progress(db, id) }
    }

    static func progress(_ db: any SQLTransaction, _ id: MailingID) throws -> MailingProgress? {
        let cursor = try db.rows(
            """
            SELECT state, planned_count, excluded_count, planning_done, started, finished,
                (SELECT count(*) FROM progress WHERE progress.mailing = mailing.id AND dispatched > 0)
            FROM mailing WHERE id = ?
            """, [id.description])
        guard let row = try cursor.next() else { return nil }
        return try MailingProgress(
            state: MailingState(rawValue: row.read(0)) ?? .failed, planned: row.read(1), excluded: row.read(2), planningDone: row.read(3),
            states: states(db, id), dispatched: row.read(6), started: row.read(4), finished: row.read(5))
    }

    static func states(_ db: any SQLTransaction, _ id: MailingID) throws -> [RecipientState: Int] {
        states(try pairs(db, "SELECT state, n FROM counter WHERE mailing = ?", id))
    }

    /// Counts by the states' names, as counts of all states.
    static func states(_ counts: [String: Int]) -> [RecipientState: Int] {
        Dictionary(uniqueKeysWithValues: RecipientState.allCases.map { ($0, counts[$0.name] ?? 0) })
    }

    static func pairs(_ db: any SQLTransaction, _ sql: String, _ id: MailingID) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        let cursor = try db.rows(sql, [id.description])
        while let row = try cursor.next() { try counts[row.read(0)] = row.read(1) as Int }
        return counts
    }

    package func report(_ id: MailingID, now: Int64) async throws(LedgerError) -> MailingReport? {
        try await read("making the report") { db in
            guard let record = try MailingRecord.one(db, id), let progress = try Self.progress(db, id) else {
                return nil
            }
            let classes = try Self.pairs(
                db, "SELECT class, sum(n) FROM \(db.countedFailures) WHERE mailing = ? AND n > 0 GROUP BY class", id)
            let failures = Dictionary(classes.map { (Self.reason($0)?.rawValue ?? "none", $1) }, uniquingKeysWith: +)
            let excluded = try Self.pairs(db, "SELECT reason, n FROM exclusion_count WHERE mailing = ?", id)
            let unverified = try db.one(Int.self, "SELECT unverified_count FROM mailing WHERE id = ?", [id.description])
            let seconds = record.started.map { Double((record.finished ?? now) - $0) / 1000 } ?? 0
            let sent = progress[.sent] + progress[.delivered]
            let (timeline, step) = try Self.timeline(db, id)
            return MailingReport(
                id: id, name: record.mailing.name, channel: record.mailing.channel, state: record.state,
                stateReason: record.stateReason, stuckReason: record.stuckReason, planned: record.plannedCount,
                excluded: Self.reasons(excluded),
                unverified: unverified ?? 0, pruned: record.pruned, states: progress.states,
                skipped: try Self.skipped(db, record, progress[.skipped]), failures: failures,
                responses: try Self.responses(
                    db, id, "SELECT class, code, text, n FROM \(db.countedFailures) WHERE mailing = ? AND n > 0"),
                deferrals: try Self.responses(
                    db, id,
                    """
                    SELECT class, code, text, count(*) AS n FROM recipient_error JOIN failure ON failure.id = recipient_error.failure
                    WHERE recipient_error.mailing = ? AND due > 0 GROUP BY failure.id
                    """),
                uncertain: try Self.uncertainCounts(db, record, held: progress[.uncertain]),
                rounds: try Self.rounds(db, record, totals: progress.states), events: try Self.events(db, id),
                brake: try Self.brakeFindings(db, "WHERE id = ?", [id.description])["\(id)"] ?? [],
                visits: try Self.eventReport(db, id), timeline: timeline, step: step,
                created: record.created,
                started: record.started, finished: record.finished, seconds: seconds,
                messagesPerSecond: seconds > 0 ? Double(sent) / seconds : 0,
                balances: progress.balances && excluded.values.reduce(0, +) == record.excludedCount
                    && failures.values.reduce(0, +) == progress[.failed] + progress[.expired])
        }
    }

    /// Counts by the reasons' names.
    /// Skipped recipients by reason. Those of a pruned mailing have no rows any more; there is one reason only.
    private static func skipped(
        _ db: any SQLTransaction, _ record: MailingRecord, _ count: Int
    ) throws -> [ExclusionReason: Int] {
        guard count > 0 else { return [:] }
        guard record.pruned == nil else { return [.suppressed: count] }
        return try reasons(pairs(db, "SELECT reason, count(*) FROM skipped WHERE mailing = ? GROUP BY reason", record.id))
    }

    private static func reasons(_ counts: [String: Int]) -> [ExclusionReason: Int] {
        Dictionary(
            ExclusionReason.allCases.compactMap { reason in counts[reason.rawValue].map { (reason, $0) } }, uniquingKeysWith: +)
    }

    /// The commonest responses of a query for class, code, text and n.
    static func responses(
        _ db: any SQLTransaction, _ id: MailingID, _ sql: String, limit: Int = 10
    ) throws -> [MailingReport.ResponseCount] {
        let cursor = try db.rows(sql + " ORDER BY n DESC, class, code, text LIMIT ?", [id.description, limit])
        var responses: [MailingReport.ResponseCount] = []
        while let row = try cursor.next() {
            try responses.append(
                MailingReport.ResponseCount(
                    reason: reason(row.read(0)), code: row.read(1), text: row.read(2), count: row.read(3)))
        }
        return responses
    }

    /// Nil for what no provider said.
    private static func reason(_ name: String) -> ResponseReason? { name == "none" ? nil : ResponseReason(name: name) }

    private static func events(_ db: any SQLTransaction, _ id: MailingID) throws -> [EventKind: MailingReport.EventCount] {
        var events: [EventKind: MailingReport.EventCount] = [:]
        let cursor = try db.rows("SELECT kind, n, recipients FROM event_counter WHERE mailing = ?", [id.description])
        while let row = try cursor.next() {
            guard let kind = try EventKind(rawValue: row.read(0)) else { continue }
            events[kind] = try MailingReport.EventCount(count: row.read(1), recipients: row.read(2))
        }
        return events
    }

    /// The timeline in stretches of so many seconds that there are at most some 200.
    private static func timeline(_ db: any SQLTransaction, _ id: MailingID) throws -> ([MailingReport.Moment], Int64) {
        let span = try db.row("SELECT min(second), max(second) FROM timeline WHERE mailing = ?", [id.description])
        guard let span, let first: Int64 = try span.read(0), let last: Int64 = try span.read(1) else { return ([], 1) }
        let needed = (last - first) / 200 + 1
        let step =
            [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400].first { $0 >= needed } ?? needed
        let cursor = try db.rows(
            """
            SELECT second / ?1 * ?1 AS start, sum(sent), sum(failed), sum(deferred) FROM timeline
            WHERE mailing = ?2 GROUP BY start ORDER BY start
            """, [step, id.description])
        var moments: [MailingReport.Moment] = []
        while let row = try cursor.next() {
            try moments.append(MailingReport.Moment(second: row.read(0), sent: row.read(1), failed: row.read(2), deferred: row.read(3)))
        }
        return (moments, step)
    }

    package func exclusions(_ id: MailingID, after row: Int, limit: Int) async throws(LedgerError) -> [Exclusion] {
        try await read("listing exclusions") { db in
            let cursor = try db.rows(
                """
                SELECT row, reason, id, address, detail FROM exclusion WHERE mailing = ? AND row > ?
                ORDER BY row LIMIT ?
                """, [id.description, row, limit])
            var exclusions: [Exclusion] = []
            while let row = try cursor.next() {
                try exclusions.append(
                    Exclusion(
                        row: row.read(0), reason: ExclusionReason(rawValue: row.read(1)) ?? .policy, id: row.read(2), address: row.read(3),
                        detail: row.read(4)))
            }
            return exclusions
        }
    }
}
