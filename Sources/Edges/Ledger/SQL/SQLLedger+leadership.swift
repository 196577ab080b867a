import Model
import Synchronization

extension SQLLedger: LeadershipStore {
    package func acquireLeadership(
        _ name: String, holder: String, for lease: Duration, isHolderGone: Bool
    ) async throws(LedgerError) -> Int64? {
        try await write("leadership") { db in
            let last = try Self.leadership(db, name)
            let now = try db.now()
            guard last.map({ isHolderGone || $0.holder.isEmpty || $0.holder == holder || $0.until <= now }) ?? true else {
                return nil
            }
            let fencingToken = (last?.fencingToken ?? 0) + 1
            try db.run(
                """
                INSERT INTO leadership (name, holder, fencing_token, until) VALUES (?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fencing_token = excluded.fencing_token, until = excluded.until
                """,
                [name, holder, fencingToken, now + lease.milliseconds])
            return fencingToken
        }
    }

    package func renewLeadership(_ name: String, fencingToken: Int64, for lease: Duration) async throws(LedgerError) -> Bool {
        try await write("leadership") { db in
            try db.run(
                "UPDATE leadership SET until = ? WHERE name = ? AND fencing_token = ? AND holder <> ''",
                [db.now() + lease.milliseconds, name, fencingToken])
            return db.changes == 1
        }
    }

    package func releaseLeadership(_ name: String, fencingToken: Int64) async throws(LedgerError) {
        try await write("leadership") { db in
            // The row stays, so that the next fencing token is higher than this one.
            try db.run("UPDATE leadership SET holder = '', until = 0 WHERE name = ? AND fencing_token = ?", [name, fencingToken])
        }
    }

    package func leader(_ name: String) async throws(LedgerError) -> Leader? {
        try await read("reading who leads") { db in
            guard var leader = try Self.leadership(db, name), !leader.holder.isEmpty else { return nil }
            leader.until += Clock.milliseconds() - (try db.now())
            return leader
        }
    }

    package func identity() async throws(LedgerError) -> String {
        try await read("reading the ledger's identity") { db in
            try db.one(String.self, "SELECT identity FROM ledger") ?? ""
        }
    }

    package func guardPlanning(fencingToken: Int64?) { planningFence.withLock { $0 = fencingToken } }

    /// - Throws: `LedgerError.leadershipLost` when `guardPlanning` demands a fencing token that is no longer the one of the leadership.
    func requirePlanning(_ db: any SQLTransaction) throws {
        guard let fencingToken = planningFence.withLock({ $0 }) else { return }
        let held = try Self.leadership(db, Leadership.planning, db.sharing)
        guard let held, held.fencingToken == fencingToken, !held.holder.isEmpty else { throw LedgerError.leadershipLost(path: path) }
    }

    /// The row of a leadership. The holder is empty when the leadership was given back.
    private static func leadership(_ db: any SQLTransaction, _ name: String, _ locking: String = "") throws -> Leader? {
        let cursor = try db.rows("SELECT holder, fencing_token, until FROM leadership WHERE name = ?" + locking, [name])
        return try cursor.next().map { try Leader(holder: $0.read(0), fencingToken: $0.read(1), until: $0.read(2)) }
    }
}
