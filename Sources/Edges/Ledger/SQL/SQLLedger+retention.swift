package import Model

extension SQLLedger: RetentionStore {
    package func agedMailings(_ rule: RetentionRule) async throws(LedgerError) -> [AgedMailing] {
        try await read("looking for old mailings") { db in
            let rows = try db.rows(
                """
                SELECT \(RetentionRow.columns) FROM mailing
                WHERE state IN ('sent', 'stopped', 'failed') AND coalesce(finished, created) < ? AND (pruned IS NULL OR pruning = 1)
                ORDER BY coalesce(finished, created), id
                """, [rule.cutoff])
            var mailings: [AgedMailing] = []
            while let row = try rows.next() {
                guard let found = try RetentionRow(row) else { continue }
                mailings.append(
                    AgedMailing(
                        id: found.id, name: found.name, ended: found.facts.ended ?? 0, recipients: found.recipients,
                        excluded: found.excluded, obstacle: rule.obstacle(found.facts)))
            }
            return mailings
        }
    }

    package func prunedMailings() async throws(LedgerError) -> Int {
        try await read("counting pruned mailings") { db in
            try db.one(Int.self, "SELECT count(*) FROM mailing WHERE pruned IS NOT NULL") ?? 0
        }
    }

    package func prunePart(
        _ id: MailingID, _ rule: RetentionRule, budget: Duration, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> PrunedPart {
        let (begun, recipients, isLast) = try await write("prune") { db in
            let begun = ContinuousClock.now
            var removal = Removal(db: db, id: id, deadline: begun + budget)
            try Self.mark(db, id, rule, note: note, now: now)
            guard try PrunedAddresses.keep(db, id, until: removal.deadline) else { return (begun, 0, false) }
            if let recipients = try db.removeAtOnce(id) { removal.recipients += recipients }
            let isLast = try removal.run()
            if isLast {
                try db.run("UPDATE mailing SET pruning = 0 WHERE id = ?", [id.description])
                try PrunedAddresses.forget(db, now: now)
            }
            return (begun, removal.recipients, isLast)
        }
        if isLast { await engine.tidy(after: id) }
        var part = PrunedPart()
        (part.recipients, part.isLast, part.took) = (recipients, isLast, ContinuousClock.now - begun)
        return part
    }

    /// Notes that a mailing's recipients are not kept any more, and keeps what its report counts by their rows.
    private static func mark(_ db: any SQLTransaction, _ id: MailingID, _ rule: RetentionRule, note: AuditNote?, now: Int64) throws {
        let rows = try db.rows("SELECT \(RetentionRow.columns) FROM mailing WHERE id = ?", [id.description])
        guard let row = try rows.next(), let found = try RetentionRow(row) else {
            throw LedgerError.refused("there is no mailing \(id) in the ledger")
        }
        guard !found.isPruned else { return }
        if let obstacle = rule.obstacle(found.facts) { throw LedgerError.refused("mailing \(id) is kept: \(obstacle)") }
        try keepRounds(db, id)
        try db.run(
            """
            UPDATE mailing SET pruned = ?1, pruning = 1, (uncertain_listed, uncertain_redelivered, uncertain_unresolved) = (
                \(UncertainCounts.query(of: "mailing.id")))
            WHERE id = ?2
            """, [now, id.description])
        var (before, after) = (AuditedValues(), AuditedValues())
        (before.recipients, after.recipients) = (found.recipients, 0)
        try Self.note(db, note, on: .mailing(id), before: before, after: after, now: now)
    }
}

/// The facts about one mailing that the retention rule needs.
private struct RetentionRow {
    static let columns = """
        id, name, state, coalesce(finished, created), planned_count, excluded_count, pruned IS NOT NULL,
        (SELECT coalesce(sum(n), 0) FROM counter c WHERE c.mailing = mailing.id AND c.state IN ('planned', 'deferred')),
        (SELECT coalesce(sum(n), 0) FROM counter c WHERE c.mailing = mailing.id AND c.state = 'uncertain'),
        (SELECT count(*) FROM progress p WHERE p.mailing = mailing.id AND p.dispatched > 0),
        CASE WHEN identity = '' THEN 0 ELSE (
            SELECT count(*) FROM mailing r
            WHERE r.identity = mailing.identity AND r.id <> mailing.id AND r.only_new = 1 AND r.planning_done = 0
                AND r.state NOT IN ('sent', 'stopped', 'failed')) END
        """

    var id: MailingID
    var name: String
    var recipients: Int
    var excluded: Int
    var isPruned: Bool
    var facts: RetentionRule.Facts

    /// - Returns: nil for a mailing that cannot be read.
    init?(_ row: any SQLRow) throws {
        guard let id = try MailingID(row.read(0) as String), let state = try MailingState(rawValue: row.read(2)) else { return nil }
        self.id = id
        name = try row.read(1)
        recipients = try row.read(4)
        excluded = try row.read(5)
        isPruned = try row.read(6)
        facts = try RetentionRule.Facts(state: state, ended: row.read(3))
        facts.open = try row.read(7)
        facts.uncertain = try row.read(8)
        facts.dispatched = try row.read(9)
        facts.readers = try row.read(10)
    }
}

/// Removes a mailing's rows until a moment, within one transaction.
private struct Removal {
    let db: any SQLTransaction
    let id: MailingID
    let deadline: ContinuousClock.Instant
    var recipients = 0

    /// The tables of a batch, each with its column for the batch number. The batch itself comes last: the others are found by it.
    private static let ofBatches = [
        ("result", "batch"), ("recipient_error", "batch"), ("uncertain", "batch"), ("event", "batch"), ("event_group", "batch"),
        ("skipped", "batch"), ("bounce", "batch"), ("retried", "batch"), ("fingerprint", "batch"), ("progress", "number"),
        ("batch", "number"),
    ]
    /// Excluded rows that one statement removes.
    private static let rows = 200

    private var isTimeUp: Bool { ContinuousClock.now >= deadline }

    /// Removes rows until the deadline, and at least one batch.
    /// - Returns: whether nothing is left.
    mutating func run() throws -> Bool {
        repeat {
            guard let batch = try nextBatch() else {
                guard try removeExclusions(), try removeEvents() else { return false }
                return try removeRest()
            }
            for (table, column) in Self.ofBatches {
                try db.run("DELETE FROM \(table) WHERE mailing = ? AND \(column) = ?", [id.description, batch.number])
            }
            recipients += batch.count
        } while !isTimeUp
        return false
    }

    private func nextBatch() throws -> (number: Int, count: Int)? {
        let rows = try db.rows("SELECT number, count FROM batch WHERE mailing = ? ORDER BY number LIMIT 1", [id.description])
        guard let row = try rows.next() else { return nil }
        return (number: try row.read(0), count: try row.read(1))
    }

    /// - Returns: whether none is left.
    private func removeExclusions() throws -> Bool {
        repeat {
            try db.run(
                """
                DELETE FROM exclusion WHERE mailing = ?1 AND row <= (
                    SELECT max(row) FROM (SELECT row FROM exclusion WHERE mailing = ?1 ORDER BY row LIMIT ?2) AS first)
                """, [id.description, Self.rows])
            if db.changes == 0 { return true }
        } while !isTimeUp
        return false
    }

    /// What is left of events where a mailing's batches went at once.
    /// - Returns: whether none is left.
    private func removeEvents() throws -> Bool {
        repeat {
            try db.run(
                """
                DELETE FROM event_group WHERE mailing = ?1 AND batch = (
                    SELECT batch FROM event_group WHERE mailing = ?1 ORDER BY batch LIMIT 1)
                """, [id.description])
            if db.changes == 0 { break }
            if isTimeUp { return false }
        } while true
        // What was not counted yet is of recipients that are gone.
        try db.run("DELETE FROM event_log WHERE mailing = ?", [id.description])
        return true
    }

    /// Dead letters hold addresses too. Rows without a batch, which a sound ledger does not have, are removed as well.
    /// - Returns: whether nothing is left.
    private func removeRest() throws -> Bool {
        let letters = try db.all(Int64.self, "SELECT id FROM dead_letter WHERE mailing = ? LIMIT ?", [id.description, Self.rows])
        for letter in letters {
            try db.run("DELETE FROM dead_letter_field WHERE letter = ?", [letter])
            try db.run("DELETE FROM dead_letter WHERE id = ?", [letter])
        }
        if letters.count == Self.rows { return false }
        for (table, _) in Self.ofBatches {
            try db.run("DELETE FROM \(table) WHERE mailing = ?", [id.description])
        }
        return true
    }
}
