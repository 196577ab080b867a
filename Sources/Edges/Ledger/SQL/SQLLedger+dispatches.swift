import Foundation
package import Model
import Synchronization

extension SQLLedger: DispatchStore {
    package func dispatchBatches(
        _ wanted: [(mailing: MailingID, limit: Int)], bytes: DispatchBytes, now: Int64
    ) async throws(LedgerError) -> [DispatchedBatch] {
        // A dispatcher asks often, and often finds nothing: the question alone does not take the lock that writers share.
        let ready = try await read("looking for batches") { [self] db in
            try wanted.filter { try $0.limit > 0 && !self.ready(db, $0.mailing, limit: 1, now: now).isEmpty }
        }
        guard !ready.isEmpty else { return [] }
        let (batches, skipped) = try await write("take", .sideBySide) { [self] db in
            try requirePlanning(db)
            let list = try Self.suppressionList(db)
            var batches: [DispatchedBatch] = []
            var skipped = 0
            for (mailing, limit) in ready {
                guard let content = try DispatchedContent(db, mailing) else { continue }
                let check = try SuppressionCheck(db, mailing, list, now: now)
                var room = bytes.total / ready.count
                for number in try self.ready(db, mailing, limit: limit, now: now) where room >= 0 {
                    let id = BatchID(mailing: mailing, number: number)
                    let batch: DispatchedBatch?
                    do {
                        batch = try Self.dispatch(db, id, content, check, &skipped, atMost: bytes.batch, now: now)
                    } catch let error as SQLDamage {
                        // The other mailings continue.
                        let reason = StateReason(kind: .damaged, text: "the ledger is damaged: \(error.text)")
                        _ = try Self.setState(db, mailing, StateChange(to: .paused, from: [.sending], reason: reason, now: now))
                        break
                    }
                    guard let batch else { continue }
                    room -= max(1, batch.recipients.count)
                    batches.append(batch)
                }
            }
            try db.outbox.store(db)
            _ = try db.countCommit()
            return (batches, skipped)
        }
        SkipMeter.count(suppressed: skipped)
        return batches
    }

    /// What a mailing gives to each of its batches.
    private struct DispatchedContent {
        var provider: String
        var expires: Int64
        var isProven: Bool

        /// Nil for a mailing of which nothing may be dispatched.
        init?(_ db: any SQLTransaction, _ id: MailingID) throws {
            let rows = try db.rows(
                """
                SELECT provider, started + lifetime,
                    EXISTS (
                        SELECT 1 FROM counter
                        WHERE counter.mailing = mailing.id AND counter.state IN ('sent', 'delivered') AND n > 0)
                FROM mailing\(db.indexed("mailing_work"))
                WHERE id = ? AND \(inWork) AND state IN ('collecting', 'sending')
                """, [id.description])
            guard let row = try rows.next() else { return nil }
            provider = try row.read(0)
            expires = try row.read(1) ?? Int64.max
            isProven = try row.read(2)
        }
    }

    /// Marks a batch as dispatched.
    /// - Parameter count: how many were skipped so far.
    /// - Returns: nil when it has nobody to send to.
    private static func dispatch(
        _ db: any SQLTransaction, _ id: BatchID, _ content: DispatchedContent, _ check: SuppressionCheck?, _ count: inout Int,
        atMost size: Int, now: Int64
    ) throws -> DispatchedBatch? {
        guard var progress = try BatchProgress.load(db, id), !progress.isDispatched else { return nil }
        var due = try progress.count(of: .deferred) == 0 ? [] : Self.due(db, id, now: now)
        guard let planned = try planned(db, id) else { throw SQLDamage("batch \(id) has no recipients") }
        var recipients = planned.recipients
        if let check {
            let skipped = try check.skip(db, id.number, &progress, wanted: progress.sendable(due: due), recipients)
            count += skipped.count
            due.subtract(skipped)
            if !skipped.isEmpty, progress.sendable(due: due).isEmpty {
                try progress.store(db, id)
                return nil
            }
        }
        var part: Set<Int>?
        // A batch that cannot be read is refused by a worker.
        if recipients.count > 2 * size,
            let slice = try? RecipientSlice(of: recipients, wanted: progress.sendable(due: due), atMost: size)
        {
            (recipients, part) = (slice.wire, Set(slice.indexes))
        }
        let open = progress.dispatch(due: due, among: part, now: now)
        if progress.owesNothing { return nil }
        if try isUnreadable(db, id) {
            let entry = UncertainEntry(
                dispatchNumber: progress.dispatchNumber, worker: "", at: now, why: "no worker can read its batch (flotilla dead list)",
                isHeld: true)
            _ = try list(db, id, &progress, entry)
            progress.close()
            try progress.store(db, id)
            return nil
        }
        try progress.store(db, id)
        var batch = DispatchedBatch(
            id: id, dispatchNumber: progress.dispatchNumber, recipients: recipients, count: progress.states.count, open: open,
            expires: content.expires, dispatched: progress.dispatched)
        batch.provider = content.provider
        batch.channel = planned.channel
        batch.isProven = content.isProven
        return batch
    }

    /// The numbers of batches to dispatch: due retries for up to half of them, then first attempts, then more retries.
    private func ready(_ db: any SQLTransaction, _ id: MailingID, limit: Int, now: Int64) throws -> [Int] {
        let retries = try db.all(
            Int.self,
            """
            SELECT number FROM progress WHERE mailing = ? AND ready > 0 AND ready <= ? ORDER BY ready, number LIMIT ?
            """, [id.description, now, limit])
        let first = try first(db, id, limit: limit)
        let retried = max(min(retries.count, (limit + 1) / 2), min(retries.count, limit - first.count))
        return Array(retries.prefix(retried)) + first.prefix(limit - retried)
    }

    /// The numbers of batches that may be dispatched at once. Batches that never were dispatched are looked for behind the last place
    /// where one was found, because a server would read all that were dispatched before them. Batches that came back are few and have an
    /// index.
    private func first(_ db: any SQLTransaction, _ id: MailingID, limit: Int) throws -> [Int] {
        let cursor = cursors.withLock { $0[id] ?? 0 }
        var found =
            try cursor == 0
            ? []
            : db.all(
                Int.self,
                """
                SELECT number FROM progress WHERE mailing = ? AND ready = 0 AND dispatch > 0 AND number < ? ORDER BY number LIMIT ?
                """,
                [id.description, cursor, limit])
        func never(from number: Int) throws -> [Int] {
            try db.all(
                Int.self, "SELECT number FROM progress WHERE mailing = ? AND ready = 0 AND number >= ? ORDER BY number LIMIT ?",
                [id.description, number, limit])
        }
        var fresh = try never(from: cursor)
        // Nothing is left, or another ledger took the place of this one.
        if found.isEmpty, fresh.isEmpty, cursor > 0 { fresh = try never(from: 0) }
        if let next = fresh.first { cursors.withLock { $0[id] = next } }
        found += fresh
        return Array(found.prefix(limit))
    }

    /// The deferred recipients of a batch that are due.
    private static func due(_ db: any SQLTransaction, _ id: BatchID, now: Int64) throws -> Set<Int> {
        try Set(
            db.all(
                Int.self, "SELECT idx FROM recipient_error WHERE mailing = ? AND batch = ? AND due > 0 AND due <= ?",
                [id.mailing.description, id.number, now]))
    }

    /// The wire form of a batch's recipients, and the channel by which it is sent; nil for that of its mailing.
    private static func planned(_ db: any SQLTransaction, _ id: BatchID) throws -> (recipients: [UInt8], channel: Channel?)? {
        let key: [any SQLConvertible] = [id.mailing.description, id.number]
        guard let row = try db.row("SELECT recipients, channel FROM batch WHERE mailing = ? AND number = ?", key) else { return nil }
        guard let name: String = try row.read(1) else { return try (row.read(0), nil) }
        guard let channel = Channel(rawValue: name) else { throw SQLDamage("batch \(id) has the channel '\(name.prefix(20))'") }
        return try (row.read(0), channel)
    }

    /// The wire form of a batch's recipients.
    static func batchText(_ db: any SQLTransaction, _ id: BatchID) throws -> [UInt8]? {
        let cursor = try db.rows("SELECT recipients FROM batch WHERE mailing = ? AND number = ?", [id.mailing.description, id.number])
        return try cursor.next()?.read(0)
    }

    package func openDispatches(of ids: [MailingID]) async throws(LedgerError) -> [MailingID: [DispatchMark]] {
        guard !ids.isEmpty else { return [:] }
        return try await read("listing dispatched batches") { db in
            var marks: [MailingID: [DispatchMark]] = [:]
            for id in ids {
                let rows = try db.rows(
                    "SELECT number, dispatch, dispatched FROM progress WHERE mailing = ? AND dispatched > 0 ORDER BY number",
                    [id.description])
                while let row = try rows.next() {
                    try marks[id, default: []].append(
                        DispatchMark(number: row.read(0), dispatchNumber: row.read(1), dispatched: row.read(2)))
                }
            }
            return marks
        }
    }

    package func takeBack(_ dispatches: [Dispatch], now: Int64) async throws(LedgerError) -> Int {
        try await giveUp(dispatches, why: nil, now: now).batches
    }

    package func giveUp(
        _ dispatches: [Dispatch], why: String?, started: [Dispatch: Set<Int>]?, now: Int64
    ) async throws(LedgerError) -> (batches: Int, listed: Int) {
        guard !dispatches.isEmpty else { return (0, 0) }
        return try await write("give up", .sideBySide) { [self] db in
            try requirePlanning(db)
            var policies: [MailingID: Mailing.UncertainPolicy] = [:]
            var (batches, listed) = (0, 0)
            // All transactions lock batches in this order, so that none waits for another in a circle.
            for dispatch in dispatches.sorted(by: { ($0.batch.mailing, $0.batch.number) < ($1.batch.mailing, $1.batch.number) }) {
                let mailing = dispatch.batch.mailing
                let policy = try policies[mailing] ?? Self.uncertainPolicy(db, mailing)
                policies[mailing] = policy
                let loss = why.map { Loss(why: $0, policy: policy, at: now, started: started.map { $0[dispatch] ?? [] }) }
                guard let count = try Self.giveUp(db, dispatch, loss) else { continue }
                batches += 1
                listed += count
            }
            for mailing in policies.keys { try Self.settle(db, mailing) }
            return (batches, listed)
        }
    }

    private struct UncertainOption: Decodable {
        var uncertain: Mailing.UncertainPolicy
    }

    static func uncertainPolicy(_ db: any SQLTransaction, _ id: MailingID) throws -> Mailing.UncertainPolicy {
        let text = try db.one(String.self, "SELECT definition FROM mailing WHERE id = ?", [id.description])
        return text.flatMap { try? JSONDecoder().decode(UncertainOption.self, from: Data($0.utf8)).uncertain } ?? .hold
    }

    /// A dispatch was lost, and its messages may have been started.
    struct Loss {
        /// For people.
        var why: String
        var policy: Mailing.UncertainPolicy
        /// Milliseconds since 1970.
        var at: Int64
        /// The only recipients whose messages can have been started; nil for all.
        var started: Set<Int>?
    }

    /// Ends a dispatch.
    /// - Parameter loss: nil when none of its messages can have been started.
    /// - Returns: how many were listed as uncertain; nil when the batch is not in this dispatch.
    static func giveUp(_ db: any SQLTransaction, _ dispatch: Dispatch, _ loss: Loss?) throws -> Int? {
        guard var progress = try BatchProgress.load(db, dispatch.batch), progress.isDispatched,
            progress.dispatchNumber == dispatch.dispatchNumber
        else { return nil }
        var listed = 0
        if let loss {
            let entry = UncertainEntry(
                dispatchNumber: dispatch.dispatchNumber, worker: "", at: loss.at, why: loss.why, isHeld: loss.policy == .hold)
            listed = try list(db, dispatch.batch, &progress, entry, among: loss.started)
        }
        progress.close()
        try progress.store(db, dispatch.batch)
        return listed
    }

    /// Puts each recipient of whom the dispatch owes a result on the list of uncertain deliveries, if it is among the started ones.
    private static func list(
        _ db: any SQLTransaction, _ batch: BatchID, _ progress: inout BatchProgress, _ entry: UncertainEntry, among started: Set<Int>? = nil
    ) throws -> Int {
        var listed = 0
        var held: [RecipientState: Int] = [:]
        for index in progress.states.indices where progress.isAwaited(index) && started?.contains(index) ?? true {
            listed += 1
            guard try entry.store(db, batch, index), let old = progress.state(index),
                old.rank < RecipientState.uncertain.rank
            else { continue }
            progress.states[index] = StateCode.code(.uncertain)
            try db.tell(.uncertain, of: batch, index, at: entry.at, attempts: progress.attempts(index))
            if old == .deferred { try LastError.remove(db, batch, index) }
            held[old, default: 0] += 1
        }
        for (old, count) in held { try Self.count(db, batch.mailing, old, -count) }
        try Self.count(db, batch.mailing, .uncertain, held.values.reduce(0, +))
        return listed
    }

    /// Lists the recipients whose result was awaited: held, or to be sent to again, as the mailing's policy says.
    static func listAwaited(_ db: any SQLTransaction, _ batch: BatchID, _ progress: inout BatchProgress, why: String, now: Int64) throws {
        let isHeld = try uncertainPolicy(db, batch.mailing) == .hold
        let entry = UncertainEntry(dispatchNumber: progress.dispatchNumber, worker: "", at: now, why: why, isHeld: isHeld)
        _ = try list(db, batch, &progress, entry)
    }
}
