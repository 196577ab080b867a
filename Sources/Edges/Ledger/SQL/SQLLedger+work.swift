package import Model

extension SQLLedger {
    /// Names the mailings that the index `mailing_work` holds, so that mailings that have ended cost nothing. A stopped mailing has ended
    /// when it is `settled`.
    static let inWork = "state IN ('collecting', 'sending', 'paused', 'stopped') AND settled = 0"

    package func work() async throws(LedgerError) -> [MailingWork] {
        try await read("looking for work") { db in
            // All columns of `mailing` are in the index: the definitions, which may be long, are not touched.
            let rows = try db.rows(
                """
                SELECT id, state, channel, provider, coalesce(speed, own_speed), started + lifetime, planned_count, next_batch,
                    planning_done,
                    (SELECT sum(n) FROM counter WHERE counter.mailing = mailing.id AND counter.state IN ('planned', 'deferred')),
                    (SELECT n FROM counter WHERE counter.mailing = mailing.id AND counter.state = 'uncertain'),
                    (SELECT count(*) FROM progress WHERE progress.mailing = mailing.id AND dispatched > 0),
                    (SELECT min(ready) FROM progress WHERE progress.mailing = mailing.id AND ready >= 0),
                    (SELECT count(*) FROM progress
                        WHERE progress.mailing = mailing.id AND dispatched > 0 AND open * 8 > length(states)),
                    (SELECT count(*) FROM progress
                        WHERE progress.mailing = mailing.id AND dispatched > 0 AND open * 2 > length(states))
                FROM mailing\(db.indexed("mailing_work")) WHERE \(Self.inWork) AND state <> 'collecting' ORDER BY id
                """)
            var work: [MailingWork] = []
            while let row = try rows.next() {
                let mailing = try MailingWork(row)
                if !mailing.isOver { work.append(mailing) }
            }
            return work
        }
    }

    package func heldRecipients() async throws(LedgerError) -> Int {
        try await read("counting who is held") { db in
            try db.one(
                Int.self,
                """
                SELECT coalesce(sum(n), 0) FROM counter WHERE state = 'uncertain' AND mailing IN
                    (SELECT id FROM mailing\(db.indexed("mailing_work")) WHERE \(Self.inWork) AND state <> 'collecting')
                """) ?? 0
        }
    }

    package func openMailings() async throws(LedgerError) -> [MailingState: Int] {
        try await read("counting open mailings") { db in
            // Each half is read from an index that holds no mailing that has ended.
            let rows = try db.rows(
                """
                SELECT state, count(*) FROM mailing\(db.indexed("mailing_work")) WHERE \(Self.inWork) GROUP BY state
                UNION ALL SELECT 'scheduled', count(*) FROM mailing\(db.indexed("mailing_waiting"))
                    WHERE state IN ('scheduled', 'collecting') AND state = 'scheduled'
                """)
            var counts: [MailingState: Int] = [:]
            while let row = try rows.next() {
                if let state = try MailingState(rawValue: row.read(0)), !state.isTerminal { try counts[state, default: 0] += row.read(1) }
            }
            return counts
        }
    }

    package func complete(_ ids: [MailingID], now: Int64) async throws(LedgerError) -> Set<MailingID> {
        guard !ids.isEmpty else { return [] }
        return try await write("state") { db in
            var complete: Set<MailingID> = []
            for id in ids {
                let isMoved = try Self.setState(db, id, StateChange(to: .sent, from: [.sending], now: now))
                if isMoved { complete.insert(id) }
                guard isMoved, let why = try Self.whyNobody(db, id) else { continue }
                let reason = StateReason(kind: .nobody, text: why)
                _ = try Self.setState(db, id, StateChange(to: .failed, from: [.sent], reason: reason, now: now))
            }
            return complete
        }
    }

    /// Why nobody of a complete mailing was sent to, for people; nil where somebody was, or where all had the message from an earlier one.
    private static func whyNobody(_ db: any SQLTransaction, _ id: MailingID) throws -> String? {
        let states = try states(db, id)
        guard states[.sent, default: 0] + states[.delivered, default: 0] == 0 else { return nil }
        let excluded = try pairs(db, "SELECT reason, n FROM exclusion_count WHERE mailing = ?", id)
        let left = states.values.reduce(0, +)
        if left == 0, excluded["sent_before", default: 0] > 0 { return nil }
        var parts = [RecipientState.failed, .expired, .stopped, .skipped].compactMap { state in
            states[state].flatMap { $0 > 0 ? "\($0) \(state.name)" : nil }
        }
        parts += excluded.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { "\($0.value) excluded (\($0.key))" }
        let unresolved: Int = try db.row(UncertainCounts.query(of: "?"), [id.description])?.read(2) ?? 0
        let found = parts.isEmpty ? "there is no recipient" : parts.joined(separator: ", ")
        guard unresolved > 0 else { return "nobody was sent to: \(found)" }
        let hint = "flotilla mailing uncertain \(id)"
        return "nobody is known to have been sent to: \(found); \(unresolved) of them may have had a message (\(hint))"
    }

    /// A message of a mailing that had failed because nobody was sent to was accepted after all.
    static func noteLateAcceptance(_ db: any SQLTransaction, _ id: MailingID, now: Int64) throws {
        try db.run(LateAcceptance.sql, [now, id.description])
        if db.changes > 0 { try db.tell(.sent, of: id, at: now) }
    }

    /// Notes of a stopped mailing that nothing of it is open any more, but for those who are held, and nothing with the workers.
    static func settle(_ db: any SQLTransaction, _ id: MailingID) throws {
        // Two transactions may end the last dispatches at once. The one that locks the row later sees what the other did.
        if !db.locking.isEmpty {
            let stopped = try db.row("SELECT 1 FROM mailing WHERE id = ? AND state = 'stopped'\(db.locking)", [id.description])
            if stopped == nil { return }
        }
        try db.run(
            """
            UPDATE mailing\(db.indexed("mailing_work")) SET settled = 1
            WHERE id = ? AND \(inWork) AND state = 'stopped'
                AND NOT EXISTS (
                    SELECT 1 FROM counter
                    WHERE counter.mailing = mailing.id AND counter.state IN ('planned', 'deferred') AND n > 0)
                AND NOT EXISTS (SELECT 1 FROM progress WHERE progress.mailing = mailing.id AND dispatched > 0)
            """, [id.description])
    }
}

extension MailingWork {
    /// Reads the columns of `SQLLedger.work`.
    fileprivate init(_ row: any SQLRow) throws {
        let text: String = try row.read(0)
        guard let id = MailingID(text), let state = try MailingState(rawValue: row.read(1)) else {
            throw LedgerError.refused("the ledger holds a mailing '\(text)' whose id or state this release does not know")
        }
        try self.init(id: id, state: state, channel: Channel(rawValue: row.read(2)), provider: row.read(3))
        speed = try row.read(4)
        expires = try row.read(5)
        planned = try row.read(6)
        batches = try row.read(7)
        isPlanned = try row.read(8)
        uncertain = try row.read(10) ?? 0
        open = try (row.read(9) ?? 0) + uncertain
        dispatched = try row.read(11)
        next = try row.read(12)
        busy = try row.read(13)
        mostlyOpen = try row.read(14)
    }
}
