import Foundation
import GRDB
package import Model

extension SQLiteLedger: PlanStore {
    /// When a mailing's planning begins, 0 for one that was interrupted: what the index `mailing_waiting` is by.
    static let begins = "iif(state = 'collecting', 0, coalesce(start, created))"

    package func waiting(only: MailingID?, now: Int64, limit: Int) async throws(LedgerError) -> WaitingMailings {
        try await read("looking for mailings to plan") { db in
            let isWaiting = "INDEXED BY mailing_waiting WHERE state IN ('scheduled', 'collecting') AND (?1 IS NULL OR id = ?1)"
            let due = try MailingRecord.all(
                db, "\(isWaiting) AND \(Self.begins) <= ?2 ORDER BY \(Self.begins), id LIMIT ?3",
                [only?.description, now, limit])
            let next = try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT min(\(Self.begins)) FROM mailing \(isWaiting) AND \(Self.begins) > ?2"),
                arguments: [only?.description, now])
            return WaitingMailings(due: due.records, unreadable: due.unreadable, next: next)
        }
    }

    package func writePlan(_ steps: [PlanStep], now: Int64) async throws(LedgerError) -> [MailingID: LedgerError] {
        guard !steps.isEmpty else { return [:] }
        return try await write("plan") { [self] db in
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
    private static func refusal(of step: PlanStep, _ db: Database) throws -> LedgerError? {
        let id = step.mailing
        let rows = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT next_batch, planning_done, state, started IS NOT NULL FROM mailing WHERE id = ?"),
            arguments: [id.description])
        guard let row = try rows.next() else { return .refused("there is no mailing \(id) in the ledger") }
        let next: Int = try row.read(0)
        let isDone: Bool = try row.read(1)
        let state: String = try row.read(2)
        let hasBegun: Bool = try row.read(3)
        if case .failed = step.ending { return nil }
        guard !isDone, MailingState(rawValue: state)?.isTerminal == false, hasBegun || state != "paused" else {
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

    private static func write(_ step: PlanStep, now: Int64, _ db: Database) throws {
        let id = step.mailing
        if case .failed(let reason) = step.ending {
            try db.cachedStatement(
                sql: """
                    UPDATE mailing SET state = 'failed', reason_kind = 'input', actor = '', reason = ?, finished = ?2, state_changed = ?2,
                        started = coalesce(started, ?2)
                    WHERE id = ? AND state NOT IN ('sent', 'stopped', 'failed')
                    """
            ).execute(arguments: [reason, now, id.description])
            return
        }
        for batch in step.batches { try insert(batch, of: id, db) }
        try insert(step.exclusions, of: id, db)
        try count(db, id, .sentBefore, step.reachedBefore)
        if step.unverified > 0 {
            try db.cachedStatement(sql: "UPDATE mailing SET unverified_count = unverified_count + ? WHERE id = ?")
                .execute(arguments: [step.unverified, id.description])
        }
        let count = step.batches.reduce(0) { $0 + $1.count }
        try Self.count(db, id, .planned, count)
        // The second parameter is when it begins, the fourth whether its plan is whole.
        try db.cachedStatement(
            sql: """
                UPDATE mailing SET next_batch = next_batch + ?1, started = coalesce(started, ?2), planned_count = planned_count + ?3,
                    planning_done = ?4, planned = iif(?4, coalesce(planned, ?2), planned),
                    state = CASE WHEN ?4 AND state IN ('scheduled', 'collecting') THEN 'sending' WHEN state = 'scheduled' THEN 'collecting'
                        ELSE state END,
                    excluded_count = excluded_count + ?5, rows_read = coalesce(?6, rows_read), source_size = coalesce(?7, source_size),
                    source_modified = coalesce(?8, source_modified), source_checksum = coalesce(?9, source_checksum),
                    suppression_revision = coalesce(suppression_revision, ?10)
                WHERE id = ?11
                """
        ).execute(arguments: [
            step.batches.count, now, count, step.ending == .whole, step.exclusions.count + step.reachedBefore, step.rowsRead,
            step.sourceSize, step.sourceModified, step.sourceChecksum, step.suppressionRevision, id.description,
        ])
    }

    private static func insert(_ batch: PlannedBatch, of id: MailingID, _ db: Database) throws {
        let mailing = id.description
        try db.cachedStatement(sql: "INSERT INTO batch (mailing, number, count, recipients) VALUES (?, ?, ?, ?)")
            .execute(
                arguments: [mailing, batch.number, batch.count, String(decoding: batch.recipients, as: UTF8.self)])
        var hashes = Data(capacity: batch.count * 4)
        for hash in batch.fingerprints {
            withUnsafeBytes(of: hash.littleEndian) { hashes.append(contentsOf: $0) }
        }
        try db.cachedStatement(sql: "INSERT INTO fingerprint (mailing, batch, hashes) VALUES (?, ?, ?)").execute(
            arguments: [mailing, batch.number, hashes])
        let progress = BatchProgress(planned: batch.count)
        try db.cachedStatement(
            sql: "INSERT INTO progress (mailing, number, ready, open, states, attempts) VALUES (?, ?, 0, ?, ?, ?)"
        ).execute(arguments: [
            mailing, batch.number, batch.count, String(decoding: progress.states, as: UTF8.self),
            String(decoding: progress.attempts, as: UTF8.self),
        ])
    }

    private static func insert(_ exclusions: [Exclusion], of id: MailingID, _ db: Database) throws {
        guard !exclusions.isEmpty else { return }
        let statement = try db.cachedStatement(
            sql: "INSERT INTO exclusion (mailing, row, reason, id, address, detail) VALUES (?, ?, ?, ?, ?, ?)")
        var reasons: [ExclusionReason: Int] = [:]
        for exclusion in exclusions {
            try statement.execute(arguments: [
                id.description, exclusion.row, exclusion.reason.rawValue, shortened(exclusion.id),
                shortened(exclusion.address), shortened(exclusion.detail),
            ])
            reasons[exclusion.reason, default: 0] += 1
        }
        for (reason, count) in reasons { try Self.count(db, id, reason, count) }
    }

    /// Adds to the counter of a reason.
    private static func count(_ db: Database, _ id: MailingID, _ reason: ExclusionReason, _ count: Int) throws {
        guard count > 0 else { return }
        try db.cachedStatement(
            sql: """
                INSERT INTO exclusion_count (mailing, reason, n) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET n = n + excluded.n
                """
        ).execute(arguments: [id.description, reason.rawValue, count])
    }

    /// The values of an excluded row may be anything, megabytes in one field included: the beginning tells enough.
    private static func shortened(_ text: String) -> String {
        text.utf8.count <= 512 ? text : text.prefix(200) + "…"
    }

    /// Adds to the counter of a state.
    static func count(_ db: Database, _ id: MailingID, _ state: RecipientState, _ change: Int) throws {
        guard change != 0 else { return }
        try db.cachedStatement(
            sql: """
                INSERT INTO counter (mailing, state, n) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n
                """
        ).execute(arguments: [id.description, state.name, change])
    }
}
