package import Model

extension SQLLedger {
    package func statuses(states: Set<MailingState>?, limit: Int) async throws(LedgerError) -> [MailingStatus] {
        try await read("reading where mailings stand") { db in try Self.statuses(db, MailingRecord.newest(of: states), [limit]) }
    }

    package func status(_ id: MailingID) async throws(LedgerError) -> MailingStatus? {
        try await read("reading where a mailing stands") { db in try Self.statuses(db, "WHERE id = ?", [id.description]).first }
    }

    package func watched() async throws(LedgerError) -> [WatchedMailing] {
        try await read("watching mailings") { db in
            let condition = "\(db.indexed("mailing_work")) WHERE \(Self.inWork) AND state = 'sending'"
            let counts = try Self.counts(db, condition, [])
            let rows = try db.rows(
                """
                SELECT id, channel, provider, stuck_since IS NOT NULL, planned_count, excluded_count, planning_done, started,
                    \(Self.ownBatches)
                FROM mailing\(condition)
                """)
            var watched: [WatchedMailing] = []
            while let row = try rows.next() {
                let name: String = try row.read(0)
                guard let id = MailingID(name), let channel = try Channel(rawValue: row.read(1)) else { continue }
                let progress = try MailingProgress(
                    state: .sending, planned: row.read(4), excluded: row.read(5), planningDone: row.read(6),
                    states: Self.states(counts[name] ?? [:]), dispatched: row.read(8), started: row.read(7), finished: nil)
                var one = try WatchedMailing(id: id, channel: channel, provider: row.read(2), progress: progress, next: row.read(9))
                one.isStuck = try row.read(3)
                watched.append(one)
            }
            return watched
        }
    }

    /// The statuses of the mailings that a condition names.
    private static func statuses(_ db: any SQLTransaction, _ condition: String, _ arguments: [any SQLConvertible]) throws -> [MailingStatus]
    {
        let records = try MailingRecord.all(db, condition, arguments).records
        let counts = try counts(db, condition, arguments)
        let batches = try batches(db, condition, arguments)
        let brake = try brakeFindings(db, condition, arguments)
        return records.map { record in
            let (dispatched, next) = batches["\(record.id)"] ?? (0, nil)
            let progress = MailingProgress(
                state: record.state, planned: record.plannedCount, excluded: record.excludedCount,
                planningDone: record.planningDone, states: states(counts["\(record.id)"] ?? [:]), dispatched: dispatched,
                started: record.started, finished: record.finished)
            return MailingStatus(record: record, progress: progress, next: next, brake: brake["\(record.id)"] ?? [])
        }
    }

    /// Recipients by the name of their state, by mailing.
    private static func counts(
        _ db: any SQLTransaction, _ condition: String, _ arguments: [any SQLConvertible]
    ) throws -> [String: [String: Int]] {
        let rows = try db.rows("SELECT mailing, state, n FROM counter WHERE mailing IN (SELECT id FROM mailing \(condition))", arguments)
        var counts: [String: [String: Int]] = [:]
        while let row = try rows.next() { try counts[row.read(0), default: [:]][row.read(1)] = row.read(2) as Int }
        return counts
    }

    /// How many batches of a mailing are with the workers, and when the next one can be dispatched. Each subquery reads one index.
    private static let ownBatches = """
        (SELECT count(*) FROM progress WHERE progress.mailing = mailing.id AND dispatched > 0),
        (SELECT min(ready) FROM progress WHERE progress.mailing = mailing.id AND ready >= 0)
        """

    /// Batches with the workers, and when the next one can be dispatched, by mailing.
    private static func batches(
        _ db: any SQLTransaction, _ condition: String, _ arguments: [any SQLConvertible]
    ) throws -> [String: (dispatched: Int, next: Int64?)] {
        let rows = try db.rows("SELECT id, \(ownBatches) FROM mailing \(condition)", arguments)
        var batches: [String: (dispatched: Int, next: Int64?)] = [:]
        while let row = try rows.next() { try batches[row.read(0)] = (row.read(1), row.read(2)) }
        return batches
    }
}
