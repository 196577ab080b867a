package import Model
import Policy

extension SQLLedger: RoundStore {
    /// Recipients that one transaction looks at: large lists are planned in steps, so that others get at the ledger meanwhile.
    private static let step = 5000

    package func rounds(_ id: MailingID) async throws(LedgerError) -> [MailingRound] {
        try await read("reading rounds") { db in
            try MailingRecord.one(db, id).map { try Self.rounds(db, $0, totals: Self.states(db, id)) } ?? []
        }
    }

    package func retriable(_ id: MailingID, _ filter: RetryFilter, now: Int64) async throws(LedgerError) -> RetrySelection {
        var selection = RetrySelection()
        var place: RetryChoice.Place? = .first
        while let after = place {
            let slice = try await read("looking for whom to retry") { db in
                try RetryChoice.requireOpen(try Self.recordToRetry(db, id))
                return try RetryChoice(db: db, id: id, filter: filter, now: now).slice(after: after, limit: Self.step)
            }
            selection.add(slice)
            place = slice.next
        }
        return selection
    }

    package func retry(
        _ id: MailingID, _ filter: RetryFilter, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> RetrySelection {
        var selection = RetrySelection()
        var round: OpenRound?
        var place: RetryChoice.Place? = .first
        while let after = place {
            let (before, known) = (selection, round)
            do throws(LedgerError) {
                let (slice, opened) = try await write("retry") { db in
                    let record = try Self.recordToRetry(db, id)
                    try RetryChoice.requireOpen(record)
                    let slice = try RetryChoice(db: db, id: id, filter: filter, now: now).slice(after: after, limit: Self.step)
                    guard slice.count > 0 else { return (slice, known) }
                    var round = try known ?? OpenRound(db, record, filter, note, now: now)
                    try round.add(slice, db, record, note)
                    return (slice, round)
                }
                round = opened
                selection.add(slice)
                selection.round = opened?.number
                selection.lifted = opened?.lifted ?? []
                place = slice.next
            } catch {
                // Somebody stopped it meanwhile: who was planned until then is stopped.
                guard case .refused(let why) = error, before.count > 0 else { throw error }
                selection.interrupted = why
                return selection
            }
        }
        return selection
    }

    private static func recordToRetry(_ db: any SQLTransaction, _ id: MailingID) throws -> MailingRecord {
        guard let record = try MailingRecord.one(db, id) else { throw LedgerError.refused("there is no mailing \(id) in the ledger") }
        return record
    }
}

extension RetrySelection {
    fileprivate mutating func add(_ slice: RetryChoice.Slice) {
        count += slice.count
        mayHaveIt += slice.mayHaveIt
        erased += slice.erased
    }
}

/// A round that is being opened, in several transactions.
private struct OpenRound: Sendable {
    let number: Int
    private let id: MailingID
    private let now: Int64
    private let reasons: String
    private let before: AuditedValues
    private var recipients = 0
    private(set) var lifted: [Suppression.Key] = []
    /// The number of the audit entry; nil where nobody gave an order.
    private var entry: Int64?

    init(_ db: any SQLTransaction, _ record: MailingRecord, _ filter: RetryFilter, _ note: AuditNote?, now: Int64) throws {
        id = record.id
        self.now = now
        reasons = filter.words
        let last = try db.one(Int.self, "SELECT max(number) FROM mailing_round WHERE mailing = ?", [id.description]) ?? 1
        // The first is no row.
        guard (1...DeliveryRounds.most).contains(last) else {
            throw LedgerError.refused("mailing \(id) has \(last) rounds, and no more are opened")
        }
        number = last + 1
        let states = try SQLLedger.states(db, id)
        var before = AuditedValues()
        before.state = record.state.rawValue
        before.failed = states[.failed, default: 0] + states[.expired, default: 0]
        self.before = before
        try db.run(
            "INSERT INTO mailing_round (mailing, number, at, actor, reasons, recipients) VALUES (?, ?, ?, ?, ?, 0)",
            [id.description, number, now, note?.actor ?? "", reasons])
    }

    /// Plans the recipients of a slice once more.
    mutating func add(_ slice: RetryChoice.Slice, _ db: any SQLTransaction, _ record: MailingRecord, _ note: AuditNote?) throws {
        try plan(slice, db)
        recipients += slice.count
        try db.run(
            "UPDATE mailing_round SET recipients = ? WHERE mailing = ? AND number = ?", [recipients, id.description, number])
        if let started = record.started {
            // From now on as long as from the start on.
            let lifetime = now - started + record.mailing.lifetimeMilliseconds
            if lifetime > record.lifetime { try db.run("UPDATE mailing SET lifetime = ? WHERE id = ?", [lifetime, id.description]) }
        }
        if record.state.isTerminal {
            _ = try SQLLedger.setState(db, id, SQLLedger.StateChange(to: .sending, from: [.sent, .failed], now: now))
        }
        try tell(db, note)
        // A person wants them to get it: that they were refused before keeps nobody out. The list is locked last.
        let places = slice.batches.flatMap { batch in batch.recipients.map { DeliveryAddresses.Place(batch: batch.id, index: $0.index) } }
        lifted += try SQLLedger.liftBounces(db, of: places, now: now)
    }

    private func plan(_ slice: RetryChoice.Slice, _ db: any SQLTransaction) throws {
        var changes = MailingChanges(id: id)
        var places: [[any SQLConvertible]] = []
        var rows: [[any SQLConvertible]] = []
        var batches: [(id: BatchID, progress: BatchProgress)] = []
        for batch in slice.batches {
            var progress = batch.progress
            for one in batch.recipients {
                guard let old = progress.state(one.index) else { continue }
                let place: [any SQLConvertible] = [id.description, batch.id.number, one.index]
                places.append(place)
                rows.append(place + [number, now, progress.dispatchNumber, String(old.rawValue)])
                progress.states[one.index] = StateCode.code(.planned)
                progress.attempts[one.index] = BatchProgress.attemptsCode(0)
                changes.moves[old.rank] -= 1
                changes.moves[RecipientState.planned.rank] += 1
                changes.failures.add(one.failure, -1)
                try db.tell(.planned, of: batch.id, one.index, at: now, attempts: 0)
            }
            batches.append((batch.id, progress))
        }
        try db.runAll("DELETE FROM recipient_error WHERE mailing = ? AND batch = ? AND idx = ?", places)
        // What comes back from now on is of the new message.
        let bounced = try db.runAll("DELETE FROM bounce WHERE mailing = ? AND batch = ? AND idx = ?", places)
        try db.runAll(
            "INSERT INTO retried (mailing, batch, idx, round, at, dispatch, state, bounced) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            zip(rows, bounced).map { $0 + [$1 > 0] })
        try BatchProgress.storeAll(db, batches)
        try changes.store(db)
    }

    /// Adds the audit entry, or brings the one of the steps before up to date.
    private mutating func tell(_ db: any SQLTransaction, _ note: AuditNote?) throws {
        var after = AuditedValues()
        after.state = try MailingRecord.one(db, id)?.state.rawValue
        (after.round, after.reasons, after.recipients) = (number, reasons, recipients)
        after.failed = before.failed.map { $0 - recipients }
        if let entry {
            try db.run("UPDATE audit SET after = ? WHERE number = ?", [try after.json(), entry])
        } else {
            entry = try SQLLedger.note(db, note, on: .mailing(id), before: before, after: after, now: now)
        }
    }
}
