package import Model
import Signing
import Text

extension SQLLedger: AnswerStore {
    package func asked(about questions: [Question]) async throws(LedgerError) -> [AskedRecipient?] {
        guard !questions.isEmpty else { return [] }
        return try await read("answering questions") { db in
            let lookup = try RecipientLookup(db, questions, needsValues: true)
            return questions.map { question in
                guard let mailing = lookup.mailings[question.mailing] else { return nil }
                let batch = BatchID(mailing: mailing.id, number: Int(question.batch))
                guard !mailing.isPruned else { return AskedRecipient(batch: batch, index: Int(question.index), values: nil) }
                guard let row = lookup.rows[RecipientLookup.Place(question)] else { return nil }
                // Of an erased person nothing is left but the place.
                let values = row[0, 1].isEmpty ? nil : row
                return AskedRecipient(batch: batch, index: Int(question.index), values: values)
            }
        }
    }

    package func preferences(of questions: [Question], now: Int64) async throws(LedgerError) -> [RecipientPreferences?] {
        guard !questions.isEmpty else { return [] }
        return try await read("reading preferences") { db in
            let lookup = try RecipientLookup(db, questions, needsValues: false)
            let hasher = try PrunedAddresses.hasher(db)
            let names = try db.all(String.self, "SELECT name FROM category ORDER BY name LIMIT ?", [RecipientPreferences.most])
            var people: [RecipientLookup.Person?] = []
            for question in questions { people.append(try lookup.person(db, question, hasher)) }
            let choices = try PreferenceRows(db, people.compactMap(\.self), now: now)
            return people.map { person in
                person.map { person in
                    var shown = names
                    if !person.category.isEmpty, !shown.contains(person.category) {
                        if shown.count >= RecipientPreferences.most { shown.removeLast() }
                        shown = (shown + [person.category]).sorted()
                    }
                    return RecipientPreferences(
                        channel: person.channel, category: person.category, all: choices.choice(of: person, ""),
                        categories: shown.map { .init($0, choices.choice(of: person, $0)) })
                }
            }
        }
    }
}

/// The mailings and batches that questions are about, each read once.
private struct RecipientLookup {
    struct Mailing {
        var id: MailingID
        var channel: Channel
        var category: String
        var isPruned: Bool
    }

    struct Place: Hashable {
        var mailing: UInt32
        var batch: UInt32
        var index: UInt32

        init(_ question: Question) { (mailing, batch, index) = (question.mailing, question.batch, question.index) }
    }

    /// By what a recipient's suppressions are found.
    struct Person {
        var channel: Channel
        var category: String
        /// The address and what stands for it, or that alone where the address is not kept.
        var forms: [String]
    }

    private(set) var mailings: [UInt32: Mailing] = [:]
    /// One row of each recipient that is there: all of their values, or id and address alone.
    private(set) var rows: [Place: Recipients] = [:]

    init(_ db: any SQLTransaction, _ questions: [Question], needsValues: Bool) throws {
        let numbers = Set(questions.map(\.mailing)).sorted()
        let found: [Mailing??] = try db.firstRows(
            "SELECT id, channel, category, pruned FROM mailing WHERE number = ?", numbers.map { [Int($0)] }
        ) { row, _ in
            guard let id = try MailingID(row.read(0) as String), let channel = try Channel(rawValue: row.read(1)) else { return nil }
            return try Mailing(id: id, channel: channel, category: row.read(2), isPruned: (row.read(3) as Int64?) != nil)
        }
        for case (let number, let mailing??) in zip(numbers, found) { mailings[number] = mailing }
        struct Batch: Hashable { var mailing: UInt32, number: UInt32 }
        let places = Dictionary(grouping: Set(questions.map(Place.init))) { Batch(mailing: $0.mailing, number: $0.batch) }
        let kept = places.filter { mailings[$0.key.mailing].map { !$0.isPruned } ?? false }.map { (batch: $0.key, places: $0.value) }
        for start in stride(from: 0, to: kept.count, by: Self.batchesAtOnce) {
            let some = kept[start..<min(start + Self.batchesAtOnce, kept.count)]
            let wires: [[UInt8]?] = try db.firstRows(
                "SELECT recipients FROM batch WHERE mailing = ? AND number = ?",
                some.map { [mailings[$0.batch.mailing]?.id.description ?? "", Int($0.batch.number)] }
            ) { row, _ in try row.bytes(0) ?? [] }
            for (one, wire) in zip(some, wires) {
                // A damaged batch holds up no other: of its recipients nothing is known.
                let found = try? wire.map {
                    try Recipients.rows(Set(one.places.map { Int($0.index) }), of: $0, addressesAlone: !needsValues)
                }
                for place in one.places { rows[place] = found?[Int(place.index)] }
            }
        }
    }

    /// Batches that are in memory at a time.
    private static let batchesAtOnce = 16

    /// Nil where nothing of the recipient's address is kept.
    func person(_ db: any SQLTransaction, _ question: Question, _ hasher: AddressHasher) throws -> Person? {
        guard let mailing = mailings[question.mailing] else { return nil }
        if mailing.isPruned {
            let hash = try PrunedAddresses.hash(db, question.mailing, batch: question.batch, index: question.index)
            return hash.map { Person(channel: mailing.channel, category: mailing.category, forms: [AddressHasher.text(of: $0)]) }
        }
        guard let row = rows[Place(question)] else { return nil }
        let address = EventWriting.address(row, 0, mailing.channel)
        guard !address.isEmpty else { return nil }
        return Person(channel: mailing.channel, category: mailing.category, forms: [address, hasher.text(of: address)])
    }
}

/// The suppressions in force of some people.
private struct PreferenceRows {
    private struct Key: Hashable {
        var channel: Channel
        var address: String
        var category: String
    }

    private var reasons: [Key: Suppression.Reason] = [:]

    init(_ db: any SQLTransaction, _ people: [RecipientLookup.Person], now: Int64) throws {
        for (channel, people) in Dictionary(grouping: people, by: \.channel) {
            let rows = try db.allRows(
                """
                SELECT address, category, reason FROM \(db.elements) CROSS JOIN suppression
                WHERE channel = ? AND address = value AND (expires IS NULL OR expires > ?)
                """, [JSONWriter.list(of: Array(Set(people.flatMap(\.forms)))), channel.rawValue, now])
            for row in rows {
                let key = try Key(channel: channel, address: row.read(0), category: row.read(1))
                reasons[key] = try Suppression.Reason(rawValue: row.read(2)) ?? .manual
            }
        }
    }

    func choice(of person: RecipientLookup.Person, _ category: String) -> RecipientPreferences.Choice {
        let found = person.forms.compactMap { reasons[Key(channel: person.channel, address: $0, category: category)] }
        if found.isEmpty { return .wanted }
        return found.allSatisfy { $0 == .unsubscribe } ? .declined : .excluded
    }
}
