import Model

extension LedgerCopy {
    /// Asks both ledgers all that roles and commands ask.
    /// - Throws: `LedgerError.refused` with what they differ in.
    func compareAnswers(with target: SQLLedger, _ summary: inout Summary, now: Int64) async throws(LedgerError) {
        let file = try SQLiteLedger.open(path, mustExist: true, logger: logger)
        defer { try? file.close() }
        var comparison = LedgerComparison(file, target)
        try await comparison.run(now: now)
        guard comparison.differences.isEmpty else {
            throw .refused(
                """
                \(path) and \(summary.target) have the same rows and do not answer alike (\
                \(comparison.differences.prefix(5).joined(separator: ", "))): this is a fault of Flotilla, and the file stays the ledger
                """)
        }
        (summary.questions, summary.mailings) = (comparison.asked, comparison.mailings)
    }
}

/// Asks two ledgers the same questions.
struct LedgerComparison {
    private let left: any LedgerStore
    private let right: any LedgerStore
    private(set) var asked = 0
    private(set) var mailings = 0
    private(set) var differences: [String] = []

    init(_ left: any LedgerStore, _ right: any LedgerStore) { (self.left, self.right) = (left, right) }

    private mutating func ask<Answer: Equatable>(
        _ what: String, _ question: (any LedgerStore) async throws(LedgerError) -> Answer
    ) async throws(LedgerError) {
        let (one, other) = (try await question(left), try await question(right))
        asked += 1
        if one != other { differences.append(what) }
    }

    mutating func run(now: Int64) async throws(LedgerError) {
        try await askWhole(now: now)
        let ids = try await left.statuses(states: nil, limit: Int(Int32.max)).map(\.record.id)
        mailings = ids.count
        for id in ids { try await ask(about: id, now: now) }
    }

    /// Entries of a list that are compared; what the lists are made of was compared row by row.
    private static let page = 1000

    private mutating func askWhole(now: Int64) async throws(LedgerError) {
        try await ask("commits") { ledger throws(LedgerError) in try await ledger.commits() }
        try await ask("copy") { ledger throws(LedgerError) in
            // Where a ledger stands is no content of it.
            var mark = try await ledger.copyMark()
            mark.standing = nil
            return mark
        }
        try await ask("list of mailings") { ledger throws(LedgerError) in
            try await ledger.statuses(states: nil, limit: Int(Int32.max))
        }
        try await ask("work") { ledger throws(LedgerError) in try await ledger.work() }
        try await ask("open mailings") { ledger throws(LedgerError) in try await ledger.openMailings() }
        try await ask("waiting mailings") { ledger throws(LedgerError) in
            try await ledger.waiting(only: nil, now: now, limit: Self.page).due.map(\.id)
        }
        try await ask("limits") { ledger throws(LedgerError) in try await ledger.limits() }
        try await ask("audit log") { ledger throws(LedgerError) in try await ledger.audit(AuditFilter(), limit: Self.page) }
        try await ask("dead letters") { ledger throws(LedgerError) in try await ledger.deadLetters(after: nil, limit: Self.page) }
        try await ask("suppressions") { ledger throws(LedgerError) in
            try await ledger.suppressions(SuppressionFilter(), after: nil, limit: Self.page)
        }
        try await ask("revision of the suppressions") { ledger throws(LedgerError) in try await ledger.suppressionList() }
        try await ask("categories") { ledger throws(LedgerError) in try await ledger.categories() }
        try await ask("old mailings") { ledger throws(LedgerError) in try await ledger.agedMailings(RetentionRule(cutoff: now)) }
        try await ask("pruned mailings") { ledger throws(LedgerError) in try await ledger.prunedMailings() }
    }

    private mutating func ask(about id: MailingID, now: Int64) async throws(LedgerError) {
        try await ask("report of \(id)") { ledger throws(LedgerError) in try await ledger.report(id, now: now) }
        try await ask("events of \(id)") { ledger throws(LedgerError) in try await ledger.checkEvents(id) }
        try await ask("dispatches of \(id)") { ledger throws(LedgerError) in try await ledger.openDispatches(of: [id]) }
        try await ask("uncertain recipients of \(id)") { ledger throws(LedgerError) in
            try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: Self.page)
        }
        try await ask("excluded rows of \(id)") { ledger throws(LedgerError) in
            try await ledger.exclusions(id, after: -1, limit: Self.page)
        }
        try await ask("skipped recipients of \(id)") { ledger throws(LedgerError) in
            try await ledger.skipped(id, after: nil, limit: Self.page)
        }
        try await ask("refusals of \(id)") { ledger throws(LedgerError) in try await ledger.doubtfulRefusals(id) }
    }

    /// Asks after every recipient of every mailing: for small ledgers.
    mutating func askRecipients() async throws(LedgerError) {
        for id in try await left.statuses(states: nil, limit: Int(Int32.max)).map(\.record.id) {
            var keys: [String] = []
            for batch in try await left.reached(by: id, after: -1, limit: Int(Int32.max)) {
                keys += (0..<batch.recipients.count).flatMap { [batch.recipients[$0, 0], batch.recipients[$0, 1]] }
            }
            for key in keys {
                try await ask("\(key) of \(id)") { ledger throws(LedgerError) in try await ledger.recipient(id, key) }
                try await ask("history of \(key)") { ledger throws(LedgerError) in try await ledger.history(address: key, limit: Self.page)
                }
                try await ask("suppressions of \(key)") { ledger throws(LedgerError) in try await ledger.suppressions(of: key, .email) }
            }
            try await ask("recount of \(id)") { ledger throws(LedgerError) in try await ledger.recount(id) }
        }
    }
}
