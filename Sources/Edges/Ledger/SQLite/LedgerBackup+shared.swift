import GRDB
import Model

/// Merges what the replaced ledger knew of orders, and of mailings that the copy has too.
extension LedgerBackup {
    /// Takes over the audit log, and the limits that were set last.
    /// - Returns: entries that the copy lacked.
    static func mergeOrders(into db: Database) -> Int {
        var entries = 0
        try? db.inTransaction {
            let transaction = SQLiteTransaction(db)
            try transaction.run(
                """
                INSERT INTO main.audit (at, actor, kind, object, before, after)
                SELECT at, actor, kind, object, before, after FROM replaced.audit
                EXCEPT SELECT at, actor, kind, object, before, after FROM main.audit
                ORDER BY 1
                """)
            entries = transaction.changes
            try transaction.run(
                """
                INSERT INTO main.limit_override (scope, text, changed) SELECT scope, text, changed FROM replaced.limit_override
                WHERE true ON CONFLICT (scope) DO UPDATE SET text = excluded.text, changed = excluded.changed
                WHERE excluded.changed > changed
                """)
            return .commit
        }
        return entries
    }

    /// A mailing that both ledgers have.
    private struct Shared {
        var id: MailingID
        var name: String
        var isPruned: Bool
    }

    /// Takes over what became of the recipients of mailings that both ledgers have, and notes what is reverted.
    /// - Parameter lacking: mailings that are taken over as a whole.
    static func mergeShared(
        into db: Database, _ merged: inout RestoreMerge, except lacking: Set<MailingID>, mustAgree: Bool, now: Int64
    ) {
        var shared: [Shared] = []
        do {
            let rows = try SQLiteTransaction(db).rows(
                """
                SELECT r.id, r.name, r.pruned IS NOT NULL FROM replaced.mailing r JOIN main.mailing m ON m.id = r.id
                WHERE m.pruned IS NULL ORDER BY r.id
                """)
            while let row = try rows.next() {
                guard let id = try MailingID(row.read(0) as String) else { continue }
                try shared.append(Shared(id: id, name: row.read(1), isPruned: row.read(2)))
            }
        } catch {
            // A ledger that cannot be read here cannot be read in `lacking` either, which reports it.
        }
        for mailing in shared where !lacking.contains(mailing.id) {
            var reverted = RestoreMerge.Reversion(id: mailing.id, name: mailing.name)
            reverted.wasPruned = mailing.isPruned
            if !mailing.isPruned {
                let ended = mergeOutcomes(mailing.id, into: db, mustAgree: mustAgree, now: now)
                merged.outcomes += ended ?? 0
                reverted.isUnread = ended == nil
            }
            try? end(mailing.id, SQLiteTransaction(db))
            try? compare(&reverted, SQLiteTransaction(db), now: now)
            if reverted.isUnread || reverted.wasPruned || reverted.wasStopped || reverted.opened > 0 { merged.reverted.append(reverted) }
        }
    }

    /// Ends a mailing that had ended, where each of its recipients is terminal in the copy too.
    private static func end(_ id: MailingID, _ db: SQLiteTransaction) throws {
        try db.run(
            """
            UPDATE main.mailing SET (state, reason_kind, actor, reason, state_changed, started, finished, restored) = (
                SELECT state, reason_kind, actor, reason, state_changed, started, finished, 0
                FROM replaced.mailing r WHERE r.id = mailing.id)
            WHERE id = ?1 AND planning_done = 1 AND state IN ('sending', 'paused')
                AND EXISTS (SELECT 1 FROM replaced.mailing r WHERE r.id = ?1 AND r.state IN ('sent', 'failed'))
                AND NOT EXISTS (SELECT 1 FROM main.progress WHERE mailing = ?1 AND (open > 0 OR dispatched > 0))
            """, [id.description])
    }

    /// Notes what of a mailing is reverted, and pauses a mailing that was stopped or paused.
    private static func compare(_ reverted: inout RestoreMerge.Reversion, _ db: SQLiteTransaction, now: Int64) throws {
        let open = "SELECT coalesce(sum(open), 0) FROM"
        let row = try db.row(
            """
            SELECT r.state, r.reason_kind, r.actor, r.reason, (\(open) main.progress p WHERE p.mailing = r.id),
                (\(open) replaced.progress p WHERE p.mailing = r.id)
            FROM replaced.mailing r WHERE r.id = ?
            """, [reverted.id.description])
        guard let row, let state = try MailingState(rawValue: row.read(0)) else { return }
        reverted.opened = try max(0, (row.read(4) as Int) - row.read(5))
        let kind = try StateReason.Kind(rawValue: row.read(1))
        var reason = try StateReason(kind: kind, actor: row.read(2), text: row.read(3))
        guard state == .stopped || (state == .paused && reason.needsPerson) else { return }
        if state == .stopped {
            reason = StateReason(
                kind: .restored,
                text: """
                    the ledger in whose place a copy was put has it \(reason.words(.stopped)): flotilla mailing stop ends it, \
                    flotilla mailing resume sends it to those who are open
                    """)
        }
        let change = SQLLedger.StateChange(to: .paused, from: [.scheduled, .collecting, .sending], reason: reason, now: now)
        reverted.wasStopped = try SQLLedger.setState(db, reverted.id, change) && state == .stopped
    }
}
