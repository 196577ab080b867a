import Foundation
import Model

extension SQLiteLedger {
    /// Content faults that are named at most: a damaged file may have any number.
    private static let mostFaults = 50

    /// Reads each batch, its fingerprints, its progress and its results as roles would, and compares what is to agree. A file may be sound
    /// as a database and hold bytes that nobody wrote.
    static func readContent(_ db: SQLiteTransaction, _ inspection: inout LedgerInspection, _ progress: inout InspectionProgress) throws {
        let records = try MailingRecord.all(db, "WHERE pruned IS NULL ORDER BY created, id", []).records
        progress.begin("recipients", all: records.reduce(0) { $0 + $1.plannedCount })
        for record in records {
            try readBatches(db, record, &inspection, &progress)
            try readResults(db, record, &inspection)
            if inspection.faults.count > mostFaults { return }
        }
    }

    private static func readBatches(
        _ db: SQLiteTransaction, _ record: MailingRecord, _ inspection: inout LedgerInspection, _ progress: inout InspectionProgress
    ) throws {
        let id = record.id.description
        let rows = try db.rows(
            """
            SELECT b.number, b.count, b.recipients, f.hashes, length(p.states)
            FROM batch b LEFT JOIN fingerprint f ON f.mailing = b.mailing AND f.batch = b.number
                LEFT JOIN progress p ON p.mailing = b.mailing AND p.number = b.number
            WHERE b.mailing = ? ORDER BY b.number
            """, [id])
        while let row = try rows.next() {
            let number: Int = try row.read(0)
            let count: Int = try row.read(1)
            progress.advance(by: count)
            func note(_ problem: String) {
                inspection.faults.append(.init(.content, mailing: id, "batch \(number): \(problem)"))
            }
            if try (row.read(4) as Int?) != count { note("its progress is not of \(count) recipients") }
            let wire = try row.read(2) as [UInt8]
            guard let recipients = try? Recipients(decoding: wire, width: record.mailing.fields.count), recipients.count == count else {
                note("its recipients cannot be read")
                continue
            }
            let hashes = try row.read(3) as [UInt8]
            if hashes != fingerprints(recipients) { note("its fingerprints are not those of its addresses") }
            if inspection.faults.count > mostFaults { return }
        }
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

    private static func readResults(_ db: SQLiteTransaction, _ record: MailingRecord, _ inspection: inout LedgerInspection) throws {
        let id = record.id.description
        let rows = try db.rows("SELECT batch, base, data FROM result WHERE mailing = ?", [id])
        while let row = try rows.next() {
            let wire = try row.read(2) as [UInt8]
            if (try? [RecipientResult](decoding: wire, base: try row.read(1))) == nil {
                let batch: Int = try row.read(0)
                inspection.faults.append(.init(.content, mailing: id, "batch \(batch): a group of its results cannot be read"))
            }
            if inspection.faults.count > mostFaults { return }
        }
    }
}

/// Tells how far a part of a check has come, about once a second.
struct InspectionProgress {
    private let say: (String) -> Void
    private var part = ""
    private var (all, done) = (0, 0)
    private var begun = ContinuousClock.now
    private var said = ContinuousClock.now

    init(_ say: @escaping (String) -> Void) { self.say = say }

    /// - Parameter all: what there is to do, in any unit.
    mutating func begin(_ part: String, all: Int = 0) {
        (self.part, self.all, done) = (part, all, 0)
        (begun, said) = (.now, .now)
        say(part)
    }

    mutating func advance(by count: Int) {
        done += count
        guard all > 0, done > 0, ContinuousClock.now - said >= .seconds(1) else { return }
        said = .now
        let share = min(1, Double(done) / Double(all))
        let left = (ContinuousClock.now - begun) / share * (1 - share)
        say("\(part): \(Int(share * 100)) %, some \(left.components.seconds + 1) s left")
    }
}
