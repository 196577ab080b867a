import Model

/// Checks what a ledger holds, whatever engine keeps it: each mailing's counters against its rows, each recipient and result, and rows that
/// belong to nothing. Nothing is changed, and roles may use the ledger meanwhile.
struct LedgerCheck {
    /// Lends one unchanging view of the ledger: what roles write meanwhile is in it as a whole, or not at all.
    typealias View = (_ body: (any SQLTransaction) throws -> Void) throws -> Void
    /// What an error says of the ledger; nil for one that says nothing of it, such as a lost connection: the check ends with that.
    typealias Judgement = (any Error) -> (kind: LedgerInspection.Fault.Kind, words: String)?

    private(set) var inspection: LedgerInspection
    var progress: InspectionProgress
    private let view: View
    private let judge: Judgement

    /// - Parameter say: gets words about each part before it is looked at, and about how far it has come.
    init(version: Int, say: @escaping (String) -> Void, view: @escaping View, judge: @escaping Judgement) {
        inspection = LedgerInspection(version: version)
        progress = InspectionProgress(say)
        (self.view, self.judge) = (view, judge)
    }

    /// Looks at all that the tables hold.
    mutating func run() throws {
        progress.begin("mailings")
        let records = try list()
        progress.begin("mailings", all: records.reduce(0) { $0 + $1.plannedCount })
        for record in records {
            inspection.mailings += 1
            inspection.recipients += record.plannedCount
            // A view for each: a server cannot remove what is replaced while one is open.
            try look(at: "counters of mailing \(record.id)") { db, check in try check.recount(db, record.id) }
            progress.advance(by: record.plannedCount)
        }
        try readRecipients(records)
        progress.begin("rows that belong to nothing")
        try look(at: "rows that belong to nothing") { db, check in try check.findOrphans(db) }
    }

    /// Lists the mailings, and notes those that cannot be read.
    private mutating func list() throws -> [MailingRecord] {
        var records: [MailingRecord] = []
        try look(at: "mailings") { db, check in
            let found = try MailingRecord.all(db, "ORDER BY created, id", [])
            records = found.records
            for mailing in found.unreadable { check.note(.mailing, mailing: mailing.id, "\(mailing.error)") }
        }
        return records
    }

    /// Looks at a part; where that cannot be read, this is a fault, and the check continues with the next.
    mutating func look(at part: String, _ body: (any SQLTransaction, inout LedgerCheck) throws -> Void) throws {
        do {
            try view { try body($0, &self) }
        } catch {
            guard let (kind, words) = judge(error) else { throw error }
            note(kind, "the \(part) cannot be read: \(words)")
        }
    }

    /// Compares the tables, views and indexes with those that this release makes, each with its columns by its kind and name. More of them
    /// than these are not wrong.
    mutating func compare(_ found: [String: [String]], with expected: [String: [String]]) {
        for (name, columns) in expected.sorted(by: { $0.key < $1.key }) {
            guard let there = found[name] else {
                note(.schema, "the \(name) is missing")
                continue
            }
            let missing = columns.filter { !there.contains($0) }
            if !missing.isEmpty { note(.schema, "the \(name) lacks \(missing.joined(separator: ", "))") }
        }
    }

    mutating func note(_ kind: LedgerInspection.Fault.Kind, mailing: String? = nil, _ text: String) {
        inspection.faults.append(.init(kind, mailing: mailing, text))
    }

    private mutating func recount(_ db: any SQLTransaction, _ id: MailingID) throws {
        do {
            guard let record = try MailingRecord.one(db, id) else { return }
            var problems = try SQLLedger.recount(db, record)
            // Of one that is pruned the counters alone are kept.
            if record.pruned == nil { problems += try Self.recountEvents(db, id) + SQLLedger.checkEvents(db, id) }
            for problem in problems { note(.counts, mailing: id.description, problem) }
        } catch let damage as SQLDamage {
            note(.counts, mailing: id.description, damage.text)
        }
    }

    /// Counts events anew.
    private static func recountEvents(_ db: any SQLTransaction, _ id: MailingID) throws -> [String] {
        let counted = try SQLLedger.pairs(db, "SELECT kind, n FROM event_counter WHERE mailing = ?", id)
        let found = try SQLLedger.pairs(db, "SELECT kind, count(*) FROM event WHERE mailing = ? GROUP BY kind", id)
        return Set(counted.keys).union(found.keys).sorted().compactMap { kind in
            let (counter, rows) = (counted[kind] ?? 0, found[kind] ?? 0)
            return counter == rows ? nil : "the counter of \(kind) says \(counter), its events \(rows)"
        }
    }
}
