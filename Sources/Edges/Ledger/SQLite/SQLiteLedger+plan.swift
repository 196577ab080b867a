import Foundation
import GRDB
package import Model

extension SQLiteLedger: PlanStore {
    package func noteSource(_ id: MailingID, size: Int64, modified: Int64) async throws(LedgerError) {
        try await write("source") { [self] db in
            try requirePlanning(db)
            try db.execute(
                sql: "UPDATE mailing SET source_size = ?, source_modified = ? WHERE id = ?",
                arguments: [size, modified, id.description])
        }
    }

    package func appendPlan(
        _ id: MailingID, batches: [PlannedBatch], exclusions: [Exclusion], rowsRead: Int
    ) async throws(LedgerError) {
        try await write("plan") { [self] db in
            try requirePlanning(db)
            let row = try Row.fetchOne(
                db, sql: "SELECT next_batch, planning_done, state FROM mailing WHERE id = ?",
                arguments: [id.description])
            guard let row else { throw LedgerError.refused("there is no mailing \(id) in the ledger") }
            let next: Int = row[0]
            let isDone: Bool = row[1]
            guard !isDone, MailingState(rawValue: row[2])?.isTerminal == false else {
                throw LedgerError.refused("mailing \(id) is no longer being planned (its state is \(row[2] as String))")
            }
            for (offset, batch) in batches.enumerated() {
                guard batch.number == next + offset else {
                    throw LedgerError.refused(
                        "batch \(batch.number) of mailing \(id) does not follow batch \(next + offset - 1): is another planner at work?"
                    )
                }
                try Self.insert(batch, of: id, db)
            }
            try Self.insert(exclusions, of: id, db)
            let count = batches.reduce(0) { $0 + $1.count }
            try Self.count(db, id, .planned, count)
            try db.execute(
                sql: """
                    UPDATE mailing SET next_batch = next_batch + ?, planned_count = planned_count + ?,
                        excluded_count = excluded_count + ?, rows_read = ?
                    WHERE id = ?
                    """,
                arguments: [batches.count, count, exclusions.count, rowsRead, id.description])
        }
    }

    private static func insert(_ batch: PlannedBatch, of id: MailingID, _ db: Database) throws {
        guard batch.count > 0, batch.fingerprints.count == batch.count else {
            throw LedgerError.refused(
                "batch \(batch.number) of mailing \(id) has \(batch.count) recipients, but \(batch.fingerprints.count) fingerprints"
            )
        }
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
        for (reason, count) in reasons {
            try db.cachedStatement(
                sql: """
                    INSERT INTO exclusion_count (mailing, reason, n) VALUES (?, ?, ?)
                    ON CONFLICT DO UPDATE SET n = n + excluded.n
                    """
            ).execute(arguments: [id.description, reason.rawValue, count])
        }
    }

    /// What was left out may be anything, megabytes in one field included: its beginning tells enough.
    private static func shortened(_ text: String) -> String {
        text.utf8.count <= 512 ? text : text.prefix(200) + "…"
    }

    package func finishPlan(_ id: MailingID, now: Int64) async throws(LedgerError) {
        try await write("plan end") { [self] db in
            try requirePlanning(db)
            try db.execute(
                sql: """
                    UPDATE mailing SET planning_done = 1, planned = coalesce(planned, ?),
                        state = iif(state = 'collecting', 'sending', state)
                    WHERE id = ?
                    """,
                arguments: [now, id.description])
        }
    }

    package func failPlan(_ id: MailingID, reason: String, now: Int64) async throws(LedgerError) {
        try await write("plan end") { [self] db in
            try requirePlanning(db)
            try db.execute(
                sql: """
                    UPDATE mailing SET state = 'failed', reason = ?, finished = ?
                    WHERE id = ? AND state NOT IN ('sent', 'stopped', 'failed')
                    """,
                arguments: [reason, now, id.description])
        }
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
