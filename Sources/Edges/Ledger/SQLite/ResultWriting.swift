import GRDB
import Model

/// The writing of results within one transaction: batches are read when a result of theirs comes first, and stored with
/// all counters at the end.
struct ResultWriting {
    private struct Batch {
        var id: BatchID
        /// As it was read.
        var before: BatchProgress
        var progress: BatchProgress
        var mailing: Int
    }

    let db: Database
    /// Milliseconds since 1970.
    private let now: Int64
    private var batches: [Batch] = []
    private var batchIndex: [BatchID: Int] = [:]
    var mailings: [MailingChanges] = []
    private var mailingIndex: [MailingID: Int] = [:]
    var summary = WriteSummary()
    /// Whose groups were written.
    private var dispatches: Set<Dispatch> = []
    /// Mailings of which a message was accepted that nobody waited for any more.
    private var accepted: Set<MailingID> = []
    /// Recipients that moved into a state, by rank.
    private var moved = [Int](repeating: 0, count: RecipientState.allCases.count)

    init(_ db: Database, now: Int64) {
        self.db = db
        self.now = now
    }

    mutating func add(_ group: ResultGroup) throws {
        var group = group
        guard let index = try batch(group.batch) else {
            summary.unknown += 1
            return
        }
        guard group.dispatchNumber >= 0, group.sequence >= 0, group.groups >= 0 else {
            summary.invalid += 1
            return
        }
        let sound = group.results.filter { Self.isSound($0, count: batches[index].progress.states.count) }
        if sound.count < group.results.count {
            summary.invalid += 1
            group.results = sound
            group.isPartial = true
        }
        group.results = try group.results.map { try timely($0, group.batch.mailing) }
        group = try capped(group)
        dispatches.insert(Dispatch(batch: group.batch, dispatchNumber: group.dispatchNumber))
        if try log(group) {
            if group.dispatchNumber < batches[index].progress.dispatchNumber { summary.late += 1 }
            for result in group.results {
                if result.state == .uncertain, try !list(result, group) { continue }
                guard let old = batches[index].progress.apply(result, dispatchNumber: group.dispatchNumber) else { continue }
                try move(result, from: old, batches[index].id, batches[index].mailing)
            }
        } else {
            // Of two copies the one that closes may come second.
            summary.duplicates += 1
        }
        batches[index].progress.take(group.closing, of: group.dispatchNumber, groups: group.groups)
    }

    /// Puts the recipient of an uncertain result on the list.
    /// - Returns: false for one of whom a person has decided since: the decision stands.
    private func list(_ result: RecipientResult, _ group: ResultGroup) throws -> Bool {
        let entry = UncertainEntry(
            dispatchNumber: group.dispatchNumber, worker: group.worker, at: result.at, why: result.response?.text ?? "",
            isHeld: !result.isListing, missed: result.response?.missed)
        return try entry.store(db, group.batch, result.index) || result.isListing
    }

    /// Results come through Redis, which others may write to.
    private static func isSound(_ result: RecipientResult, count: Int) -> Bool {
        (0..<count).contains(result.index) && WireLimit.time.contains(result.at) && WireLimit.time.contains(result.due)
            && WireLimit.count.contains(Int64(result.attempts))
    }

    /// Who is said to have expired before the time by the ledger is sent to after all.
    private mutating func timely(_ result: RecipientResult, _ mailing: MailingID) throws -> RecipientResult {
        guard result.state == .expired else { return result }
        let expires = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT started + lifetime FROM mailing WHERE id = ?"), arguments: [mailing.description])
        guard result.isEarly(expires: expires, now: now) else { return result }
        summary.early += 1
        var result = result
        result.state = .deferred
        result.due = now
        return result
    }

    /// Adds a group to the log, or in place of one of which not all results could be read.
    /// - Returns: false when it is there already.
    private func log(_ group: ResultGroup) throws -> Bool {
        var base = group.results.first?.at ?? 0
        for result in group.results { base = min(base, result.at) }
        try db.cachedStatement(
            sql: """
                INSERT INTO result (mailing, batch, dispatch, worker, sequence, base, data, counted, provider, partial)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET base = excluded.base, data = excluded.data, counted = max(counted, excluded.counted), partial = 0
                    WHERE partial AND NOT excluded.partial
                """
        ).execute(arguments: [
            group.batch.mailing.description, group.batch.number, group.dispatchNumber, group.worker, group.sequence, base,
            String(decoding: group.results.encoded(base: base), as: UTF8.self), group.groups > 0, group.provider, group.isPartial,
        ])
        if db.changesCount == 1 { return true }
        guard group.groups > 0 else { return false }
        try db.cachedStatement(
            sql: """
                UPDATE result SET counted = 1
                WHERE mailing = ? AND batch = ? AND dispatch = ? AND worker = ? AND sequence = ?
                """
        ).execute(arguments: [
            group.batch.mailing.description, group.batch.number, group.dispatchNumber, group.worker, group.sequence,
        ])
        return false
    }

    private mutating func batch(_ id: BatchID) throws -> Int? {
        if let index = batchIndex[id] { return index }
        guard let progress = try BatchProgress.load(db, id) else { return nil }
        batches.append(Batch(id: id, before: progress, progress: progress, mailing: mailing(id.mailing)))
        batchIndex[id] = batches.count - 1
        return batches.count - 1
    }

    private mutating func mailing(_ id: MailingID) -> Int {
        if let index = mailingIndex[id] { return index }
        mailings.append(MailingChanges(id: id))
        mailingIndex[id] = mailings.count - 1
        return mailings.count - 1
    }

    /// Keeps counters, recipient errors and timeline in step with a recipient that moves.
    private mutating func move(
        _ result: RecipientResult, from old: RecipientState, _ batch: BatchID, _ mailing: Int
    ) throws {
        let before = RecipientMove.needsError(old) ? try LastError.load(db, batch, result.index) : nil
        guard let move = RecipientMove(result, from: old, error: before) else { return }
        if let cause = move.uncounted { mailings[mailing].failures.add(try id(of: cause, result, mailing), -1) }
        switch move.error {
        case .none: break
        case .remove: try LastError.remove(db, batch, result.index)
        case .store(let cause, let at, let due, let attempts):
            let failure = try id(of: cause, result, mailing)
            let held = due > 0 ? result.doubt?.rawValue ?? 0 : 0
            try LastError(at: at, due: due, attempts: attempts, failure: failure, held: held).store(db, batch, result.index)
            if move.isCounted { mailings[mailing].failures.add(failure, 1) }
        }
        if let at = move.unfailed { mailings[mailing].count(at, failed: -1) }
        if let at = move.failed { mailings[mailing].count(at, failed: 1) }
        if let at = move.deferred { mailings[mailing].count(at, deferred: 1) }
        if let at = move.sent { mailings[mailing].count(at, sent: 1) }
        if result.state == .deferred, result.doubt == .beforeAcceptance { summary.refused.insert(mailings[mailing].id) }
        guard move.isMove else { return }
        if old == .skipped { try SuppressionCheck.remove(db, batch, result.index) }
        if result.state == .skipped { try SuppressionCheck.store(db, batch, result.index, result.response?.text ?? "", at: result.at) }
        if old.isTerminal, result.state == .sent || result.state == .delivered { accepted.insert(batch.mailing) }
        mailings[mailing].moves[old.rank] -= 1
        mailings[mailing].moves[result.state.rank] += 1
        moved[result.state.rank] += 1
    }

    /// The number of the response that a cause names.
    private mutating func id(of cause: RecipientMove.Cause, _ result: RecipientResult, _ mailing: Int) throws -> Int64 {
        switch cause {
        case .known(let id): id
        case .result: try mailings[mailing].failures.id(db, result.response)
        case .neverTried: try mailings[mailing].failures.neverTried(db)
        }
    }

    /// Stores what changed.
    mutating func finish() throws -> WriteSummary {
        for index in batches.indices {
            if try isOver(index) {
                batches[index].progress.close()
                summary.closed.append(batches[index].id)
            }
            // Also when nothing packed changed, a deferral's new due time may have to be taken over.
            let batch = batches[index]
            if batch.progress != batch.before || batch.progress.count(of: .deferred) > 0 {
                try batch.progress.store(db, batch.id)
            }
        }
        for dispatch in dispatches {
            guard let index = batchIndex[dispatch.batch] else { continue }
            let progress = batches[index].progress
            if !progress.isDispatched || progress.dispatchNumber != dispatch.dispatchNumber { summary.over.insert(dispatch) }
        }
        for mailing in mailings { try mailing.store(db) }
        for id in accepted { try SQLiteLedger.noteLateAcceptance(db, id, now: now) }
        for mailing in Set(summary.closed.map(\.mailing)) { try SQLiteLedger.settle(db, mailing) }
        for state in RecipientState.allCases where moved[state.rank] > 0 { summary.moved[state] = moved[state.rank] }
        return summary
    }

    /// Whether all is known of the batch's dispatch that will be. Whose results could not be read are on the list of the uncertain then.
    private mutating func isOver(_ index: Int) throws -> Bool {
        let (id, progress) = (batches[index].id, batches[index].progress)
        if let isOver = progress.isOver { return isOver }
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: "SELECT count(*), max(partial) FROM result WHERE mailing = ? AND batch = ? AND dispatch = ? AND counted"),
            arguments: [id.mailing.description, id.number, progress.dispatchNumber])
        guard let row = try rows.next() else { return false }
        let isPartial = try row.read(1) as Bool? ?? false
        guard progress.isOver(known: try row.read(0), isPartial: isPartial) else { return false }
        if isPartial {
            let why = "the result of its attempt could not be read (flotilla dead list)"
            try SQLiteLedger.listAwaited(db, id, &batches[index].progress, why: why, now: now)
        }
        return true
    }
}
