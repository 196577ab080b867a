package import Model

extension SQLLedger: PlanStore {
    /// When a mailing's planning begins, 0 for one that was interrupted: the expression of the index `mailing_waiting`.
    static let begins = "CASE WHEN state = 'collecting' THEN 0 ELSE coalesce(start, created) END"

    package func waiting(only: MailingID?, now: Int64, limit: Int) async throws(LedgerError) -> WaitingMailings {
        try await read("looking for mailings to plan") { db in
            let isWaiting = "\(db.indexed("mailing_waiting")) WHERE state IN ('scheduled', 'collecting') AND (?1 IS NULL OR id = ?1)"
            let due = try MailingRecord.all(
                db, "\(isWaiting) AND \(Self.begins) <= ?2 ORDER BY \(Self.begins), id LIMIT ?3",
                [only?.description, now, limit])
            let next = try db.one(
                Int64.self, "SELECT min(\(Self.begins)) FROM mailing \(isWaiting) AND \(Self.begins) > ?2", [only?.description, now])
            return WaitingMailings(due: due.records, unreadable: due.unreadable, next: next)
        }
    }

    package func writePlan(_ steps: [PlanStep], now: Int64) async throws(LedgerError) -> [MailingID: LedgerError] {
        guard !steps.isEmpty else { return [:] }
        try await engine.prepare(for: steps)
        return try await write("plan", .sideBySide) { [self] db in
            try requirePlanning(db)
            var refusals: [MailingID: LedgerError] = [:]
            for step in steps where refusals[step.mailing] == nil {
                refusals[step.mailing] = try Self.refusal(of: step, db)
                if refusals[step.mailing] == nil { try Self.write(step, now: now, db) }
            }
            return refusals
        }
    }

    /// Why a step cannot be written; nil where it can.
    private static func refusal(of step: PlanStep, _ db: any SQLTransaction) throws -> LedgerError? {
        let id = step.mailing
        let rows = try db.rows(
            "SELECT next_batch, planning_done, state, started IS NOT NULL FROM mailing WHERE id = ?\(db.locking)", [id.description])
        guard let row = try rows.next() else { return .refused("there is no mailing \(id) in the ledger") }
        let next: Int = try row.read(0)
        let isDone: Bool = try row.read(1)
        let state: String = try row.read(2)
        let hasStarted: Bool = try row.read(3)
        if case .failed = step.ending { return nil }
        guard !isDone, MailingState(rawValue: state)?.isTerminal == false, hasStarted || state != "paused" else {
            return .refused("mailing \(id) is no longer being planned (its state is \(state))")
        }
        for (offset, batch) in step.batches.enumerated() {
            guard batch.number == next + offset else {
                return .refused(
                    """
                    batch \(batch.number) of mailing \(id) does not follow batch \(next + offset - 1): is another planner at work?
                    """)
            }
            guard batch.count > 0, batch.fingerprints.count == batch.count else {
                return .refused(
                    """
                    batch \(batch.number) of mailing \(id) has \(batch.count) recipients, but \(batch.fingerprints.count) fingerprints
                    """)
            }
        }
        return nil
    }

    private static func write(_ step: PlanStep, now: Int64, _ db: any SQLTransaction) throws {
        // Its recipients can be read now.
        if step.batches.first?.number == 0 { try db.run("DELETE FROM source_fault WHERE mailing = ?", [step.mailing.description]) }
        let id = step.mailing
        if case .failed(let reason) = step.ending {
            try db.run(
                """
                UPDATE mailing SET state = 'failed', reason_kind = 'input', actor = '', reason = ?, finished = ?2, state_changed = ?2,
                    started = coalesce(started, ?2)
                WHERE id = ? AND state NOT IN ('sent', 'stopped', 'failed')
                """, [reason, now, id.description])
            if db.changes > 0 { try db.tell(.failed, of: id, at: now) }
            return
        }
        try insert(step.batches, of: id, db)
        try insert(step.exclusions, of: id, db)
        try count(db, id, .sentBefore, step.reachedBefore)
        if step.unverified > 0 {
            try db.run("UPDATE mailing SET unverified_count = unverified_count + ? WHERE id = ?", [step.unverified, id.description])
        }
        let count = step.batches.reduce(0) { $0 + $1.count }
        try Self.count(db, id, .planned, count)
        // The second parameter is when it begins, the fourth whether its plan is whole.
        try db.run(
            """
            UPDATE mailing SET next_batch = next_batch + ?1, started = coalesce(started, ?2), planned_count = planned_count + ?3,
                planning_done = ?4, planned = CASE WHEN ?4 = 1 THEN coalesce(planned, ?2) ELSE planned END,
                state = CASE WHEN ?4 = 1 AND state IN ('scheduled', 'collecting') THEN 'sending' WHEN state = 'scheduled' THEN 'collecting'
                    ELSE state END,
                excluded_count = excluded_count + ?5, rows_read = coalesce(?6, rows_read), source_size = coalesce(?7, source_size),
                source_modified = coalesce(?8, source_modified), source_checksum = coalesce(?9, source_checksum),
                suppression_revision = coalesce(suppression_revision, ?10)
            WHERE id = ?11
            """,
            [
                step.batches.count, now, count, step.ending == .whole, step.exclusions.count + step.reachedBefore, step.rowsRead,
                step.sourceSize, step.sourceModified, step.sourceChecksum, step.suppressionRevision, id.description,
            ])
        guard step.ending == .whole, try db.outbox.wants(.mailingSending, db) else { return }
        let state = try db.one(String.self, "SELECT state FROM mailing WHERE id = ?", [id.description]).flatMap(MailingState.init)
        if state == .sending { try db.tell(.sending, of: id, at: now) }
    }

    private static func insert(_ batches: [PlannedBatch], of id: MailingID, _ db: any SQLTransaction) throws {
        let mailing = id.description
        try db.insert(
            into: "batch", "mailing, number, count, recipients, channel",
            batches.map { [mailing, $0.number, $0.count, String(decoding: $0.recipients, as: UTF8.self), $0.channel?.rawValue] })
        try db.insert(
            into: "fingerprint", "mailing, batch, hashes",
            batches.map { [mailing, $0.number, $0.fingerprints.map(\.littleEndian).withUnsafeBytes { Array($0) }] })
        try db.insert(
            into: "progress", "mailing, number, ready, open, states, attempts",
            batches.map { batch in
                let progress = BatchProgress(planned: batch.count)
                return [
                    mailing, batch.number, 0, batch.count, String(decoding: progress.states, as: UTF8.self),
                    String(decoding: progress.attempts, as: UTF8.self),
                ]
            })
    }

    private static func insert(_ exclusions: [Exclusion], of id: MailingID, _ db: any SQLTransaction) throws {
        guard !exclusions.isEmpty else { return }
        var reasons: [ExclusionReason: Int] = [:]
        for exclusion in exclusions { reasons[exclusion.reason, default: 0] += 1 }
        try db.insert(
            into: "exclusion", "mailing, row, reason, id, address, detail",
            exclusions.map {
                [id.description, $0.row, $0.reason.rawValue, shortened($0.id), shortened($0.address), shortened($0.detail)]
            })
        for (reason, count) in reasons { try Self.count(db, id, reason, count) }
    }

    /// Adds to the counter of a reason.
    private static func count(_ db: any SQLTransaction, _ id: MailingID, _ reason: ExclusionReason, _ count: Int) throws {
        guard count > 0 else { return }
        try db.add(to: "exclusion_count", ["mailing": id.description, "reason": reason.rawValue], ["n": count])
    }

    /// An excluded row may hold megabytes in one field: only the beginning is kept.
    private static func shortened(_ text: String) -> String {
        text.utf8.count <= 512 ? text : text.prefix(200) + "…"
    }

    /// Adds to the counter of a state.
    static func count(_ db: any SQLTransaction, _ id: MailingID, _ state: RecipientState, _ change: Int) throws {
        guard change != 0 else { return }
        try db.add(to: "counter", ["mailing": id.description, "state": state.name], ["n": change])
    }
}
