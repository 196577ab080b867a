import GRDB
import Model
import Policy

/// What became of the recipients of mailings that both ledgers have. Results are written as late results: they only move a recipient
/// forward, in any order, so that it does not matter how the two ledgers diverged.
extension LedgerBackup {
    /// Takes over the outcomes of one mailing that both ledgers have.
    /// - Parameters:
    ///   - mustAgree: they are taken only if the mailing's numbers agree then.
    ///   - now: milliseconds since 1970.
    /// - Returns: how many recipients became terminal or held by that; nil where the outcomes could not be taken.
    static func mergeOutcomes(_ id: MailingID, into db: Database, mustAgree: Bool, now: Int64) -> Int? {
        do {
            var ended = 0
            var isTaken = false
            try db.inTransaction {
                let transaction = SQLiteTransaction(db)
                let before = try SQLLedger.states(transaction, id)
                var merge = OutcomeMerge(transaction, id, columns: try db.columns(in: "uncertain").map(\.name), now: now)
                try merge.run()
                for (state, count) in try SQLLedger.states(transaction, id) where state != .planned && state != .deferred {
                    ended += max(0, count - (before[state] ?? 0))
                }
                isTaken = try !mustAgree || SQLLedger.recount(transaction, id).isEmpty
                return isTaken ? .commit : .rollback
            }
            return isTaken ? ended : nil
        } catch {
            return nil
        }
    }
}

/// The outcomes of one mailing, in one transaction of the copy; the replaced ledger is attached as `replaced`.
private struct OutcomeMerge {
    private let db: SQLiteTransaction
    private let id: MailingID
    /// Of the table `uncertain`.
    private let columns: [String]
    private let now: Int64
    private var changes: MailingChanges

    init(_ db: SQLiteTransaction, _ id: MailingID, columns: [String], now: Int64) {
        self.db = db
        self.id = id
        self.columns = columns
        self.now = now
        changes = MailingChanges(id: id)
    }

    mutating func run() throws {
        try eraseErased()
        try addResults()
        try addListings()
        try moveOthers()
        try changes.store(db)
        // Nothing is awaited from batches whose recipients are all terminal.
        try db.run(
            """
            UPDATE main.progress SET dispatched = 0, awaited = NULL, done = 0, released = 0
            WHERE mailing = ? AND dispatched > 0 AND open = 0
            """, [id.description])
        try SQLLedger.settle(db, id)
        // The next dispatch of a batch has a number that no result of the replaced ledger has.
        try db.run(
            """
            UPDATE main.progress SET dispatch = r.dispatch FROM replaced.progress r
            WHERE r.mailing = progress.mailing AND r.number = progress.number AND progress.mailing = ?
                AND r.dispatch > progress.dispatch AND progress.dispatched = 0
            """, [id.description])
    }

    /// Only an erasure changes a batch, and the erased person must not come back with a copy: the shorter batch is kept.
    private func eraseErased() throws {
        for (table, columns, number) in [
            ("fingerprint", "hashes", "batch"), ("result", "data", "batch"), ("batch", "recipients", "number"),
        ] {
            let isSame = table == "result" ? "AND r.dispatch = t.dispatch AND r.worker = t.worker AND r.sequence = t.sequence" : ""
            try db.run(
                """
                UPDATE main.\(table) AS t SET \(columns) = r.\(columns)
                FROM replaced.\(table) r, replaced.batch theirs, main.batch ours
                WHERE t.mailing = ?1 AND r.mailing = ?1 AND r.\(number) = t.\(number) \(isSame)
                    AND theirs.mailing = ?1 AND theirs.number = t.\(number) AND ours.mailing = ?1 AND ours.number = t.\(number)
                    AND length(theirs.recipients) < length(ours.recipients)
                """, [id.description])
        }
        try db.run(
            """
            UPDATE main.exclusion AS t SET id = r.id, address = r.address, detail = r.detail FROM replaced.exclusion r
            WHERE t.mailing = ?1 AND r.mailing = ?1 AND r.row = t.row
                AND (length(r.address) < length(t.address) OR r.detail LIKE '%(erased)%')
            """, [id.description])
        try db.run(
            """
            UPDATE OR IGNORE main.event AS t SET detail = r.detail FROM replaced.event r
            WHERE t.mailing = ?1 AND r.mailing = ?1 AND (r.batch, r.idx, r.kind, r.at) = (t.batch, t.idx, t.kind, t.at)
                AND r.detail LIKE '(erased)%' AND NOT EXISTS (
                    SELECT 1 FROM replaced.event same WHERE same.mailing = ?1
                        AND (same.batch, same.idx, same.kind, same.at, same.detail) = (t.batch, t.idx, t.kind, t.at, t.detail))
            """, [id.description])
    }

    private mutating func addResults() throws {
        var writing = SQLLedger.ResultWriting(db, now: now)
        let rows = try db.rows(
            """
            SELECT batch, dispatch, worker, sequence, base, data, counted, provider, partial FROM replaced.result r
            WHERE mailing = ? AND NOT EXISTS (
                SELECT 1 FROM main.result m
                WHERE m.mailing = r.mailing AND m.batch = r.batch AND m.dispatch = r.dispatch AND m.worker = r.worker
                    AND m.sequence = r.sequence AND m.partial <= r.partial)
            """, [id.description])
        while let row = try rows.next() {
            let wire = try row.read(5) as [UInt8]
            let isCounted: Bool = try row.read(6)
            // Only its recipients tell whether a dispatch is complete: each group may be the last one.
            var group = try ResultGroup(
                Dispatch(batch: BatchID(mailing: id, number: row.read(0)), dispatchNumber: row.read(1)), worker: row.read(2),
                provider: row.read(7), sequence: row.read(3), closing: .done, groups: isCounted ? 1 : 0,
                results: [RecipientResult](decoding: wire, base: row.read(4)))
            group.isPartial = try row.read(8)
            try writing.add([group])
        }
        try addEvents(&writing)
        try addBounces(&writing)
        _ = try writing.finish()
        var visits = EventMerging(db, id)
        try visits.addMissing()
    }

    /// Takes over whose messages came back: no result says so.
    private func addBounces(_ writing: inout SQLLedger.ResultWriting) throws {
        let rows = try db.allRows("SELECT batch, idx, at FROM replaced.bounce WHERE mailing = ?1", [id.description])
        try writing.take(
            rows.map { row in
                try LateNews(batch: BatchID(mailing: id, number: row.read(0)), index: row.read(1), news: .bounce, at: row.read(2))
            })
    }

    private func addEvents(_ writing: inout SQLLedger.ResultWriting) throws {
        let events = try db.rows(
            """
            SELECT batch, idx, kind, at, detail FROM replaced.event WHERE mailing = ?1
            EXCEPT SELECT batch, idx, kind, at, detail FROM main.event WHERE mailing = ?1
            """, [id.description])
        while let row = try events.next() {
            guard let kind = try EventKind(rawValue: row.read(2)) else { continue }
            let event = try RecipientEvent(batch: row.read(0), index: row.read(1), kind: kind, at: row.read(3), detail: row.read(4))
            try writing.add(EventGroup(mailing: id, events: [event]))
        }
    }

    /// Takes over who was ever uncertain, and what a person decided. A recipient who was to be sent to again by a person's decision is
    /// still held where the copy holds the recipient: it is not known whether that was done.
    private func addListings() throws {
        let columns = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        try db.run(
            "INSERT OR IGNORE INTO main.uncertain (\(columns)) SELECT \(columns) FROM replaced.uncertain WHERE mailing = ?",
            [id.description])
        try db.run(
            """
            UPDATE main.uncertain SET settled_at = r.settled_at, outcome = r.outcome FROM replaced.uncertain r
            WHERE r.mailing = uncertain.mailing AND r.batch = uncertain.batch AND r.idx = uncertain.idx
                AND r.dispatch = uncertain.dispatch AND r.held = uncertain.held AND uncertain.mailing = ?
                AND uncertain.settled_at IS NULL AND r.outcome IN ('sent', 'failed')
            """, [id.description])
    }

    /// Moves recipients who were skipped, held, or settled by a person: no result tells of them.
    private mutating func moveOthers() throws {
        let rows = try db.rows(
            """
            SELECT s.batch, s.idx, 'k', s.detail, s.at FROM replaced.skipped s WHERE s.mailing = ?1
            UNION ALL
            SELECT u.batch, u.idx, substr(p.states, u.idx + 1, 1), coalesce(max(u.outcome), ''), min(u.at)
            FROM replaced.uncertain u JOIN replaced.progress p ON p.mailing = u.mailing AND p.number = u.batch
            WHERE u.mailing = ?1 AND u.held = 1 AND (u.settled_at IS NULL OR u.outcome IN ('sent', 'failed'))
            GROUP BY u.batch, u.idx
            ORDER BY 1, 2
            """, [id.description])
        var current: (id: BatchID, progress: BatchProgress)?
        while let row = try rows.next() {
            let batch = try BatchID(mailing: id, number: row.read(0))
            if current?.id != batch {
                if let current { try current.progress.store(db, current.id) }
                current = try BatchProgress.load(db, batch).map { (batch, $0) }
            }
            guard var progress = current?.progress else { continue }
            try move(batch, row.read(1), to: row.read(2), detail: row.read(3), at: row.read(4), &progress)
            current?.progress = progress
        }
        if let current { try current.progress.store(db, current.id) }
    }

    /// - Parameter detail: why the recipient is skipped, or what a person decided.
    private mutating func move(
        _ batch: BatchID, _ index: Int, to code: String, detail: String, at: Int64, _ progress: inout BatchProgress
    ) throws {
        guard let state = code.utf8.first.flatMap(StateCode.state), let old = progress.state(index), state.rank > old.rank else { return }
        guard state == .uncertain || state == .skipped || UncertainDecision(rawValue: detail)?.state == state, !old.isTerminal else {
            return
        }
        if old == .deferred { try LastError.remove(db, batch, index) }
        switch state {
        case .skipped: try SQLLedger.SuppressionCheck.store(db, batch, index, detail, at: at)
        case .sent: changes.count(at, sent: 1)
        case .failed:
            let failure = try changes.failures.id(db, .settledByHand)
            changes.failures.add(failure, 1)
            try LastError(at: at, due: 0, attempts: progress.attempts(index), failure: failure).store(db, batch, index)
            changes.count(at, failed: 1)
        default: break
        }
        progress.end(index, as: state)
        changes.moves[old.rank] -= 1
        changes.moves[state.rank] += 1
    }
}
