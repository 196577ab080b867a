import Foundation
package import Model
import Text

extension SQLLedger {
    package func recipient(_ id: MailingID, _ key: String) async throws(LedgerError) -> RecipientDetail? {
        guard !key.isEmpty else { return nil }
        return try await read("finding a recipient") { db in
            guard let record = try MailingRecord.one(db, id) else { return nil }
            let rows = try db.rows(
                "SELECT mailing, batch, hashes FROM fingerprint WHERE mailing = ?1 AND \(db.holdsHash("?2")) ORDER BY batch",
                [id.description, AddressHash.bytes(key)])
            if let found = try Self.find(db, rows, address: key, limit: 1).first {
                return try Self.detail(db, record, found)
            }
            return try Self.find(db, id, recipient: key, limit: 1).first.flatMap { try Self.detail(db, record, $0) }
        }
    }

    package func addresses(_ id: MailingID, ofID recipient: String, limit: Int) async throws(LedgerError) -> [String] {
        try await read("finding an id") { db in
            try Self.find(db, id, recipient: recipient, limit: limit).map { $0.recipients[$0.index, 1] }
        }
    }

    package func history(address: String, limit: Int) async throws(LedgerError) -> [RecipientDetail] {
        guard !address.isEmpty else { return [] }
        return try await read("finding an address") { db in
            let rows = try db.rows(
                "SELECT mailing, batch, hashes FROM fingerprint WHERE \(db.holdsHash("?1")) ORDER BY mailing DESC, batch DESC",
                [AddressHash.bytes(address)])
            var details: [RecipientDetail] = []
            for found in try Self.find(db, rows, address: address, limit: limit) {
                if let detail = try Self.detail(db, found.record, found) { details.append(detail) }
            }
            return details.sorted { $0.mailing > $1.mailing }
        }
    }

    struct Found {
        var record: MailingRecord
        var batch: BatchID
        var index: Int
        var recipients: Recipients
    }

    /// The recipients with an address among rows of fingerprints.
    static func find(
        _ db: any SQLTransaction, _ rows: any SQLCursor, address: String, limit: Int
    ) throws -> [Found] {
        var found: [Found] = []
        guard limit > 0 else { return found }
        try find(db, rows, address: address) { one in
            found.append(one)
            return found.count < limit
        }
        return found
    }

    /// Passes them one by one.
    /// - Parameter take: tells whether more are wanted.
    static func find(_ db: any SQLTransaction, _ rows: any SQLCursor, address: String, _ take: (Found) -> Bool) throws {
        let wanted = Array(address.utf8)
        let hash = AddressHash.of(wanted).littleEndian
        var records: [MailingID: MailingRecord] = [:]
        while let row = try rows.next() {
            let hits = places(of: hash, in: try row.read(2))
            guard !hits.isEmpty, let mailing = try MailingID(row.read(0) as String) else { continue }
            let batch = try BatchID(mailing: mailing, number: row.read(1))
            let record = try records[mailing] ?? record(db, of: batch)
            records[mailing] = record
            let recipients = try recipients(db, batch, record.mailing.fields.count)
            for index in hits where index < recipients.count {
                let bytes = recipients.bytes[recipients.range(index, 1)]
                guard ASCII.equalIgnoringCase(bytes, wanted) else { continue }
                guard take(Found(record: record, batch: batch, index: index, recipients: recipients)) else { return }
            }
        }
    }

    static func places(of hash: UInt32, in hashes: [UInt8]) -> [Int] {
        hashes.withUnsafeBytes { buffer in
            var places: [Int] = []
            for index in 0..<buffer.count / 4
            where buffer.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self) == hash { places.append(index) }
            return places
        }
    }

    /// The first recipients with an id: every batch is searched for the id's JSON at the start of a recipient.
    private static func find(_ db: any SQLTransaction, _ id: MailingID, recipient: String, limit: Int) throws -> [Found] {
        var start = JSONWriter()
        start.beginArray()
        start.string(recipient.utf8)
        let numbers = try db.all(
            Int.self, "SELECT number FROM batch WHERE mailing = ? AND instr(recipients, ?) > 0 ORDER BY number",
            [id.description, String(decoding: start.bytes, as: UTF8.self)])
        let wanted = Array(recipient.utf8)
        var found: [Found] = []
        for number in numbers where found.count < limit {
            let batch = BatchID(mailing: id, number: number)
            let record = try record(db, of: batch)
            let recipients = try recipients(db, batch, record.mailing.fields.count)
            for index in 0..<recipients.count
            where recipients.bytes[recipients.range(index, 0)].elementsEqual(wanted) && found.count < limit {
                found.append(Found(record: record, batch: batch, index: index, recipients: recipients))
            }
        }
        return found
    }

    static func record(_ db: any SQLTransaction, of id: BatchID) throws -> MailingRecord {
        guard let record = try MailingRecord.one(db, id.mailing) else {
            throw SQLDamage("batch \(id) has no mailing")
        }
        return record
    }

    /// The recipients of a batch of a mailing with `width` fields.
    static func recipients(_ db: any SQLTransaction, _ id: BatchID, _ width: Int) throws -> Recipients {
        guard let wire = try batchText(db, id) else {
            throw SQLDamage("batch \(id) has no recipients")
        }
        return try Recipients(decoding: wire, width: width)
    }

    static func detail(_ db: any SQLTransaction, _ record: MailingRecord, _ found: Found) throws -> RecipientDetail? {
        guard let progress = try BatchProgress.load(db, found.batch), let state = progress.state(found.index) else {
            return nil
        }
        let error = try LastError.load(db, found.batch, found.index)
        let values = record.mailing.fields.enumerated().filter { $0.element != ValueKinds.field }.map { column, field in
            RecipientDetail.Value(field: field, text: found.recipients[found.index, column])
        }
        return RecipientDetail(
            mailing: record.id, mailingName: record.mailing.name, batch: found.batch.number, index: found.index,
            id: found.recipients[found.index, 0], address: found.recipients[found.index, 1], values: values,
            state: state,
            attempts: max(progress.attempts(found.index), error?.attempts ?? 0),
            due: state == .deferred ? error?.due : nil,
            skipped: state == .skipped ? try skipped(db, found.batch, found.index) : nil, history: try attempts(db, found),
            uncertain: try listings(db, found.batch, found.index), retried: try retried(db, found.batch, found.index),
            events: try events(db, found),
            visits: try visits(db, found.batch, found.index))
    }

    private static func attempts(_ db: any SQLTransaction, _ found: Found) throws -> [AttemptRecord] {
        let rows = try db.rows(
            """
            SELECT dispatch, worker, base, data, provider FROM result WHERE mailing = ? AND batch = ?
            ORDER BY dispatch, worker, sequence
            """,
            [found.batch.mailing.description, found.batch.number])
        var attempts: [AttemptRecord] = []
        while let row = try rows.next() {
            let wire = try row.read(3) as [UInt8]
            for result in try [RecipientResult](decoding: wire, base: row.read(2))
            where result.index == found.index && result.state != .skipped {
                try attempts.append(
                    AttemptRecord(
                        at: result.at, state: result.state, attempts: result.attempts, response: result.response,
                        dispatchNumber: row.read(0), worker: row.read(1), provider: row.read(4)))
            }
        }
        return attempts.sorted { ($0.at, $0.attempts, $0.state.rank) < ($1.at, $1.attempts, $1.state.rank) }
    }

    private static func events(_ db: any SQLTransaction, _ found: Found) throws -> [RecipientEvent] {
        let rows = try db.rows(
            "SELECT kind, at, detail FROM event WHERE mailing = ? AND batch = ? AND idx = ? ORDER BY at, kind, detail",
            [found.batch.mailing.description, found.batch.number, found.index])
        var events: [RecipientEvent] = []
        while let row = try rows.next() {
            guard let kind = try EventKind(rawValue: row.read(0)) else { continue }
            try events.append(
                RecipientEvent(batch: found.batch.number, index: found.index, kind: kind, at: row.read(1), detail: row.read(2)))
        }
        return events
    }
}
