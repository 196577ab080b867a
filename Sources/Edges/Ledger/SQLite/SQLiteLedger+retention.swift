import GRDB
package import Model

extension SQLiteLedger: RetentionStore {
    package func agedMailings(_ rule: RetentionRule) async throws(LedgerError) -> [AgedMailing] {
        try await read("looking for old mailings") { db in
            let rows = try Row.fetchCursor(
                db.cachedStatement(
                    sql: """
                        SELECT \(RetentionRow.columns) FROM mailing
                        WHERE state IN ('sent', 'stopped', 'failed') AND coalesce(finished, created) < ? AND (pruned IS NULL OR pruning = 1)
                        ORDER BY coalesce(finished, created), id
                        """), arguments: [rule.cutoff])
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
            try Int.fetchOne(db.cachedStatement(sql: "SELECT count(*) FROM mailing WHERE pruned IS NOT NULL")) ?? 0
        }
    }

    package func prunePart(
        _ id: MailingID, _ rule: RetentionRule, budget: Duration, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> PrunedPart {
        let (begun, recipients, isLast) = try await write("prune") { db in
            let begun = ContinuousClock.now
            var removal = Removal(db: db, id: id, deadline: begun + budget)
            try Self.mark(db, id, rule, note: note, now: now)
            let isLast = try removal.run()
            if isLast { try db.execute(sql: "UPDATE mailing SET pruning = 0 WHERE id = ?", arguments: [id.description]) }
            return (begun, removal.recipients, isLast)
        }
        var part = PrunedPart()
        (part.recipients, part.isLast, part.took) = (recipients, isLast, ContinuousClock.now - begun)
        return part
    }

    /// Notes that a mailing's recipients are not kept any more, and keeps what its report counts by their rows.
    private static func mark(_ db: Database, _ id: MailingID, _ rule: RetentionRule, note: AuditNote?, now: Int64) throws {
        let rows = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT \(RetentionRow.columns) FROM mailing WHERE id = ?"), arguments: [id.description])
        guard let row = try rows.next(), let found = try RetentionRow(row) else {
            throw LedgerError.refused("there is no mailing \(id) in the ledger")
        }
        guard !found.isPruned else { return }
        if let obstacle = rule.obstacle(found.facts) { throw LedgerError.refused("mailing \(id) is kept: \(obstacle)") }
        try db.execute(
            sql: """
                UPDATE mailing SET pruned = ?1, pruning = 1, (uncertain_listed, uncertain_redelivered, uncertain_unresolved) = (
                    \(UncertainCounts.query(of: "mailing.id")))
                WHERE id = ?2
                """, arguments: [now, id.description])
        var (before, after) = (AuditedValues(), AuditedValues())
        (before.recipients, after.recipients) = (found.recipients, 0)
        try Self.note(db, note, on: .mailing(id), before: before, after: after, now: now)
    }
}

extension RetentionRule.Obstacle: CustomStringConvertible {
    package var description: String {
        switch self {
        case .inWork: "it has not ended, or something of it is still with workers"
        case .young: "it ended too short a time ago"
        case .uncertain(let count): "\(count) \(count == 1 ? "recipient is" : "recipients are") held as uncertain until a person decides"
        case .needed: "a mailing that leaves out whom it reached (--only-new) is not planned yet"
        }
    }
}

/// What the rule of retention looks at, of one mailing.
private struct RetentionRow {
    static let columns = """
        id, name, state, coalesce(finished, created), planned_count, excluded_count, pruned IS NOT NULL,
        (SELECT coalesce(sum(n), 0) FROM counter c WHERE c.mailing = mailing.id AND c.state IN ('planned', 'deferred')),
        (SELECT coalesce(sum(n), 0) FROM counter c WHERE c.mailing = mailing.id AND c.state = 'uncertain'),
        (SELECT count(*) FROM progress p WHERE p.mailing = mailing.id AND p.dispatched > 0),
        iif(identity = '', 0, (
            SELECT count(*) FROM mailing r
            WHERE r.identity = mailing.identity AND r.id <> mailing.id AND r.only_new = 1 AND r.planning_done = 0
                AND r.state NOT IN ('sent', 'stopped', 'failed')))
        """

    var id: MailingID
    var name: String
    var recipients: Int
    var excluded: Int
    var isPruned: Bool
    var facts: RetentionRule.Facts

    /// - Returns: nil for a mailing that cannot be read.
    init?(_ row: Row) throws {
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

/// The removal of a mailing's rows until a moment, within one transaction.
private struct Removal {
    let db: Database
    let id: MailingID
    let deadline: ContinuousClock.Instant
    var recipients = 0

    /// What a batch has, each with the column of its number; the batch itself comes last, so that the rest is found by it.
    private static let ofBatches = [
        ("result", "batch"), ("recipient_error", "batch"), ("uncertain", "batch"), ("event", "batch"), ("fingerprint", "batch"),
        ("skipped", "batch"),
        ("progress", "number"), ("batch", "number"),
    ]
    /// Excluded rows that one statement removes.
    private static let rows = 200

    private var isTimeUp: Bool { ContinuousClock.now >= deadline }

    /// Removes something, however late it is.
    /// - Returns: whether nothing is left.
    mutating func run() throws -> Bool {
        repeat {
            guard let batch = try nextBatch() else {
                guard try removeExclusions() else { return false }
                return try removeRest()
            }
            for (table, column) in Self.ofBatches {
                try db.cachedStatement(sql: "DELETE FROM \(table) WHERE mailing = ? AND \(column) = ?")
                    .execute(arguments: [id.description, batch.number])
            }
            recipients += batch.count
        } while !isTimeUp
        return false
    }

    private func nextBatch() throws -> (number: Int, count: Int)? {
        let rows = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT number, count FROM batch WHERE mailing = ? ORDER BY number LIMIT 1"),
            arguments: [id.description])
        guard let row = try rows.next() else { return nil }
        return (number: try row.read(0), count: try row.read(1))
    }

    /// - Returns: whether none is left.
    private func removeExclusions() throws -> Bool {
        repeat {
            try db.cachedStatement(
                sql: """
                    DELETE FROM exclusion WHERE mailing = ?1 AND row <= (
                        SELECT max(row) FROM (SELECT row FROM exclusion WHERE mailing = ?1 ORDER BY row LIMIT ?2))
                    """
            ).execute(arguments: [id.description, Self.rows])
            if db.changesCount == 0 { return true }
        } while !isTimeUp
        return false
    }

    /// Entries that could not be read hold addresses too; and what belongs to no batch, which a sound ledger does not have.
    /// - Returns: whether nothing is left.
    private func removeRest() throws -> Bool {
        let letters = try Int64.fetchAll(
            db.cachedStatement(sql: "SELECT id FROM dead_letter WHERE mailing = ? LIMIT ?"), arguments: [id.description, Self.rows])
        for letter in letters {
            try db.cachedStatement(sql: "DELETE FROM dead_letter_field WHERE letter = ?").execute(arguments: [letter])
            try db.cachedStatement(sql: "DELETE FROM dead_letter WHERE id = ?").execute(arguments: [letter])
        }
        if letters.count == Self.rows { return false }
        for (table, _) in Self.ofBatches {
            try db.cachedStatement(sql: "DELETE FROM \(table) WHERE mailing = ?").execute(arguments: [id.description])
        }
        return true
    }
}
