import Model
import Text

extension SQLLedger: ErasureStore {
    package func erase(address: String, note: AuditNote?, now: Int64) async throws(LedgerError) -> Erasure {
        guard !address.isEmpty else { return Erasure() }
        let batches = try await read("finding an address") { db in
            let rows = try db.rows(
                "SELECT mailing, batch, hashes FROM fingerprint WHERE \(db.holdsHash("?1")) ORDER BY mailing, batch",
                [AddressHash.bytes(address)])
            return try Self.find(db, rows, address: address, limit: .max).reduce(into: [BatchID: [Int]]()) {
                $0[$1.batch, default: []].append($1.index)
            }
        }
        var erasure = Erasure()
        // A batch at a time, so that others get at the ledger meanwhile; whoever is interrupted finds the rest by the address.
        for (id, indexes) in batches.sorted(by: { ($0.key.mailing, $0.key.number) < ($1.key.mailing, $1.key.number) }) {
            let (erased, open) = try await write("erase") { db in try Self.erase(db, id, indexes) }
            erasure.recipients += erased
            if open { erasure.open.append(id.mailing) }
        }
        let before = erasure
        return try await write("erase") { db in
            var erasure = before
            try db.run(
                "UPDATE exclusion SET address = '', detail = '' WHERE lower(address) = ?",
                [String(decoding: address.utf8.map(\.lowercased), as: UTF8.self)])
            erasure.excluded = db.changes
            var after = AuditedValues()
            after.recipients = erasure.recipients
            try Self.note(db, note, on: .ledger, before: AuditedValues(), after: after, now: now)
            return erasure
        }
    }

    /// - Returns: how many recipients of a batch were emptied, and whether one was left as it is still to be sent to.
    private static func erase(_ db: any SQLTransaction, _ id: BatchID, _ indexes: [Int]) throws -> (Int, Bool) {
        guard let progress = try BatchProgress.load(db, id), let record = try MailingRecord.one(db, id.mailing) else { return (0, false) }
        let closed = indexes.filter { index in progress.state(index).map { $0 != .planned && $0 != .deferred } ?? false }
        guard !closed.isEmpty else { return (0, true) }
        let old = try recipients(db, id, record.mailing.fields.count)
        var new = Recipients(width: record.mailing.fields.count)
        for row in 0..<old.count {
            let isErased = closed.contains(row)
            new.append(row: (0..<record.mailing.fields.count).map { $0 == 0 || !isErased ? old[row, $0] : "" })
        }
        let planned = PlannedBatch(number: id.number, recipients: new)
        let key: [any SQLConvertible] = [id.mailing.description, id.number]
        let values = String(decoding: planned.recipients, as: UTF8.self)
        try db.run("UPDATE batch SET recipients = ? WHERE mailing = ? AND number = ?", [values] + key)
        let hashes = planned.fingerprints.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
        try db.run("UPDATE fingerprint SET hashes = ? WHERE mailing = ? AND batch = ?", [hashes] + key)
        try eraseTexts(db, id, Set(closed))
        for index in closed { try eraseVisitors(db, id, index) }
        for letter in try db.all(Int64.self, "SELECT id FROM dead_letter WHERE mailing = ? AND batch = ?", key) {
            try db.run("DELETE FROM dead_letter_field WHERE letter = ?", [letter])
            try db.run("UPDATE dead_letter SET is_whole = 0 WHERE id = ?", [letter])
        }
        return (closed.count, closed.count < indexes.count)
    }

    /// When visits were, by which program, and what they count as stays; from where they came does not.
    private static func eraseVisitors(_ db: any SQLTransaction, _ id: BatchID, _ index: Int) throws {
        let row = try db.row(
            "SELECT data FROM event_recipient WHERE mailing = ? AND batch = ? AND idx = ?", [id.mailing.description, id.number, index])
        guard let row else { return }
        var events = try [StoredEvent](packed: row.read(0))
        for place in events.indices { events[place].eraseVisitor() }
        try EventWriting.store([[id.mailing.description, id.number, index, events.packed()]], db)
    }

    /// What providers said of recipients may hold their addresses.
    private static func eraseTexts(_ db: any SQLTransaction, _ id: BatchID, _ indexes: Set<Int>) throws {
        let rows = try db.allRows(
            "SELECT dispatch, worker, sequence, base, data FROM result WHERE mailing = ? AND batch = ?",
            [id.mailing.description, id.number])
        for row in rows {
            let base: Int64 = try row.read(3)
            var results = try [RecipientResult](decoding: row.read(4) as [UInt8], base: base)
            guard results.contains(where: { indexes.contains($0.index) }) else { continue }
            for place in results.indices where indexes.contains(results[place].index) {
                guard let text = results[place].response?.text else { continue }
                results[place].response?.text = ResponseGrouping.normalise(text)
            }
            try db.run(
                "UPDATE result SET data = ? WHERE mailing = ? AND batch = ? AND dispatch = ? AND worker = ? AND sequence = ?",
                [
                    String(decoding: results.encoded(base: base), as: UTF8.self), id.mailing.description, id.number,
                    try row.read(0) as Int64, try row.read(1) as String, try row.read(2) as Int64,
                ])
        }
    }
}
