import Foundation
package import Model

extension SQLLedger: MailingStore {
    package func add(
        _ new: NewMailing, repeating policy: RepeatPolicy, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> AddOutcome {
        do throws(LedgerError) {
            return try await write("create") { [self] db in try add(new, policy, note, db, now: now) }
        } catch {
            await forgetAdded(new.id)
            throw error
        }
    }

    private func add(
        _ new: NewMailing, _ policy: RepeatPolicy, _ note: AuditNote?, _ db: any SQLTransaction, now: Int64
    ) throws -> AddOutcome {
        if let identity = new.identity, let obstacle = try earlier(db, identity).obstacle(policy) { return obstacle }
        try Self.insert(new, db, now: now)
        var after = AuditedValues()
        after.state = new.state.rawValue
        after.start = new.start.map { MailingReport.text($0) }
        after.name = new.mailing.name
        after.file = new.origin.isEmpty ? nil : new.origin
        after.identity = new.identity?.description
        after.onlyNew = new.onlyNew ? true : nil
        after.category = new.mailing.category
        try Self.note(db, note, on: .mailing(new.id), before: AuditedValues(), after: after, now: now)
        if let identity = new.identity { try noteAdded(LedgerNote.Added(new.id, identity, name: new.mailing.name), db) }
        return .added
    }

    private static func insert(_ new: NewMailing, _ db: any SQLTransaction, now: Int64) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let mailing = new.mailing
        let definition = String(decoding: try encoder.encode(MailingDefinition(mailing, contents: new.contents)), as: UTF8.self)
        let source = try new.source.map { String(decoding: try encoder.encode($0), as: UTF8.self) }
        let started: Int64? = new.state == .collecting || new.state == .sending ? now : nil
        try db.run(
            """
            INSERT INTO mailing (id, name, channel, definition, source, origin, state, created, started,
                start, provider, lifetime, own_speed, identity, only_new, state_changed, category)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            """,
            [
                new.id.description, mailing.name, mailing.channel.rawValue, definition, source, new.origin, new.state.rawValue,
                now, started, new.start, mailing.provider, mailing.lifetimeMilliseconds, mailing.speed,
                new.identity?.description ?? "", new.onlyNew, now, mailing.category ?? "",
            ])
        guard db.changes == 1 else {
            throw LedgerError.refused("there is a mailing \(new.id) in the ledger already")
        }
        try note(db, category: mailing.category ?? "", now: now)
    }

    package func mailing(_ id: MailingID) async throws(LedgerError) -> MailingRecord? {
        try await read("reading a mailing") { db in try MailingRecord.one(db, id) }
    }

    package func mailings(states: Set<MailingState>?, limit: Int) async throws(LedgerError) -> [MailingRecord] {
        try await read("listing mailings") { db in
            try MailingRecord.all(db, MailingRecord.newest(of: states), [limit]).records
        }
    }

    package func unreadableMailings(limit: Int) async throws(LedgerError) -> [UnreadableMailing] {
        try await read("listing mailings") { db in
            try MailingRecord.all(db, "ORDER BY created DESC, id DESC LIMIT ?", [limit]).unreadable
        }
    }

    package func find(prefix: String) async throws(LedgerError) -> [MailingRecord] {
        guard !prefix.isEmpty else { return [] }
        return try await read("finding a mailing") { db in
            let wanted = prefix.lowercased()
            let found = try MailingRecord.all(
                db, "WHERE substr(id, 1, length(?)) = ? ORDER BY id DESC LIMIT 10", [wanted, wanted])
            if found.records.isEmpty, let one = found.unreadable.first { throw one.error }
            return found.records
        }
    }

    package func setState(
        _ id: MailingID, to state: MailingState, from: Set<MailingState>, reason: StateReason, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> Bool {
        try await write("state") { db in
            let before = try Self.stateBefore(db, id, note)
            let isMoved = try Self.setState(db, id, StateChange(to: state, from: from, reason: reason, now: now))
            if isMoved { try Self.note(db, note, on: id, before: before, now: now) }
            return isMoved
        }
    }

    /// The values before a change of the state, for its audit entry; nil where there is to be no entry.
    static func stateBefore(_ db: any SQLTransaction, _ id: MailingID, _ note: AuditNote?) throws -> AuditedValues? {
        note == nil ? nil : try MailingRecord.one(db, id).map { AuditedValues(state: $0) }
    }

    /// Adds the audit entry of a state that has changed.
    static func note(_ db: any SQLTransaction, _ note: AuditNote?, on id: MailingID, before: AuditedValues?, now: Int64) throws {
        guard let before, let record = try MailingRecord.one(db, id) else { return }
        try Self.note(db, note, on: .mailing(id), before: before, after: AuditedValues(state: record), now: now)
    }

    /// How a mailing's state is to change.
    struct StateChange: Sendable {
        var to: MailingState
        /// Nothing changes unless the mailing is in one of these.
        var from: Set<MailingState>
        var reason = StateReason.none
        /// Milliseconds since 1970.
        var now: Int64
    }

    /// - Returns: whether the state changed.
    static func setState(_ db: any SQLTransaction, _ id: MailingID, _ change: StateChange) throws -> Bool {
        let sources = change.from.map { "'\($0.rawValue)'" }.sorted().joined(separator: ",")
        let starts = change.to == .collecting || change.to == .sending
        // A mailing is sent only when each of its recipients is terminal, whatever the caller believes.
        let condition =
            change.to != .sent
            ? ""
            : """
            AND planning_done = 1 AND NOT EXISTS (
                SELECT 1 FROM counter WHERE mailing = mailing.id AND state IN ('planned', 'deferred', 'uncertain') AND n > 0)
            """
        try db.run(
            """
            UPDATE mailing SET state = ?, reason_kind = ?, actor = ?, reason = ?, stuck_since = NULL, stuck_reason = '',
                state_changed = ?, finished = ?, started = CASE WHEN ? = 1 THEN coalesce(started, ?) ELSE started END
            WHERE id = ? AND state IN (\(sources)) \(condition)
            """,
            [
                change.to.rawValue, change.reason.kind?.rawValue ?? "", change.reason.actor, change.reason.text,
                change.now, change.to.isTerminal ? change.now : nil, starts, change.now, id.description,
            ])
        guard db.changes > 0 else { return false }
        if change.to == .stopped { try settle(db, id) }
        try db.tell(change.to, of: id, at: change.now)
        return true
    }

    package func resume(_ id: MailingID, atOnce: Bool, note: AuditNote?, now: Int64) async throws(LedgerError) -> MailingState? {
        try await write("state") { db in
            let before = try Self.stateBefore(db, id, note)
            try db.run(
                """
                UPDATE mailing SET reason_kind = '', actor = '', reason = '', state_changed = ?2, brake_since = ?2,
                    state = CASE WHEN planning_done = 1 THEN 'sending' WHEN started IS NULL THEN 'scheduled' ELSE 'collecting' END,
                    start = CASE WHEN ?1 = 1 AND start <= ?2 THEN NULL ELSE start END
                WHERE id = ?3 AND state = 'paused'
                """, [atOnce, now, id.description])
            guard db.changes > 0 else { return nil }
            try db.run("DELETE FROM brake_finding WHERE mailing = ?", [id.description])
            // A person who resumes a mailing has fixed what was refused, or tries whether it is refused still.
            try db.run("UPDATE recipient_error SET held = 0 WHERE mailing = ? AND held = 1", [id.description])
            try Self.note(db, note, on: id, before: before, now: now)
            let state = try MailingRecord.one(db, id)?.state
            if let state { try db.tell(state, of: id, at: now) }
            return state
        }
    }

    package func noteStuck(_ id: MailingID, why: String?, now: Int64) async throws(LedgerError) -> Bool {
        try await write("state") { db in
            try db.run(
                """
                UPDATE mailing SET stuck_since = CASE WHEN ?1 IS NULL THEN NULL ELSE ?2 END, stuck_reason = coalesce(?1, '')
                WHERE id = ?3 AND state = 'sending' AND (stuck_since IS NULL) = (?1 IS NOT NULL)
                """, [why, now, id.description])
            return db.changes > 0
        }
    }

    package func setSpeed(_ id: MailingID, _ speed: String?, note: AuditNote?, now: Int64) async throws(LedgerError) {
        try await write("speed") { db in
            var (before, after) = (AuditedValues(), AuditedValues())
            before.speed = try MailingRecord.one(db, id)?.speed ?? "none"
            try db.run("UPDATE mailing SET speed = ? WHERE id = ?", [speed, id.description])
            guard db.changes == 1 else { throw LedgerError.refused("there is no mailing \(id) in the ledger") }
            after.speed = try MailingRecord.one(db, id)?.speed ?? "none"
            try Self.note(db, note, on: .mailing(id), before: before, after: after, now: now)
        }
    }
}

extension MailingRecord {
    /// - Throws: `LedgerError.unreadable` where it is there and cannot be read.
    static func one(_ db: any SQLTransaction, _ id: MailingID) throws -> MailingRecord? {
        let found = try all(db, "WHERE id = ?", [id.description])
        if let one = found.unreadable.first { throw one.error }
        return found.records.first
    }

    /// The condition that names the newest mailings in one of `states`, all for nil; its one argument is how many.
    static func newest(of states: Set<MailingState>?) -> String {
        let wanted = (states ?? Set(MailingState.allCases)).map { "'\($0.rawValue)'" }.sorted().joined(separator: ",")
        return "WHERE state IN (\(wanted)) ORDER BY created DESC, id DESC LIMIT ?"
    }

    /// The mailings that a condition names: those that can be read, and those that cannot.
    static func all(
        _ db: any SQLTransaction, _ condition: String, _ arguments: [any SQLConvertible]
    ) throws -> (records: [MailingRecord], unreadable: [UnreadableMailing]) {
        let cursor = try db.rows(
            """
            SELECT id, definition, source, origin, state, reason, created, started, planned, finished, planned_count,
                excluded_count, next_batch, rows_read, source_size, source_modified, planning_done, speed, start,
                reason_kind, actor, stuck_since, stuck_reason, identity, only_new, state_changed, source_checksum, pruned,
                lifetime
            FROM mailing \(condition)
            """, arguments)
        var records: [MailingRecord] = []
        var unreadable: [UnreadableMailing] = []
        while let row = try cursor.next() {
            do { records.append(try MailingRecord(row)) } catch {
                let id = (try? row.read(0) as String) ?? ""
                let isNewer = (error as? WireError)?.isNewer == true
                unreadable.append(
                    UnreadableMailing(
                        id: id, state: (try? row.read(4) as String) ?? "",
                        error: isNewer ? .newerMailing(id, why: why(error)) : .unreadable(mailing: id, why: why(error))))
            }
        }
        return (records, unreadable)
    }

    /// What is wrong with a row. The message of a decoder would show the content.
    private static func why(_ error: any Error) -> String {
        switch error {
        case let error as RowFault: error.text
        case let error as WireError: "\(error)"
        case is SQLDamage: "a column of its row holds a value that cannot be"
        default: "its definition is not of the form that this release knows"
        }
    }

    private struct RowFault: Error {
        let text: String
    }

    private init(_ row: any SQLRow) throws {
        let text: String = try row.read(0)
        let name: String = try row.read(4)
        guard let id = MailingID(text) else {
            throw RowFault(text: "its id is none")
        }
        guard let state = MailingState(rawValue: name) else {
            throw RowFault(text: "this release does not know its state")
        }
        let decoder = JSONDecoder()
        let definition: String = try row.read(1)
        let source: String? = try row.read(2)
        let known = try decoder.decode(MailingDefinition.self, from: Data(definition.utf8))
        self.id = id
        (mailing, contents) = (known.mailing, known.contents)
        self.source = try source.map { try decoder.decode(RecipientSource.self, from: Data($0.utf8)) }
        origin = try row.read(3)
        identity = try MailingIdentity(row.read(23))
        onlyNew = try row.read(24)
        self.state = state
        stateChanged = try row.read(25)
        stateReason = try StateReason(kind: StateReason.Kind(rawValue: row.read(19)), actor: row.read(20), text: row.read(5))
        created = try row.read(6)
        start = try row.read(18)
        started = try row.read(7)
        planned = try row.read(8)
        finished = try row.read(9)
        plannedCount = try row.read(10)
        excludedCount = try row.read(11)
        nextBatch = try row.read(12)
        rowsRead = try row.read(13)
        sourceSize = try row.read(14)
        sourceModified = try row.read(15)
        sourceChecksum = try row.integer(26)
        planningDone = try row.read(16)
        speedOverride = try row.read(17)
        stuckSince = try row.read(21)
        stuckReason = try row.read(22)
        pruned = try row.read(27)
        lifetime = try row.read(28)
    }
}
