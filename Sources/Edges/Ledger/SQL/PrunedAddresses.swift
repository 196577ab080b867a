import Model
import Signing

/// What is kept of the addresses of a pruned mailing's recipients: a hash of each, for as long as people may still unsubscribe by its
/// links. No address can be read off it, and a suppression by such a hash keeps the person from being sent to as one by the address does.
enum PrunedAddresses {
    /// How long after the pruning they are kept, in milliseconds: three years.
    static let time: Int64 = 3 * 365 * 86_400_000
    private static let bytes = 8
    /// Batches whose hashes are in memory at a time.
    private static let batchesAtOnce = 200

    static func hasher(_ db: any SQLTransaction) throws -> AddressHasher {
        let name = try ErasureList.identity(db)
        do { return try AddressHasher(ledger: name) } catch { throw SQLDamage("no address can be hashed: the key \(error)") }
    }

    /// Keeps the hashes of a mailing's batches, before these go, until a moment. A mailing whose messages have no links to the tracker
    /// needs none.
    /// - Returns: whether those of all batches are kept.
    static func keep(_ db: any SQLTransaction, _ id: MailingID, until deadline: ContinuousClock.Instant) throws -> Bool {
        guard let record = try MailingRecord.all(db, "WHERE id = ?", [id.description]).records.first, record.mailing.tracking != nil,
            let number = try db.one(Int64.self, "SELECT number FROM mailing WHERE id = ?", [id.description])
        else { return true }
        let hasher = try hasher(db)
        var last = try db.one(Int.self, "SELECT max(batch) FROM pruned_address WHERE number = ?", [number]) ?? -1
        repeat {
            let next = try db.one(Int.self, "SELECT min(number) FROM batch WHERE mailing = ? AND number > ?", [id.description, last])
            // A token has no room for later ones.
            guard let next, next < Int(TrackedEvent.batches) else { return true }
            let wire = try SQLLedger.batchText(db, BatchID(mailing: id, number: next))
            let recipients = wire.flatMap { try? Recipients(decodingAddresses: $0) }
            let hashes = recipients.map { Self.hashes($0, record.mailing.channel, hasher) } ?? []
            try db.run("INSERT INTO pruned_address (number, batch, hashes) VALUES (?, ?, ?)", [number, next, hashes])
            last = next
        } while ContinuousClock.now < deadline
        return false
    }

    private static func hashes(_ recipients: Recipients, _ channel: Channel, _ hasher: AddressHasher) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(recipients.count * bytes)
        var key: [UInt8] = []
        recipients.bytes.withUnsafeBufferPointer { all in
            for index in 0..<recipients.count {
                key.removeAll(keepingCapacity: true)
                AddressKey.append(of: UnsafeBufferPointer(rebasing: all[recipients.range(index, 1)]), channel, to: &key)
                let hash = key.isEmpty ? 0 : key.withUnsafeBytes { hasher.hash($0) }
                withUnsafeBytes(of: hash.littleEndian) { out += $0 }
            }
        }
        return out
    }

    /// The hash that stands for a recipient's address; nil where none is kept.
    static func hash(_ db: any SQLTransaction, _ number: UInt32, batch: UInt32, index: UInt32) throws -> UInt64? {
        let row = try db.row("SELECT hashes FROM pruned_address WHERE number = ? AND batch = ?", [Int64(number), Int64(batch)])
        let hashes: [UInt8] = if let row { try row.bytes(0) ?? [] } else { try unpruned(db, number, batch) }
        let hash = Self.hash(hashes, Int(index))
        return hash == 0 ? nil : hash
    }

    /// The hashes of a batch that is still there, of a mailing whose pruning has not come to it; empty where it is gone.
    private static func unpruned(_ db: any SQLTransaction, _ number: UInt32, _ batch: UInt32) throws -> [UInt8] {
        // Two queries: one that joined them would lock the batches of all mailings on PostgreSQL.
        let row = try db.row("SELECT id, channel FROM mailing WHERE number = ?", [Int64(number)])
        guard let row, let id = try MailingID(row.read(0) as String), let channel = try Channel(rawValue: row.read(1)),
            let wire = try SQLLedger.batchText(db, BatchID(mailing: id, number: Int(batch))),
            let recipients = try? Recipients(decodingAddresses: wire)
        else { return [] }
        return hashes(recipients, channel, try hasher(db))
    }

    /// 0 beyond the end.
    private static func hash(_ hashes: [UInt8], _ index: Int) -> UInt64 {
        guard index < hashes.count / bytes else { return 0 }
        return hashes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: index * bytes, as: UInt64.self)) }
    }

    /// Takes out what stands for a person's addresses.
    /// - Parameter addresses: in the forms that `AddressKey` gives.
    static func erase(_ db: any SQLTransaction, _ addresses: [String]) throws {
        let hasher = try hasher(db)
        let wanted = Set(addresses.map { hasher.hash($0) })
        var (number, batch): (Int64, Int64) = (-1, -1)
        while true {
            let rows = try db.allRows(
                "SELECT number, batch, hashes FROM pruned_address WHERE (number, batch) > (?, ?) ORDER BY number, batch LIMIT ?",
                [number, batch, batchesAtOnce])
            var changed: [[any SQLConvertible]] = []
            for row in rows {
                number = try row.read(0)
                batch = try row.read(1)
                var hashes = try row.bytes(2) ?? []
                let places = (0..<hashes.count / bytes).filter { wanted.contains(hash(hashes, $0)) }
                guard !places.isEmpty else { continue }
                for place in places { hashes.replaceSubrange(place * bytes..<(place + 1) * bytes, with: repeatElement(0, count: bytes)) }
                changed.append([hashes, number, batch])
            }
            try db.runAll("UPDATE pruned_address SET hashes = ? WHERE number = ? AND batch = ?", changed)
            if rows.count < batchesAtOnce { return }
        }
    }

    /// Forgets those of mailings that were pruned long ago.
    static func forget(_ db: any SQLTransaction, now: Int64) throws {
        try db.run("DELETE FROM pruned_address WHERE number IN (SELECT number FROM mailing WHERE pruned < ?)", [now - time])
    }
}

extension SQLLedger {
    /// Some addresses and, behind them in the same order, what stands for them where the list has any of that kind.
    static func withHashes(_ db: any SQLTransaction, _ addresses: [String], _ channel: Channel) throws -> [String] {
        let hasHashes = try db.one(
            Bool.self, "SELECT EXISTS (SELECT 1 FROM suppression WHERE channel = ? AND address >= ? AND address < ?)",
            [channel.rawValue, AddressHasher.prefix, AddressHasher.end])
        guard hasHashes == true else { return addresses }
        let hasher = try PrunedAddresses.hasher(db)
        return addresses + addresses.map { hasher.text(of: $0) }
    }
}
