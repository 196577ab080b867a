import GRDB
package import Model

extension SQLiteLedger: Outbox {
    package func dispatchBatches(_ id: MailingID, limit: Int, now: Int64) async throws(LedgerError) -> [DispatchedBatch] {
        // A dispatcher asks often and mostly in vain: asking does not take the lock that writers share.
        let isReady = try await read("looking for batches") { db in
            try !Self.ready(db, id, limit: 1, now: now).isEmpty
        }
        guard isReady, limit > 0 else { return [] }
        return try await write("take") { [self] db in
            try requirePlanning(db)
            guard let record = try MailingRecord.one(db, id), record.state == .collecting || record.state == .sending
            else {
                return []
            }
            var batches: [DispatchedBatch] = []
            for number in try Self.ready(db, id, limit: limit, now: now) {
                let batch = BatchID(mailing: id, number: number)
                guard var progress = try BatchProgress.load(db, batch) else { continue }
                let due = try progress.count(of: .deferred) == 0 ? [] : Self.due(db, batch, now: now)
                let open = progress.feed(due: due, now: now)
                if progress.owesNothing { continue }
                try progress.store(db, batch)
                batches.append(try Self.fedBatch(db, batch, progress, open, expires: record.expires ?? Int64.max))
            }
            return batches
        }
    }

    /// The numbers of batches to feed: due retries for up to half of them, then first attempts, then more retries.
    private static func ready(_ db: Database, _ id: MailingID, limit: Int, now: Int64) throws -> [Int] {
        let retries = try Int.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT number FROM progress WHERE mailing = ? AND ready > 0 AND ready <= ? ORDER BY ready, number LIMIT ?
                    """),
            arguments: [id.description, now, limit])
        let first = try Int.fetchAll(
            db.cachedStatement(
                sql: "SELECT number FROM progress WHERE mailing = ? AND ready = 0 ORDER BY number LIMIT ?"),
            arguments: [id.description, limit])
        let retried = max(min(retries.count, (limit + 1) / 2), min(retries.count, limit - first.count))
        return Array(retries.prefix(retried)) + first.prefix(limit - retried)
    }

    /// The deferred recipients of a batch that are due.
    private static func due(_ db: Database, _ id: BatchID, now: Int64) throws -> Set<Int> {
        try Int.fetchSet(
            db.cachedStatement(
                sql: "SELECT idx FROM setback WHERE mailing = ? AND batch = ? AND due > 0 AND due <= ?"),
            arguments: [id.mailing.description, id.number, now])
    }

    private static func fedBatch(
        _ db: Database, _ id: BatchID, _ progress: BatchProgress, _ open: [OpenRecipient]?, expires: Int64
    ) throws -> DispatchedBatch {
        guard let recipients = try batchText(db, id) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "batch \(id) has no recipients")
        }
        return DispatchedBatch(
            id: id, dispatchNumber: progress.dispatchNumber, recipients: recipients, count: progress.states.count, open: open,
            expires: expires, fed: progress.fed)
    }

    /// The wire form of a batch's recipients.
    static func batchText(_ db: Database, _ id: BatchID) throws -> [UInt8]? {
        let cursor = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT recipients FROM batch WHERE mailing = ? AND number = ?"),
            arguments: [id.mailing.description, id.number])
        return try cursor.next()?.withUnsafeData(atIndex: 0) { $0.map { [UInt8]($0) } }
    }

    package func openDispatches(_ id: MailingID) async throws(LedgerError) -> [DispatchMark] {
        try await read("listing fed batches") { db in
            let cursor = try Row.fetchCursor(
                db.cachedStatement(
                    sql: "SELECT number, generation, fed FROM progress WHERE mailing = ? AND fed > 0 ORDER BY number"),
                arguments: [id.description])
            var marks: [DispatchMark] = []
            while let row = try cursor.next() { marks.append(DispatchMark(number: row[0], dispatchNumber: row[1], fed: row[2])) }
            return marks
        }
    }

    package func giveUp(
        _ batch: BatchID, dispatchNumber: Int, uncertain: Mailing.UncertainPolicy?, why: String, now: Int64
    ) async throws(LedgerError) -> Int? {
        try await write("give up") { [self] db in
            try requirePlanning(db)
            guard var progress = try BatchProgress.load(db, batch), progress.isFed, progress.dispatchNumber == dispatchNumber
            else {
                return nil
            }
            var listed = 0
            if let uncertain {
                let entry = UncertainEntry(
                    dispatchNumber: dispatchNumber, worker: "", at: now, why: why, isHeld: uncertain == .hold)
                listed = try Self.list(db, batch, &progress, entry)
            }
            progress.close()
            try progress.store(db, batch)
            return listed
        }
    }

    /// Puts each recipient of whom the dispatch owes a result on the list of the uncertain.
    private static func list(
        _ db: Database, _ batch: BatchID, _ progress: inout BatchProgress, _ entry: UncertainEntry
    ) throws -> Int {
        var listed = 0
        var held: [RecipientState: Int] = [:]
        for index in progress.states.indices where progress.isAwaited(index) {
            listed += 1
            guard try entry.store(db, batch, index), let old = progress.state(index),
                old.rank < RecipientState.uncertain.rank
            else { continue }
            progress.states[index] = StateCode.code(.uncertain)
            if old == .deferred { try LastError.remove(db, batch, index) }
            held[old, default: 0] += 1
        }
        for (old, count) in held { try Self.count(db, batch.mailing, old, -count) }
        try Self.count(db, batch.mailing, .uncertain, held.values.reduce(0, +))
        return listed
    }
}
