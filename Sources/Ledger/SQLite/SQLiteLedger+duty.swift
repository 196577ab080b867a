import GRDB
import Synchronization

extension SQLiteLedger: DutyStore {
    package func takeDuty(
        _ name: String, holder: String, until: Int64, now: Int64, isHolderGone: Bool
    ) async throws(LedgerError) -> Int64? {
        try await write("duty") { db in
            let last = try Self.duty(db, name)
            guard last.map({ isHolderGone || $0.holder.isEmpty || $0.holder == holder || $0.until <= now }) ?? true else {
                return nil
            }
            let fence = (last?.fence ?? 0) + 1
            try db.execute(
                sql: "INSERT OR REPLACE INTO duty (name, holder, fence, until) VALUES (?, ?, ?, ?)",
                arguments: [name, holder, fence, until])
            return fence
        }
    }

    package func renewDuty(_ name: String, fence: Int64, until: Int64) async throws(LedgerError) -> Bool {
        try await write("duty") { db in
            try db.execute(
                sql: "UPDATE duty SET until = ? WHERE name = ? AND fence = ? AND holder <> ''",
                arguments: [until, name, fence])
            return db.changesCount == 1
        }
    }

    package func releaseDuty(_ name: String, fence: Int64) async throws(LedgerError) {
        try await write("duty") { db in
            // The row stays, for the next fence to be above this one.
            try db.execute(
                sql: "UPDATE duty SET holder = '', until = 0 WHERE name = ? AND fence = ?", arguments: [name, fence])
        }
    }

    package func dutyHolder(_ name: String) async throws(LedgerError) -> DutyHolder? {
        try await read("reading a duty") { db in
            try Self.duty(db, name).flatMap { $0.holder.isEmpty ? nil : $0 }
        }
    }

    package func identity() async throws(LedgerError) -> String {
        try await read("reading the ledger's identity") { db in
            try String.fetchOne(db, sql: "SELECT identity FROM ledger") ?? ""
        }
    }

    package func guardPlanning(fence: Int64?) { planningFence.withLock { $0 = fence } }

    /// - Throws: `LedgerError.dutyLost` when `guardPlanning` demands a fence that is no longer that of the duty.
    func requirePlanning(_ db: Database) throws {
        guard let fence = planningFence.withLock({ $0 }) else { return }
        let held = try Self.duty(db, Duty.planning)
        guard let held, held.fence == fence, !held.holder.isEmpty else { throw LedgerError.dutyLost(path: path) }
    }

    /// The row of a duty; its holder is empty when it was given back.
    private static func duty(_ db: Database, _ name: String) throws -> DutyHolder? {
        let cursor = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT holder, fence, until FROM duty WHERE name = ?"), arguments: [name])
        return try cursor.next().map { DutyHolder(holder: $0[0], fence: $0[1], until: $0[2]) }
    }
}
