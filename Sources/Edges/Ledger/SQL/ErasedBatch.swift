import Model
import Text

/// The recipients of a batch that are one person, and the transaction that empties them.
struct ErasedBatch {
    struct Part {
        var recipients = 0
        var letters = 0
        var open: [Erasure.Left] = []
    }

    let id: BatchID
    /// Places of the recipients.
    let indexes: Set<Int>

    /// All batches with recipients that have one of the addresses.
    static func find(_ db: any SQLTransaction, _ addresses: [String]) throws -> [ErasedBatch] {
        var places: [BatchID: Set<Int>] = [:]
        for address in addresses {
            let rows = try db.rows(
                "SELECT mailing, batch, hashes FROM fingerprint WHERE \(db.holdsHash("?1")) ORDER BY mailing, batch",
                [AddressHash.bytes(address)])
            try SQLLedger.find(db, rows, address: address) { found in
                places[found.batch, default: []].insert(found.index)
                return true
            }
        }
        return places.map { ErasedBatch(id: $0.key, indexes: $0.value) }
            .sorted { ($0.id.mailing, $0.id.number) < ($1.id.mailing, $1.id.number) }
    }

    /// Whether a recipient in a state is needed as it is: it may be sent to, or a person is to decide about it.
    private static func isNeeded(_ state: RecipientState) -> Bool { state == .planned || state == .deferred || state == .uncertain }

    /// Empties those whose values nobody needs any more.
    func erase(_ db: any SQLTransaction, _ search: AddressSearch) throws -> Part {
        var part = Part()
        guard let progress = try BatchProgress.load(db, id), let record = try MailingRecord.one(db, id.mailing) else { return part }
        let states = indexes.sorted().compactMap { index in progress.state(index).map { (index: index, state: $0) } }
        part.open = states.filter { Self.isNeeded($0.state) }.map { Erasure.Left(mailing: id.mailing, state: $0.state) }
        let closed = Set(states.filter { !Self.isNeeded($0.state) }.map(\.index))
        guard !closed.isEmpty else { return part }
        let width = record.mailing.fields.count
        let old = try SQLLedger.recipients(db, id, width)
        var new = Recipients(width: width)
        for row in 0..<old.count {
            let kept = (0..<width).map { old[row, $0] }
            guard closed.contains(row) else {
                new.append(row: kept)
                continue
            }
            new.append(row: [search.isHeld(by: kept[0]) ? "" : kept[0]] + Array(repeating: "", count: width - 1))
        }
        let planned = PlannedBatch(number: id.number, recipients: new)
        let key: [any SQLConvertible] = [id.mailing.description, id.number]
        try db.run(
            "UPDATE batch SET recipients = ? WHERE mailing = ? AND number = ?", [String(decoding: planned.recipients, as: UTF8.self)] + key)
        let hashes = planned.fingerprints.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
        try db.run("UPDATE fingerprint SET hashes = ? WHERE mailing = ? AND batch = ?", [hashes] + key)
        try eraseResponses(db, closed, search)
        for index in closed {
            // Short values, as a greeting or a country, stand in any link.
            let values = (1..<width).map { old[index, $0] }.filter { $0.utf8.count >= 4 }
            try eraseEvents(db, index, values, search)
        }
        try eraseVisitors(db, closed)
        for letter in try db.all(Int64.self, "SELECT id FROM dead_letter WHERE mailing = ? AND batch = ?", key) {
            part.letters += try ErasedTexts.empty(db, letter)
        }
        part.recipients = closed.count
        return part
    }

    /// When visits were, by which program, and what they count as stays; from where they came does not.
    private func eraseVisitors(_ db: any SQLTransaction, _ closed: Set<Int>) throws {
        try EventLog(db).eraseVisitors(of: closed, in: id)
        for (part, indexes) in Dictionary(grouping: closed, by: StoredEventGroup.part(of:)) {
            guard var group = try StoredEventGroup.load(db, id, part: part) else { continue }
            for index in indexes {
                var events = try group.events(at: index % StoredEventGroup.size)
                for place in events.indices { events[place].eraseVisitor() }
                group.set(events, at: index % StoredEventGroup.size)
            }
            try EventWriting.store([[id.mailing.description, id.number, part, group.bytes]], db)
        }
    }

    /// What providers said of recipients may hold their addresses.
    private func eraseResponses(_ db: any SQLTransaction, _ closed: Set<Int>, _ search: AddressSearch) throws {
        let rows = try db.allRows(
            "SELECT dispatch, worker, sequence, base, data FROM result WHERE mailing = ? AND batch = ?",
            [id.mailing.description, id.number])
        for row in rows {
            let base: Int64 = try row.read(3)
            var results = try [RecipientResult](decoding: row.read(4) as [UInt8], base: base)
            guard results.contains(where: { closed.contains($0.index) }) else { continue }
            for place in results.indices where closed.contains(results[place].index) {
                guard var response = results[place].response else { continue }
                let text = ResponseGrouping.normalise(response.text)
                response.text = search.removed(from: text) ?? text
                if search.isHeld(by: response.messageID) || search.isWithin(response.messageID) { response.messageID = "" }
                results[place].response = response
            }
            try db.run(
                "UPDATE result SET data = ? WHERE mailing = ? AND batch = ? AND dispatch = ? AND worker = ? AND sequence = ?",
                [
                    String(decoding: results.encoded(base: base), as: UTF8.self), id.mailing.description, id.number,
                    try row.read(0) as Int64, try row.read(1) as String, try row.read(2) as Int64,
                ])
        }
    }

    /// A link that was clicked may hold values of the person. The event stays and is counted; of several at one time each has a detail of
    /// its own.
    private func eraseEvents(_ db: any SQLTransaction, _ index: Int, _ values: [String], _ search: AddressSearch) throws {
        let key: [any SQLConvertible] = [id.mailing.description, id.number, index]
        let rows = try db.allRows(
            "SELECT kind, at, detail FROM event WHERE mailing = ? AND batch = ? AND idx = ? ORDER BY kind, at, detail", key)
        for (number, row) in rows.enumerated() {
            let (kind, at, detail): (String, Int64, String) = try (row.read(0), row.read(1), row.read(2))
            let plain = PercentEncoding.decode(detail) ?? detail
            guard search.isIn(plain.utf8) || values.contains(where: { plain.contains($0) || detail.contains($0) }) else { continue }
            try db.run(
                "UPDATE event SET detail = ? WHERE mailing = ? AND batch = ? AND idx = ? AND kind = ? AND at = ? AND detail = ?",
                ["\(AddressSearch.replacement)\(number)"] + key + [kind, at, detail])
        }
    }
}
