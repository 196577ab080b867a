package import Model

extension SQLLedger: CopyStore {
    package func commits() async throws(LedgerError) -> Int64 {
        try await read("counting commits") { db in
            try db.commits()
        }
    }

    package func copyMark() async throws(LedgerError) -> CopyMark {
        try await read("looking for a copy") { db in
            let row = try db.row("SELECT restored, older_than FROM ledger")
            return try row.map { row in
                try CopyMark(
                    commits: db.commits(), restored: row.read(0), olderThan: row.read(1), isMoved: db.isMoved(),
                    standing: db.standing())
            } ?? CopyMark()
        }
    }

    package func noteOlder(than commits: Int64) async throws(LedgerError) {
        try await write("restore") { db in
            try db.run("UPDATE ledger SET older_than = CASE WHEN older_than > ?1 THEN older_than ELSE ?1 END", [commits])
        }
    }

    package func unfinished() async throws(LedgerError) -> [MailingID] {
        try await read("looking for work") { db in try Self.unfinished(db, onlyRestored: false).map(\.id) }
    }

    /// - Parameter onlyRestored: skips mailings that were added after a person had restored the copy.
    private static func unfinished(_ db: any SQLTransaction, onlyRestored: Bool) throws -> [(id: MailingID, isPlanned: Bool)] {
        let rows = try db.rows(
            """
            SELECT id, planning_done FROM mailing
            WHERE state IN ('scheduled', 'collecting', 'sending', 'paused', 'stopped') AND settled = 0 AND restored >= ? ORDER BY id
            """, [onlyRestored])
        var found: [(id: MailingID, isPlanned: Bool)] = []
        while let row = try rows.next() {
            if let id = try MailingID(row.read(0) as String) { try found.append((id, row.read(1))) }
        }
        return found
    }

    package func acceptCopy(
        _ doubt: CopyDoubt?, commits: Int64, now: Int64
    ) async throws(LedgerError) -> (listed: Int, paused: [MailingID]) {
        try await write("restore") { [self] db in
            try requirePlanning(db)
            let outcome = try doubt.map { try Self.doubt(db, $0, now) } ?? (0, [])
            try db.run("UPDATE mailing SET restored = 0 WHERE restored = 1")
            try db.raiseCommits(above: commits)
            try db.run("UPDATE ledger SET restored = NULL, older_than = NULL")
            return outcome
        }
    }

    package func listDispatchedBefore(_ id: MailingID, upTo last: Int, why: String, now: Int64) async throws(LedgerError) -> Int {
        try await write("restore") { [self] db in
            try requirePlanning(db)
            guard try !Self.hasDispatched(db, id) else { return 0 }
            let listed = try Self.doubt(db, id, upTo: last, Loss(why: why, policy: Self.uncertainPolicy(db, id), at: now))
            try Self.settle(db, id)
            return listed
        }
    }

    private static func doubt(_ db: any SQLTransaction, _ doubt: CopyDoubt, _ now: Int64) throws -> (listed: Int, paused: [MailingID]) {
        var listed = 0
        var paused: [MailingID] = []
        let reason = StateReason(
            kind: .restored,
            text: """
                the ledger is an older copy, and this mailing may have been sent since: flotilla mailing resume sends it to everybody, \
                flotilla mailing stop ends it
                """)
        let isRestored = try db.one(Bool.self, "SELECT restored IS NOT NULL FROM ledger") ?? false
        for (id, isPlanned) in try unfinished(db, onlyRestored: isRestored) {
            let policy = doubt.holdsAll ? .hold : try uncertainPolicy(db, id)
            let last = try doubt.reached[id] ?? (doubt.known.contains(id) && !hasDispatched(db, id) ? -1 : nil)
            listed += try self.doubt(db, id, upTo: last, Loss(why: doubt.why, policy: policy, at: now))
            try settle(db, id)
            guard !isPlanned, !doubt.known.contains(id) else { continue }
            let change = StateChange(to: .paused, from: [.scheduled, .collecting], reason: reason, now: now)
            if try setState(db, id, change) { paused.append(id) }
        }
        return (listed, paused)
    }

    /// Whether the ledger has dispatched something of a mailing.
    private static func hasDispatched(_ db: any SQLTransaction, _ id: MailingID) throws -> Bool {
        try db.one(Bool.self, "SELECT EXISTS (SELECT 1 FROM progress WHERE mailing = ? AND dispatch > 0)", [id.description]) ?? true
    }

    /// Lists the open recipients of batches that may have been dispatched since a copy was made.
    /// - Parameter last: the last such batch; nil for all.
    private static func doubt(_ db: any SQLTransaction, _ id: MailingID, upTo last: Int?, _ loss: Loss) throws -> Int {
        let numbers = try db.all(
            Int.self, "SELECT number FROM progress WHERE mailing = ? AND number <= ? AND open > 0 ORDER BY number",
            [id.description, last ?? Int.max])
        var listed = 0
        for number in numbers {
            let batch = BatchID(mailing: id, number: number)
            guard var progress = try BatchProgress.load(db, batch) else { continue }
            let deferred = Set(progress.states.indices.filter { progress.state($0) == .deferred })
            // Results of dispatches that this copy does not know must not end a later dispatch.
            progress.dispatchNumber += dispatchesUnknown
            _ = progress.dispatch(due: deferred, now: loss.at)
            try progress.store(db, batch)
            let dispatch = Dispatch(batch: batch, dispatchNumber: progress.dispatchNumber)
            listed += try giveUp(db, dispatch, loss) ?? 0
        }
        return listed
    }

    /// No batch is dispatched more often than this between the copy and its restore.
    private static let dispatchesUnknown = 1_000_000
}
