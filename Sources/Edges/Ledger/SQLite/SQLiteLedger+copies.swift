import GRDB
package import Model

extension SQLiteLedger: CopyStore {
    /// Counts a commit that Redis will be told of.
    /// - Returns: the number of commits, this one included.
    static func countCommit(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db.cachedStatement(sql: "UPDATE ledger SET commits = commits + 1 RETURNING commits")) ?? 0
    }

    package func commits() async throws(LedgerError) -> Int64 {
        try await read("counting commits") { db in
            try Int64.fetchOne(db.cachedStatement(sql: "SELECT commits FROM ledger")) ?? 0
        }
    }

    package func copyMark() async throws(LedgerError) -> CopyMark {
        try await read("looking for a copy") { db in
            let row = try Row.fetchOne(db.cachedStatement(sql: "SELECT commits, restored, older_than FROM ledger"))
            return try row.map { try CopyMark(commits: $0.read(0), restored: $0.read(1), olderThan: $0.read(2)) } ?? CopyMark()
        }
    }

    package func noteOlder(than commits: Int64) async throws(LedgerError) {
        try await write("restore") { db in
            try db.execute(sql: "UPDATE ledger SET older_than = max(coalesce(older_than, 0), ?)", arguments: [commits])
        }
    }

    package func unfinished() async throws(LedgerError) -> [MailingID] {
        try await read("looking for work") { db in try Self.unfinished(db, onlyRestored: false).map(\.id) }
    }

    /// - Parameter onlyRestored: leaves out those that were added after a person had put the copy in its place.
    private static func unfinished(_ db: Database, onlyRestored: Bool) throws -> [(id: MailingID, isPlanned: Bool)] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT id, planning_done FROM mailing
                WHERE state IN ('scheduled', 'collecting', 'sending', 'paused', 'stopped') AND settled = 0 AND restored >= ? ORDER BY id
                """, arguments: [onlyRestored])
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
            try db.execute(sql: "UPDATE mailing SET restored = 0 WHERE restored = 1")
            try db.execute(
                sql: "UPDATE ledger SET commits = max(commits, ?) + 1, restored = NULL, older_than = NULL", arguments: [commits])
            return outcome
        }
    }

    private static func doubt(_ db: Database, _ doubt: CopyDoubt, _ now: Int64) throws -> (listed: Int, paused: [MailingID]) {
        var listed = 0
        var paused: [MailingID] = []
        let reason = StateReason(
            kind: .restored,
            text: """
                the ledger is an older copy, and this mailing may have been sent since: flotilla mailing resume sends it to everybody, \
                flotilla mailing stop ends it
                """)
        let isRestored = try Bool.fetchOne(db, sql: "SELECT restored IS NOT NULL FROM ledger") ?? false
        for (id, isPlanned) in try unfinished(db, onlyRestored: isRestored) {
            let policy = doubt.holdsAll ? .hold : try uncertainPolicy(db, id)
            listed += try self.doubt(db, id, upTo: doubt.reached[id], Loss(why: doubt.why, policy: policy, at: now))
            try settle(db, id)
            guard !isPlanned else { continue }
            let change = StateChange(to: .paused, from: [.scheduled, .collecting], reason: reason, now: now)
            if try setState(db, id, change) { paused.append(id) }
        }
        return (listed, paused)
    }

    /// Lists the open recipients of batches that may have been dispatched since a copy was made.
    /// - Parameter last: the last such batch; nil for all.
    private static func doubt(_ db: Database, _ id: MailingID, upTo last: Int?, _ loss: Loss) throws -> Int {
        let numbers = try Int.fetchAll(
            db, sql: "SELECT number FROM progress WHERE mailing = ? AND number <= ? AND open > 0 ORDER BY number",
            arguments: [id.description, last ?? Int.max])
        var listed = 0
        for number in numbers {
            let batch = BatchID(mailing: id, number: number)
            guard var progress = try BatchProgress.load(db, batch) else { continue }
            let deferred = Set(progress.states.indices.filter { progress.state($0) == .deferred })
            // Results of dispatches that this copy does not know must not end one that comes.
            progress.dispatchNumber += dispatchesUnknown
            _ = progress.dispatch(due: deferred, now: loss.at)
            try progress.store(db, batch)
            let dispatch = Dispatch(batch: batch, dispatchNumber: progress.dispatchNumber)
            listed += try giveUp(db, dispatch, loss) ?? 0
        }
        return listed
    }

    /// No batch was dispatched more often since a copy was made.
    private static let dispatchesUnknown = 1_000_000
}
