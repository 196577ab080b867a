package import Model

extension SQLLedger {
    /// Batches that one transaction ends, and recipients, about: large mailings are ended in steps, so that others get at the ledger
    /// meanwhile, and what webhooks tell of it stays small.
    private static let step = 500
    private static let recipients = 50_000

    package func stopOpen(_ id: MailingID, now: Int64) async throws(LedgerError) -> Int {
        try await endOpen(id, as: .stopped, now: now)
    }

    package func expireOverdue(_ id: MailingID, now: Int64) async throws(LedgerError) -> Int {
        let expires = try await read("reading a lifetime") { db in
            try db.one(Int64.self, "SELECT started + lifetime FROM mailing WHERE id = ?", [id.description])
        }
        guard let expires, now >= expires else { return 0 }
        return try await endOpen(id, as: .expired, now: now)
    }

    private func endOpen(_ id: MailingID, as state: RecipientState, now: Int64) async throws(LedgerError) -> Int {
        var ended = 0
        var last: Int? = -1
        while let after = last {
            let (count, next) = try await write(state.name) { db in
                try Self.endOpen(db, id, as: state, after: after, now: now)
            }
            ended += count
            last = next
        }
        return ended
    }

    /// Ends the planned and deferred recipients of the next batches after a number.
    /// - Returns: how many, and the last batch it looked at; nil when there are no more.
    private static func endOpen(
        _ db: any SQLTransaction, _ id: MailingID, as state: RecipientState, after: Int, now: Int64
    ) throws -> (Int, Int?) {
        let numbers = try db.all(
            Int.self,
            """
            SELECT number FROM progress WHERE mailing = ? AND number > ? AND dispatched = 0 AND open > 0 ORDER BY number LIMIT ?
            """, [id.description, after, step])
        var failures = ResponseCounts(mailing: id)
        var ended: [RecipientState: Int] = [:]
        var last: Int?
        var hasMore = numbers.count == step
        for number in numbers {
            guard ended.values.reduce(0, +) < recipients else {
                hasMore = true
                break
            }
            last = number
            let batch = BatchID(mailing: id, number: number)
            guard var progress = try BatchProgress.load(db, batch), !progress.isDispatched else { continue }
            for index in progress.states.indices {
                guard let old = progress.state(index), old == .planned || old == .deferred else { continue }
                progress.states[index] = StateCode.code(state)
                ended[old, default: 0] += 1
                try db.tell(state, of: batch, index, at: now, attempts: progress.attempts(index))
                guard state == .expired else { continue }
                if old == .deferred, let failure = try LastError.failure(db, batch, index) {
                    failures.add(failure, 1)
                } else {
                    failures.add(try failures.id(db, .neverTried), 1)
                }
            }
            // An expired recipient keeps its last response; that of a stopped one does not matter.
            if state == .expired {
                try LastError.settle(db, batch)
            } else {
                try LastError.removeWaiting(db, batch)
            }
            try progress.store(db, batch)
        }
        for (old, count) in ended { try SQLLedger.count(db, id, old, -count) }
        let count = ended.values.reduce(0, +)
        try SQLLedger.count(db, id, state, count)
        try failures.store(db)
        try settle(db, id)
        return (count, hasMore ? last : nil)
    }
}
