import Model

extension LedgerCheck {
    /// Content faults that are named at most: a damaged ledger may have any number.
    private static let mostFaults = 50
    /// Batches whose recipients are in memory at a time, of a megabyte each at most.
    private static let page = 16

    /// Reads each batch, its fingerprints, its progress and its results as roles would, and compares what is to agree. A file may be sound
    /// as a database and hold bytes that nobody wrote.
    mutating func readRecipients(_ records: [MailingRecord]) throws {
        let kept = records.filter { $0.pruned == nil }
        progress.begin("recipients", all: kept.reduce(0) { $0 + $1.plannedCount })
        for record in kept where inspection.faults.count <= Self.mostFaults {
            try look(at: "recipients of mailing \(record.id)") { db, check in try check.read(db, record) }
        }
    }

    private mutating func read(_ db: any SQLTransaction, _ record: MailingRecord) throws {
        var last = Int(Int64.min)
        while inspection.faults.count <= Self.mostFaults, let end = try readBatches(db, record, after: last) {
            try readResults(db, record, after: last, through: end)
            last = end
        }
    }

    /// - Returns: the number of the last batch that was read; nil where there is none.
    private mutating func readBatches(_ db: any SQLTransaction, _ record: MailingRecord, after last: Int) throws -> Int? {
        let id = record.id.description
        let rows = try db.rows(
            """
            SELECT b.number, b.count, b.recipients, f.hashes, length(p.states)
            FROM batch b LEFT JOIN fingerprint f ON f.mailing = b.mailing AND f.batch = b.number
                LEFT JOIN progress p ON p.mailing = b.mailing AND p.number = b.number
            WHERE b.mailing = ? AND b.number > ? ORDER BY b.number LIMIT ?
            """, [id, last, Self.page])
        var end: Int?
        while let row = try rows.next() {
            let number: Int = try row.read(0)
            end = number
            let count: Int = try row.read(1)
            progress.advance(by: count)
            func note(_ problem: String) { self.note(.content, mailing: id, "batch \(number): \(problem)") }
            if try (row.read(4) as Int?) != count { note("its progress is not of \(count) recipients") }
            let wire = try row.read(2) as [UInt8]
            guard let recipients = try? Recipients(decoding: wire, width: record.mailing.fields.count), recipients.count == count else {
                note("its recipients cannot be read")
                continue
            }
            let hashes = try row.read(3) as [UInt8]
            if hashes != Self.fingerprints(recipients) { note("its fingerprints are not those of its addresses") }
        }
        return end
    }

    /// As `fingerprint` has them.
    private static func fingerprints(_ recipients: Recipients) -> [UInt8] {
        var hashes: [UInt8] = []
        hashes.reserveCapacity(recipients.count * 4)
        for index in 0..<recipients.count {
            let hash = AddressHash.of(recipients.bytes[recipients.range(index, 1)])
            withUnsafeBytes(of: hash.littleEndian) { hashes.append(contentsOf: $0) }
        }
        return hashes
    }

    private mutating func readResults(_ db: any SQLTransaction, _ record: MailingRecord, after last: Int, through end: Int) throws {
        let id = record.id.description
        let rows = try db.rows(
            "SELECT batch, base, data FROM result WHERE mailing = ? AND batch > ? AND batch <= ?", [id, last, end])
        while let row = try rows.next() {
            let wire = try row.read(2) as [UInt8]
            if (try? [RecipientResult](decoding: wire, base: try row.read(1))) == nil {
                let batch: Int = try row.read(0)
                note(.content, mailing: id, "batch \(batch): a group of its results cannot be read")
            }
        }
    }
}
