import Foundation
import GRDB
package import Model

extension SQLiteLedger: MailingStore {
    package func create(
        _ id: MailingID, mailing: Mailing, source: RecipientSource?, origin: String, state: MailingState, start: Int64?,
        now: Int64
    ) async throws(LedgerError) {
        try await write("create") { db in
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let definition = String(decoding: try encoder.encode(mailing), as: UTF8.self)
            let source = try source.map { String(decoding: try encoder.encode($0), as: UTF8.self) }
            let started: Int64? = state == .collecting || state == .sending ? now : nil
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO mailing (id, name, channel, definition, source, origin, state, created, started,
                        start, provider, lifetime, own_speed)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    id.description, mailing.name, mailing.channel.rawValue, definition, source, origin, state.rawValue,
                    now, started, start, mailing.provider, MailingRecord.milliseconds(lifetime: mailing.lifetime), mailing.speed,
                ])
            guard db.changesCount == 1 else {
                throw LedgerError.refused("there is a mailing \(id) in the ledger already")
            }
        }
    }

    package func mailing(_ id: MailingID) async throws(LedgerError) -> MailingRecord? {
        try await read("reading a mailing") { db in try MailingRecord.one(db, id) }
    }

    package func mailings(states: Set<MailingState>?, limit: Int) async throws(LedgerError) -> [MailingRecord] {
        try await read("listing mailings") { db in
            try MailingRecord.all(db, MailingRecord.newest(of: states), [limit])
        }
    }

    package func find(prefix: String) async throws(LedgerError) -> [MailingRecord] {
        try await read("finding a mailing") { db in
            let wanted = prefix.lowercased()
            return try MailingRecord.all(
                db, "WHERE substr(id, 1, length(?)) = ? ORDER BY id DESC LIMIT 10", [wanted, wanted])
        }
    }

    package func unfinished(origin: String) async throws(LedgerError) -> MailingRecord? {
        try await read("finding a mailing") { db in
            try MailingRecord.all(
                db,
                """
                WHERE origin = ? AND state NOT IN ('sent', 'stopped', 'failed') ORDER BY created DESC, id DESC LIMIT 1
                """, [origin]
            ).first
        }
    }

    package func latest(origin: String) async throws(LedgerError) -> MailingRecord? {
        try await read("finding a mailing") { db in
            try MailingRecord.all(db, "WHERE origin = ? ORDER BY created DESC, id DESC LIMIT 1", [origin]).first
        }
    }

    package func setState(
        _ id: MailingID, to state: MailingState, from: Set<MailingState>, reason: StateReason, now: Int64
    ) async throws(LedgerError) -> Bool {
        try await write("state") { db in
            try Self.setState(db, id, StateChange(to: state, from: from, reason: reason, now: now))
        }
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
    static func setState(_ db: Database, _ id: MailingID, _ change: StateChange) throws -> Bool {
        let sources = change.from.map { "'\($0.rawValue)'" }.sorted().joined(separator: ",")
        let starts = change.to == .collecting || change.to == .sending
        // A mailing is sent only when each of its recipients is terminal, whoever says otherwise.
        let condition =
            change.to != .sent
            ? ""
            : """
            AND planning_done = 1 AND NOT EXISTS (
                SELECT 1 FROM counter WHERE mailing = mailing.id AND state IN ('planned', 'deferred', 'uncertain') AND n > 0)
            """
        try db.cachedStatement(
            sql: """
                UPDATE mailing SET state = ?, reason_kind = ?, actor = ?, reason = ?, stuck_since = NULL, stuck_reason = '',
                    finished = ?, started = iif(?, coalesce(started, ?), started)
                WHERE id = ? AND state IN (\(sources)) \(condition)
                """
        ).execute(arguments: [
            change.to.rawValue, change.reason.kind?.rawValue ?? "", change.reason.actor, change.reason.text,
            change.to.isTerminal ? change.now : nil, starts, change.now, id.description,
        ])
        guard db.changesCount > 0 else { return false }
        if change.to == .stopped { try settle(db, id) }
        return true
    }

    package func resume(_ id: MailingID, atOnce: Bool, now: Int64) async throws(LedgerError) -> MailingState? {
        try await write("state") { db in
            try db.execute(
                sql: """
                    UPDATE mailing SET reason_kind = '', actor = '', reason = '',
                        state = iif(planning_done, 'sending', iif(started IS NULL, 'scheduled', 'collecting')),
                        start = iif(? AND start <= ?, NULL, start)
                    WHERE id = ? AND state = 'paused'
                    """,
                arguments: [atOnce, now, id.description])
            guard db.changesCount > 0 else { return nil }
            // Whoever resumes it has mended what was refused, or wants to see for themselves.
            try db.execute(
                sql: "UPDATE recipient_error SET held = 0 WHERE mailing = ? AND held = 1", arguments: [id.description])
            return try MailingRecord.one(db, id)?.state
        }
    }

    package func noteStuck(_ id: MailingID, why: String?, now: Int64) async throws(LedgerError) -> Bool {
        try await write("state") { db in
            try db.execute(
                sql: """
                    UPDATE mailing SET stuck_since = iif(?1 IS NULL, NULL, ?2), stuck_reason = coalesce(?1, '')
                    WHERE id = ?3 AND state = 'sending' AND (stuck_since IS NULL) = (?1 IS NOT NULL)
                    """, arguments: [why, now, id.description])
            return db.changesCount > 0
        }
    }

    package func setSpeed(_ id: MailingID, _ speed: String?) async throws(LedgerError) {
        try await write("speed") { db in
            try db.execute(sql: "UPDATE mailing SET speed = ? WHERE id = ?", arguments: [speed, id.description])
            guard db.changesCount == 1 else { throw LedgerError.refused("there is no mailing \(id) in the ledger") }
        }
    }
}

extension MailingRecord {
    static func one(_ db: Database, _ id: MailingID) throws -> MailingRecord? {
        try all(db, "WHERE id = ?", [id.description]).first
    }

    /// The condition that names the newest mailings in one of `states`, all for nil; its one argument is how many.
    static func newest(of states: Set<MailingState>?) -> String {
        let wanted = (states ?? Set(MailingState.allCases)).map { "'\($0.rawValue)'" }.sorted().joined(separator: ",")
        return "WHERE state IN (\(wanted)) ORDER BY created DESC, id DESC LIMIT ?"
    }

    /// The mailings that a condition names.
    static func all(_ db: Database, _ condition: String, _ arguments: StatementArguments) throws -> [MailingRecord] {
        let cursor = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT id, definition, source, origin, state, reason, created, started, planned, finished, planned_count,
                        excluded_count, next_batch, rows_read, source_size, source_modified, planning_done, speed, start,
                        reason_kind, actor, stuck_since, stuck_reason
                    FROM mailing \(condition)
                    """),
            arguments: arguments)
        var records: [MailingRecord] = []
        while let row = try cursor.next() { records.append(try MailingRecord(row)) }
        return records
    }

    private init(_ row: Row) throws {
        let text: String = row[0]
        let name: String = row[4]
        guard let id = MailingID(text) else {
            throw LedgerError.refused("the ledger holds a mailing '\(text)', which is no id")
        }
        guard let state = MailingState(rawValue: name) else {
            throw LedgerError.refused("mailing \(id) has the state '\(name)', which this release does not know")
        }
        let decoder = JSONDecoder()
        let definition: String = row[1]
        let source: String? = row[2]
        self.init(
            id: id, mailing: try decoder.decode(Mailing.self, from: Data(definition.utf8)),
            source: try source.map { try decoder.decode(RecipientSource.self, from: Data($0.utf8)) },
            origin: row[3], state: state,
            stateReason: StateReason(kind: StateReason.Kind(rawValue: row[19]), actor: row[20], text: row[5]), created: row[6],
            start: row[18], started: row[7],
            planned: row[8], finished: row[9], plannedCount: row[10], excludedCount: row[11], nextBatch: row[12], rowsRead: row[13],
            sourceSize: row[14], sourceModified: row[15], planningDone: row[16], speedOverride: row[17], stuckSince: row[21],
            stuckReason: row[22])
    }
}
