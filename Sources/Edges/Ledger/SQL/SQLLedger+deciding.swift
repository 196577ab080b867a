package import Model
import Text

extension SQLLedger {
    package func decide(
        _ id: MailingID, recipients: [String]?, as decision: UncertainDecision, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> UncertainSettlement {
        var entry: Int64?
        var settlement = UncertainSettlement()
        let wanted = recipients.map(WantedRecipients.init)
        var missing = Set(recipients ?? [])
        var last: Int? = -1
        while let after = last {
            let (count, number) = (settlement.count, entry)
            let (step, audited) = try await write("decide") { db in
                let held = try Self.states(db, id)[.uncertain] ?? 0
                var deciding = try Deciding(db, id, decision, now: now)
                let step = try deciding.step(after: after, wanted)
                guard step.count > 0 else { return (step, number) }
                let values = DecisionValues(decision: decision, heldBefore: held + count, count: count + step.count)
                return (step, try values.store(db, note, on: id, entry: number, now: now))
            }
            entry = audited
            settlement.count += step.count
            missing.subtract(step.found)
            last = step.last
        }
        settlement.notHeld = (recipients ?? []).filter { missing.remove($0) != nil }
        return settlement
    }
}

/// Recipients by name: an address, or an id.
private struct WantedRecipients {
    private var names: [[UInt8]: String] = [:]
    private var folded: [[UInt8]: [String]] = [:]

    init(_ names: [String]) {
        for name in Set(names) {
            self.names[Array(name.utf8)] = name
            folded[name.utf8.map(\.lowercased), default: []].append(name)
        }
    }

    /// The names given that a recipient has.
    func names(id: ArraySlice<UInt8>, address: ArraySlice<UInt8>) -> [String] {
        (folded[address.map(\.lowercased)] ?? []) + (names[Array(id)].map { [$0] } ?? [])
    }
}

/// What the audit log says of a decision, which may take several transactions.
private struct DecisionValues {
    var decision: UncertainDecision
    var heldBefore: Int
    /// Recipients decided about so far.
    var count: Int

    /// Adds the entry, or brings the one of the steps before up to date.
    /// - Parameter entry: its number; nil for the first step.
    func store(_ db: any SQLTransaction, _ note: AuditNote?, on id: MailingID, entry: Int64?, now: Int64) throws -> Int64? {
        var (before, after) = (AuditedValues(), AuditedValues())
        before.held = heldBefore
        (after.decision, after.recipients, after.held) = (decision.rawValue, count, heldBefore - count)
        guard let entry else {
            return try SQLLedger.note(db, note, on: .mailing(id), before: before, after: after, now: now)
        }
        try db.run("UPDATE audit SET after = ? WHERE number = ?", [try after.json(), entry])
        return entry
    }
}

/// A person's decision about the held recipients of some batches, in one transaction.
private struct Deciding {
    struct Step {
        var count = 0
        /// The names given that were found.
        var found: Set<String> = []
        /// The last batch that was looked at; nil when there are no more.
        var last: Int?
    }

    /// Batches of a transaction: large lists are settled in steps, so that others get at the ledger meanwhile.
    private static let batches = 50

    private let db: any SQLTransaction
    private let record: MailingRecord
    private let decision: UncertainDecision
    private let now: Int64
    private var changes: MailingChanges

    init(_ db: any SQLTransaction, _ id: MailingID, _ decision: UncertainDecision, now: Int64) throws {
        guard let record = try MailingRecord.one(db, id) else {
            throw LedgerError.refused("there is no mailing \(id) in the ledger")
        }
        if decision == .resend, record.state.isTerminal {
            throw LedgerError.refused(
                "mailing \(id) is \(record.state.rawValue) and sends nothing any more; settle its recipients as sent or failed")
        }
        if decision == .resend, let expires = record.expires, now >= expires {
            throw LedgerError.refused(
                "the lifetime of mailing \(id) has ended and nothing of it is sent any more; settle its recipients as sent or failed")
        }
        self.db = db
        self.record = record
        self.decision = decision
        self.now = now
        changes = MailingChanges(id: id)
    }

    mutating func step(after: Int, _ wanted: WantedRecipients?) throws -> Step {
        let numbers = try db.all(
            Int.self,
            """
            SELECT DISTINCT batch FROM uncertain WHERE mailing = ? AND batch > ? AND held = 1 AND settled_at IS NULL
            ORDER BY batch LIMIT ?
            """, [record.id.description, after, Self.batches])
        var step = Step(last: numbers.count < Self.batches ? nil : numbers.last)
        for number in numbers { try settle(BatchID(mailing: record.id, number: number), wanted, &step) }
        try changes.store(db)
        return step
    }

    private mutating func settle(_ batch: BatchID, _ wanted: WantedRecipients?, _ step: inout Step) throws {
        guard var progress = try BatchProgress.load(db, batch) else { return }
        let recipients = try wanted.map { _ in
            try SQLLedger.recipients(db, batch, record.mailing.fields.count)
        }
        let before = step.count
        for (index, at) in try held(batch) where progress.states.indices.contains(index) {
            guard progress.state(index) == .uncertain else { continue }
            if let wanted, let recipients {
                guard index < recipients.count else { continue }
                let names = wanted.names(
                    id: recipients.bytes[recipients.range(index, 0)],
                    address: recipients.bytes[recipients.range(index, 1)])
                if names.isEmpty { continue }
                step.found.formUnion(names)
            }
            try settle(batch, index, at: at, &progress)
            step.count += 1
        }
        if step.count > before { try progress.store(db, batch) }
    }

    /// The places of the batch that wait for a decision, and since when.
    private func held(_ batch: BatchID) throws -> [(index: Int, at: Int64)] {
        let rows = try db.rows(
            """
            SELECT idx, min(at) FROM uncertain
            WHERE mailing = ? AND batch = ? AND held = 1 AND settled_at IS NULL GROUP BY idx
            """, [batch.mailing.description, batch.number])
        var held: [(Int, Int64)] = []
        while let row = try rows.next() { try held.append((row.read(0), row.read(1))) }
        return held
    }

    /// - Parameter at: when the message was in flight, in milliseconds since 1970: there the timeline shows it.
    private mutating func settle(_ batch: BatchID, _ index: Int, at: Int64, _ progress: inout BatchProgress) throws {
        progress.states[index] = StateCode.code(decision.state)
        try db.tell(decision.state, of: batch, index, at: now, attempts: progress.attempts(index))
        changes.moves[RecipientState.uncertain.rank] -= 1
        changes.moves[decision.state.rank] += 1
        switch decision {
        case .resend: break
        case .sent: changes.count(at, sent: 1)
        case .failed:
            let failure = try changes.failures.id(db, .settledByHand)
            changes.failures.add(failure, 1)
            try LastError(at: at, due: 0, attempts: progress.attempts(index), failure: failure).store(db, batch, index)
            changes.count(at, failed: 1)
        }
        try db.run(
            """
            UPDATE uncertain SET settled_at = ?, outcome = ?
            WHERE mailing = ? AND batch = ? AND idx = ? AND held = 1 AND settled_at IS NULL
            """, [now, decision.rawValue, batch.mailing.description, batch.number, index])
    }
}
