import Foundation
import Model

/// What the ledger knows of rounds.
extension SQLLedger {
    /// All rounds of a mailing; empty where there is but the first.
    /// - Parameter totals: the mailing's recipients by state.
    static func rounds(_ db: any SQLTransaction, _ record: MailingRecord, totals: [RecipientState: Int]) throws -> [MailingRound] {
        let rows = try db.allRows(
            "SELECT number, at, actor, reasons, recipients, states FROM mailing_round WHERE mailing = ? ORDER BY number",
            [record.id.description])
        guard !rows.isEmpty else { return [] }
        let isPruned = record.pruned != nil
        let found = try isPruned ? [:] : outcomes(db, record.id)
        var rounds = try rows.map { row in
            let number: Int = try row.read(0)
            let kept: String? = isPruned ? try row.read(5) : nil
            return try MailingRound(
                number: number, at: row.read(1), actor: row.read(2), reasons: row.read(3), recipients: row.read(4),
                states: kept.map(Self.kept) ?? found[number] ?? [:])
        }
        rounds.insert(
            MailingRound(
                number: 1, at: record.started, actor: "", reasons: "", recipients: record.plannedCount,
                states: try isPruned ? [:] : first(db, record.id, totals, rounds)),
            at: 0)
        return rounds
    }

    /// What recipients came to in the first round: all that they came to in any round, and all that they were before one, adds up.
    private static func first(
        _ db: any SQLTransaction, _ id: MailingID, _ totals: [RecipientState: Int], _ later: [MailingRound]
    ) throws -> [RecipientState: Int] {
        var first = totals
        for (code, count) in try pairs(db, "SELECT state, count(*) FROM retried WHERE mailing = ? GROUP BY state", id) {
            if let state = code.utf8.first.flatMap(StateCode.state) { first[state, default: 0] &+= count }
        }
        for round in later { for (state, count) in round.states { first[state, default: 0] &-= count } }
        return first.filter { $0.value != 0 }
    }

    /// What recipients came to in each round after the first: what they were when the next one began, or are now.
    private static func outcomes(_ db: any SQLTransaction, _ id: MailingID) throws -> [Int: [RecipientState: Int]] {
        let rows = try db.rows(
            """
            SELECT round, state, count(*) FROM (
                SELECT r.round, coalesce(
                    (SELECT n.state FROM retried n WHERE n.mailing = r.mailing AND n.batch = r.batch AND n.idx = r.idx
                        AND n.round > r.round ORDER BY n.round LIMIT 1), substr(p.states, r.idx + 1, 1)) AS state
                FROM retried r JOIN progress p ON p.mailing = r.mailing AND p.number = r.batch WHERE r.mailing = ?) AS outcome
            GROUP BY round, state
            """, [id.description])
        var found: [Int: [RecipientState: Int]] = [:]
        while let row = try rows.next() {
            guard let state = try (row.read(1) as String).utf8.first.flatMap(StateCode.state) else { continue }
            try found[row.read(0), default: [:]][state, default: 0] += row.read(2)
        }
        return found
    }

    /// Keeps what the recipients of rounds came to, of a mailing whose recipients are about to be removed.
    static func keepRounds(_ db: any SQLTransaction, _ id: MailingID) throws {
        for (number, states) in try outcomes(db, id) {
            let names = Dictionary(states.map { ($0.key.name, $0.value) }, uniquingKeysWith: +)
            let text = String(decoding: try JSONEncoder().encode(names), as: UTF8.self)
            try db.run("UPDATE mailing_round SET states = ? WHERE mailing = ? AND number = ?", [text, id.description, number])
        }
    }

    private static func kept(_ text: String) throws -> [RecipientState: Int] {
        guard let names = try? JSONDecoder().decode([String: Int].self, from: Data(text.utf8)) else {
            throw SQLDamage("what the recipients of a round came to is not what a ledger writes")
        }
        return states(names).filter { $0.value != 0 }
    }

    /// When a recipient was sent to again by a person's order.
    static func retried(_ db: any SQLTransaction, _ id: BatchID, _ index: Int) throws -> [RetriedRecipient] {
        let rows = try db.rows(
            "SELECT round, at, state FROM retried WHERE mailing = ? AND batch = ? AND idx = ? ORDER BY round",
            [id.mailing.description, id.number, index])
        var found: [RetriedRecipient] = []
        while let row = try rows.next() {
            guard let state = try (row.read(2) as String).utf8.first.flatMap(StateCode.state) else { continue }
            try found.append(RetriedRecipient(round: row.read(0), at: row.read(1), state: state))
        }
        return found
    }
}

/// Where the newest round of a recipient begins: what belongs to an earlier one is told by it.
struct RoundBeginning {
    /// The last dispatch of the batch before it.
    var dispatchNumber: Int
    /// Milliseconds since 1970.
    var at: Int64

    /// Of a batch, by place; empty where no recipient of it was retried.
    static func all(_ db: any SQLTransaction, _ id: BatchID) throws -> [Int: RoundBeginning] {
        let rows = try db.rows(
            "SELECT idx, max(dispatch), max(at) FROM retried WHERE mailing = ? AND batch = ? GROUP BY idx",
            [id.mailing.description, id.number])
        var found: [Int: RoundBeginning] = [:]
        while let row = try rows.next() {
            try found[row.read(0)] = RoundBeginning(dispatchNumber: row.read(1), at: row.read(2))
        }
        return found
    }

    /// Whether a result says nothing of the newest round: an attempt of an earlier one failed, or was put off. That a message has arrived,
    /// or may have, counts in every round.
    func isBehind(_ result: RecipientResult, dispatchNumber: Int) -> Bool {
        dispatchNumber <= self.dispatchNumber && result.state.rank < RecipientState.sent.rank && result.state != .uncertain
    }

    /// Whether a message that came back is of an earlier round. Providers tell times in seconds.
    /// - Parameter isRepeated: the ledger was told of it before.
    func isBehind(bounceAt time: Int64, isRepeated: Bool) -> Bool { isRepeated || time / 1000 < at / 1000 }
}
