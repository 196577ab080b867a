import Model
import Signing
import Text

/// Erases again from a copy that was made before.
extension ErasureList {
    /// - Parameter entries: those that the copy did not know.
    /// - Returns: what was emptied, and who was left, as the copy has them still to be sent to.
    static func eraseAgain(_ db: any SQLTransaction, _ entries: [Entry]) throws -> Erasure {
        var search = PersonSearch(entries, ledger: try identity(db))
        var erasure = Erasure()
        for batch in try search.batches(db) {
            let part = try batch.erase(db, AddressSearch(search.addresses))
            erasure.recipients += part.recipients
            erasure.letters += part.letters
            erasure.open += part.open
        }
        try search.lookAtOthers(db)
        let found = AddressSearch(search.addresses)
        guard !found.isEmpty else { return erasure }
        let rows = try ErasedRow.find(db, found)
        for row in rows { try row.erase(db) }
        erasure.excluded = rows.count
        for letter in try ErasedTexts.letters(db, found) { erasure.letters += try ErasedTexts.empty(db, letter) }
        try ErasedTexts.erase(db, found)
        erasure.suppressions = try search.removeSuppressions(db)
        try PrunedAddresses.erase(db, search.addresses)
        return erasure
    }
}

/// Finds the addresses that some hashes are of, among those that a ledger has.
private struct PersonSearch {
    private let entries: [String: ErasureList.Entry]
    private let fingerprints: Set<UInt32>
    private let ledger: String
    private var found: [String: ErasureList.Entry] = [:]

    init(_ entries: [ErasureList.Entry], ledger: String) {
        self.entries = Dictionary(entries.map { ($0.hash, $0) }) { $1 }
        fingerprints = Set(entries.map(\.fingerprint))
        self.ledger = ledger
    }

    /// Those that were found, in lower case.
    var addresses: [String] { found.keys.sorted() }

    /// - Returns: whether the address is of somebody who was erased at a time or later.
    private mutating func look(at address: String, since time: Int64) -> Bool {
        let folded = String(decoding: address.utf8.map(\.lowercased), as: UTF8.self)
        guard fingerprints.contains(AddressHash.of(folded.utf8)), let entry = entries[ErasureList.hash(of: folded, ledger)],
            time <= entry.at
        else { return false }
        found[folded] = entry
        return true
    }

    /// The batches of mailings that were added before the person was erased: who is in a later one came again.
    mutating func batches(_ db: any SQLTransaction) throws -> [ErasedBatch] {
        let rows = try db.rows(
            """
            SELECT f.mailing, f.batch, f.hashes, m.created FROM fingerprint f JOIN mailing m ON m.id = f.mailing
            ORDER BY f.mailing, f.batch
            """)
        var batches: [ErasedBatch] = []
        while let row = try rows.next() {
            let hashes = try row.read(2) as [UInt8]
            let places = hashes.withUnsafeBytes { buffer in
                (0..<buffer.count / 4).filter {
                    fingerprints.contains(UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
                }
            }
            guard !places.isEmpty, let mailing = try MailingID(row.read(0) as String) else { continue }
            let (id, created): (BatchID, Int64) = try (BatchID(mailing: mailing, number: row.read(1)), row.read(3))
            guard let wire = try SQLLedger.batchText(db, id) else { continue }
            let recipients = try Recipients(decodingAddresses: wire)
            let hits = places.filter { $0 < recipients.count && look(at: recipients[$0, 1], since: created) }
            if !hits.isEmpty { batches.append(ErasedBatch(id: id, indexes: Set(hits))) }
        }
        return batches
    }

    /// Looks at those who are in no batch: excluded rows, and the list of suppressions.
    mutating func lookAtOthers(_ db: any SQLTransaction) throws {
        let rows = try db.rows(
            """
            SELECT e.address, m.created FROM exclusion e JOIN mailing m ON m.id = e.mailing WHERE e.address <> ''
            UNION ALL SELECT address, changed FROM suppression UNION ALL SELECT address, at FROM suppression_removal
            UNION ALL SELECT address, at FROM soft_bounce
            """)
        while let row = try rows.next() { _ = try look(at: String((row.read(0) as String).trimmed), since: row.read(1)) }
    }

    /// Whoever was suppressed since then stays so.
    /// - Returns: how many suppressions were removed.
    func removeSuppressions(_ db: any SQLTransaction) throws -> Int {
        var removed = 0
        let hasher = try PrunedAddresses.hasher(db)
        for (address, entry) in found.sorted(by: { $0.key < $1.key }) {
            let forms: [any SQLConvertible] = [address, hasher.text(of: address), entry.at]
            try db.run("DELETE FROM suppression_removal WHERE lower(address) IN (?, ?) AND at <= ?", forms)
            try db.run("DELETE FROM soft_bounce WHERE lower(address) IN (?, ?) AND at <= ?", forms)
            guard entry.withSuppressions else { continue }
            try db.run("DELETE FROM suppression WHERE lower(address) IN (?, ?) AND changed <= ?", forms)
            removed += db.changes
        }
        guard removed > 0 else { return 0 }
        _ = try SQLLedger.nextRevision(db)
        try SQLLedger.count(db, suppressions: -removed)
        return removed
    }
}
