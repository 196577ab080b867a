import Model
import Policy

/// The choice of failed and expired recipients who are sent to again.
struct RetryChoice {
    /// A recipient of a mailing, by its batch and its place in it.
    struct Place: Sendable, Equatable {
        var batch: Int
        var index: Int

        /// Before all recipients.
        static let first = Place(batch: -1, index: -1)
    }

    /// Those among some that were looked at.
    struct Slice: Sendable {
        struct Batch: Sendable {
            var id: BatchID
            var progress: BatchProgress
            /// Each with the response that it is counted under.
            var recipients: [(index: Int, failure: Int64)] = []
        }

        var batches: [Batch] = []
        var mayHaveIt = 0
        var erased = 0
        /// The last one that was looked at; nil when there are no more.
        var next: Place?

        var count: Int { batches.reduce(0) { $0 + $1.recipients.count } }
    }

    let db: any SQLTransaction
    let id: MailingID
    let filter: RetryFilter
    /// Milliseconds since 1970.
    let now: Int64

    /// - Throws: `LedgerError.refused` for a mailing of which nobody can be sent to again.
    static func requireOpen(_ record: MailingRecord) throws {
        let id = record.id
        if record.pruned != nil { throw LedgerError.refused("mailing \(id) is pruned: the ledger has its recipients no more") }
        guard record.state != .stopped else {
            throw LedgerError.refused(
                """
                mailing \(id) is stopped and sends nothing any more; add its file again with --only-new, which sends to those whom it did \
                not reach
                """)
        }
        if record.state.isTerminal, !record.planningDone {
            throw LedgerError.refused("mailing \(id) failed before its recipients were planned; add its file again")
        }
    }

    /// Those behind a place who failed or expired as the filter says, and have no message.
    /// - Parameter limit: how many are looked at.
    func slice(after place: Place, limit: Int) throws -> Slice {
        let rows = try db.allRows(
            """
            SELECT e.batch, e.idx, e.failure FROM recipient_error e JOIN failure f ON f.id = e.failure
            WHERE e.mailing = ? AND (e.batch, e.idx) > (?, ?) AND e.due = 0 AND e.at >= ? AND e.at <= ? AND \(condition)
            ORDER BY e.batch, e.idx LIMIT ?
            """, [id.description, place.batch, place.index, filter.since ?? 0, min(filter.until ?? now, now), limit])
        var slice = Slice()
        for row in rows {
            let found = try Place(batch: row.read(0), index: row.read(1))
            slice.next = rows.count == limit ? found : nil
            if slice.batches.last?.id.number != found.batch {
                let batch = BatchID(mailing: id, number: found.batch)
                guard let progress = try BatchProgress.load(db, batch) else { continue }
                slice.batches.append(Slice.Batch(id: batch, progress: progress))
            }
            let last = slice.batches.count - 1
            let state = slice.batches[last].progress.state(found.index)
            // Somebody who is awaited is being sent to: the failure is of an earlier dispatch.
            guard state == .failed || state == .expired, !slice.batches[last].progress.isAwaited(found.index) else { continue }
            try slice.batches[last].recipients.append((found.index, row.read(2)))
        }
        try narrow(&slice)
        return slice
    }

    /// What the last response has to be. What no provider caused, as a person's decision, is no reason.
    private var condition: String {
        var parts = ["f.origin IN ('provider', 'domain_limit')"]
        let names = filter.reasons.flatMap(\.names).sorted().map { "'\($0)'" }
        if !names.isEmpty { parts.append("f.class IN (\(names.joined(separator: ", ")))") }
        if !filter.codes.isEmpty { parts.append("f.code IN (\(filter.codes.sorted().map(String.init).joined(separator: ", ")))") }
        return parts.joined(separator: " AND ")
    }

    /// Takes those out who may have the message, who were erased, and whose last attempt went to another provider.
    private func narrow(_ slice: inout Slice) throws {
        slice.batches.removeAll { $0.recipients.isEmpty }
        guard let first = slice.batches.first?.id.number, let last = slice.batches.last?.id.number else { return }
        var unresolved: [Int: Set<Int>] = [:]
        let rows = try db.rows(UncertainCounts.unresolvedPlaces, [id.description, first - 1, last])
        while let row = try rows.next() { try unresolved[row.read(0), default: []].insert(row.read(1)) }
        let seen = try SQLLedger.ResultWriting(db, now: now).seen(
            of: slice.batches.flatMap { batch in
                batch.recipients.map { LateNews(batch: batch.id, index: $0.index, news: .bounce) }
            })
        let hasErasures = try db.one(Bool.self, "SELECT EXISTS (SELECT 1 FROM erasure)") == true
        for place in slice.batches.indices {
            let batch = slice.batches[place].id
            if let provider = filter.provider {
                let asked = try providers(batch)
                slice.batches[place].recipients.removeAll { asked[$0.index] != provider }
            }
            let count = slice.batches[place].recipients.count
            slice.batches[place].recipients.removeAll {
                unresolved[batch.number]?.contains($0.index) == true || seen.contains(batch.message($0.index))
            }
            let without = slice.batches[place].recipients.count
            slice.mayHaveIt += count - without
            guard hasErasures, without > 0 else { continue }
            guard let wire = try SQLLedger.batchText(db, batch), let values = try? Recipients(decodingAddresses: wire) else { continue }
            slice.batches[place].recipients.removeAll { $0.index >= values.count || values.range($0.index, 1).isEmpty }
            slice.erased += without - slice.batches[place].recipients.count
        }
        slice.batches.removeAll { $0.recipients.isEmpty }
    }

    /// To whom the last attempt on each recipient of a batch went.
    private func providers(_ batch: BatchID) throws -> [Int: String] {
        let rows = try db.rows(
            "SELECT base, data, provider FROM result WHERE mailing = ? AND batch = ? ORDER BY dispatch, base",
            [batch.mailing.description, batch.number])
        var last: [Int: (at: Int64, provider: String)] = [:]
        while let row = try rows.next() {
            let provider: String = try row.read(2)
            for result in try [RecipientResult](decoding: row.read(1), base: row.read(0))
            where result.response != nil && last[result.index]?.at ?? .min <= result.at {
                last[result.index] = (result.at, provider)
            }
        }
        return last.mapValues(\.provider)
    }
}
