package import Model

extension SQLLedger {
    package func recount(_ id: MailingID) async throws(LedgerError) -> [String] {
        try await read("recounting") { db in try Self.recount(db, id) }
    }

    /// - Returns: what does not agree, for people.
    static func recount(_ db: any SQLTransaction, _ id: MailingID) throws -> [String] {
        guard let record = try MailingRecord.one(db, id) else { return ["there is no mailing \(id) in the ledger"] }
        return try recount(db, record)
    }

    static func recount(_ db: any SQLTransaction, _ record: MailingRecord) throws -> [String] {
        if record.pruned != nil { return try recountPruned(db, record) }
        let id = record.id
        var problems: [String] = []
        let counted = try Self.recountBatches(db, id, &problems)
        for (state, count) in try Self.states(db, id) where count != counted[state.rank] {
            problems.append(
                "the counter of \(state.name) says \(count), the recipients' states \(counted[state.rank])")
        }
        func expect(_ what: String, _ sql: String, _ expected: Int) throws {
            let found = try db.one(Int.self, sql + " WHERE mailing = ?", [id.description]) ?? 0
            if found != expected { problems.append("\(what): \(found), expected \(expected)") }
        }
        let failed = counted[RecipientState.failed.rank] + counted[RecipientState.expired.rank]
        let total = counted.reduce(0, +)
        if record.plannedCount != total {
            problems.append("the mailing counts \(record.plannedCount) planned recipients, the batches \(total)")
        }
        try expect("recipients in batches", "SELECT sum(count) FROM batch", total)
        try expect("batches", "SELECT count(*) FROM batch", record.nextBatch)
        try expect("fingerprints", "SELECT sum(length(hashes)) / 4 FROM fingerprint", total)
        // Recipients whom an earlier mailing reached are counted and not listed.
        let excluded = try Self.pairs(db, "SELECT reason, n FROM exclusion_count WHERE mailing = ?", id)
        let reached = excluded[ExclusionReason.sentBefore.rawValue, default: 0]
        try expect("exclusions", "SELECT count(*) FROM exclusion", record.excludedCount - reached)
        try expect("exclusions by reason", "SELECT sum(n) FROM exclusion_count", record.excludedCount)
        try expect("skipped recipients with a reason", "SELECT count(*) FROM skipped", counted[RecipientState.skipped.rank])
        try expect("reasons of failed and expired recipients", "SELECT sum(n) FROM \(db.countedFailures)", failed)
        try expect(
            "deferred recipients with a due time", "SELECT count(nullif(due, 0)) FROM recipient_error",
            counted[RecipientState.deferred.rank])
        // Those that came back had been sent.
        let bounced = try db.one(
            Int.self,
            """
            SELECT count(*) FROM bounce b \(db.orderedJoin) progress p ON p.mailing = b.mailing AND p.number = b.batch
            WHERE b.mailing = ? AND substr(p.states, b.idx + 1, 1) = 'f'
            """, [id.description])
        // The timeline keeps what happened in earlier rounds.
        let retried = try db.row(
            "SELECT coalesce(sum(bounced), 0), count(*) FROM retried WHERE mailing = ? AND state = 'f'", [id.description])
        try expect(
            "sent messages in the timeline", "SELECT sum(sent) FROM timeline",
            counted[RecipientState.sent.rank] + counted[RecipientState.delivered.rank] + (bounced ?? 0) + (retried?.read(0) ?? 0))
        try expect(
            "failed messages in the timeline", "SELECT sum(failed) FROM timeline",
            counted[RecipientState.failed.rank] + (retried?.read(1) ?? 0))
        try Self.recountUncertain(db, id, counted[RecipientState.uncertain.rank], &problems)
        return problems
    }

    /// A pruned mailing has only its totals, which have to agree with each other.
    private static func recountPruned(_ db: any SQLTransaction, _ record: MailingRecord) throws -> [String] {
        let states = try Self.states(db, record.id)
        let excluded = try Self.pairs(db, "SELECT reason, n FROM exclusion_count WHERE mailing = ?", record.id)
        let failed = try db.one(Int.self, "SELECT sum(n) FROM \(db.countedFailures) WHERE mailing = ?", [record.id.description]) ?? 0
        let ended = states[.failed, default: 0] + states[.expired, default: 0]
        return [
            ("recipients by state", states.values.reduce(0, +), record.plannedCount),
            ("exclusions by reason", excluded.values.reduce(0, +), record.excludedCount),
            ("reasons of failed and expired recipients", failed, ended),
        ].filter { $0.1 != $0.2 }.map { "\($0.0): \($0.1), expected \($0.2)" }
    }

    /// Each held recipient has a row of the list that waits for a decision. Each row belongs to a recipient, and its decision
    /// whole.
    private static func recountUncertain(
        _ db: any SQLTransaction, _ id: MailingID, _ uncertain: Int, _ problems: inout [String]
    ) throws {
        func expect(_ what: String, _ sql: String, _ expected: Int) throws {
            let found = try db.one(Int.self, sql, [id.description]) ?? 0
            if found != expected { problems.append("\(what): \(found), expected \(expected)") }
        }
        try expect(
            "uncertain recipients that are held on the list",
            """
            SELECT count(*) FROM (
                SELECT 1 FROM uncertain u \(db.orderedJoin) progress p ON p.mailing = u.mailing AND p.number = u.batch
                WHERE u.mailing = ? \(isHeld) GROUP BY u.batch, u.idx) AS held
            """, uncertain)
        try expect(
            "rows of the list that are of no recipient",
            """
            SELECT count(*) FROM uncertain u LEFT JOIN batch b ON b.mailing = u.mailing AND b.number = u.batch
            WHERE u.mailing = ? AND (b.count IS NULL OR u.idx NOT BETWEEN 0 AND b.count - 1)
            """, 0)
        try expect(
            "rows of the list with half a decision",
            """
            SELECT count(*) FROM uncertain
            WHERE mailing = ? AND ((settled_at IS NULL) <> (outcome IS NULL) OR (held = 0 AND settled_at IS NOT NULL))
            """, 0)
    }

    /// Recounts the states of all batches, and checks what is derived from them.
    /// - Returns: recipients by `RecipientState.rank`.
    private static func recountBatches(_ db: any SQLTransaction, _ id: MailingID, _ problems: inout [String]) throws -> [Int] {
        var counted = [Int](repeating: 0, count: RecipientState.allCases.count)
        let rows = try db.rows("SELECT number, ready, open FROM progress WHERE mailing = ? ORDER BY number", [id.description])
        while let row = try rows.next() {
            let batch = try BatchID(mailing: id, number: row.read(0))
            guard let progress = try BatchProgress.load(db, batch) else { continue }
            for code in progress.states {
                if let state = StateCode.state(code) { counted[state.rank] += 1 }
            }
            let due = try db.one(
                Int64.self, "SELECT min(\(LastError.gathering)) FROM recipient_error WHERE mailing = ? AND batch = ? AND due > 0",
                [id.description, batch.number])
            let ready: Int64? = try row.read(1)
            let expected = progress.ready(due: due)
            if ready != expected {
                let (found, wanted) = (ready.map(String.init) ?? "never", expected.map(String.init) ?? "never")
                problems.append("batch \(batch.number) may be dispatched from \(found), expected \(wanted)")
            }
            let open: Int = try row.read(2)
            if open != progress.open {
                problems.append("batch \(batch.number) counts \(open) open recipients, its states \(progress.open)")
            }
            if problems.count > 100 { break }
        }
        return counted
    }
}
