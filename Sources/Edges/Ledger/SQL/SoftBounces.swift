import Model
import Policy

/// The soft bounces of addresses in a row, one of a mailing: an address is forgotten as soon as one of its messages is known to have
/// arrived.
enum SoftBounces {
    /// Counts further ones.
    /// - Parameter keys: the addresses, by the places of the bounces.
    /// - Returns: those by which there are so many in a row that they count as a hard one.
    static func count(
        _ db: any SQLTransaction, _ bounces: [Bounce], _ keys: [DeliveryAddresses.Place: Suppression.Key], _ rules: SuppressionRules
    ) throws -> [Bounce] {
        guard rules.softBounces > 0 else { return [] }
        let known = bounces.filter { $0.kind == .soft && keys[$0.place] != nil }
        // All transactions write the rows in one order.
        let sorted = known.sorted { Self.name($0, keys) < Self.name($1, keys) }
        let gap = rules.softExpiry.components.seconds * 1000
        try db.runAll(
            """
            INSERT INTO soft_bounce (channel, address, hash, n, mailing, at) VALUES (?1, ?2, ?3, 1, ?4, ?5)
            ON CONFLICT (channel, address) DO UPDATE SET
                n = CASE WHEN soft_bounce.mailing = excluded.mailing OR soft_bounce.n > 1000 THEN soft_bounce.n
                    WHEN soft_bounce.at < excluded.at - ?6 THEN 1 ELSE soft_bounce.n + 1 END,
                mailing = excluded.mailing, at = CASE WHEN soft_bounce.at > excluded.at THEN soft_bounce.at ELSE excluded.at END
            """,
            sorted.compactMap { bounce in
                keys[bounce.place].map { key in
                    [
                        key.channel.rawValue, key.address, Int64(AddressHash.of(key.address.utf8)), bounce.place.batch.mailing.description,
                        bounce.at, gap,
                    ]
                }
            })
        let counts: [Int?] = try db.firstRows(
            "SELECT n FROM soft_bounce WHERE channel = ? AND address = ?", sorted.map { Self.row(keys[$0.place]) }
        ) { row, _ in try row.read(0) }
        let reached = zip(sorted, counts).filter { ($0.1 ?? 0) >= rules.softBounces }.map(\.0)
        try forget(db, reached.compactMap { keys[$0.place] })
        return reached
    }

    /// Begins anew with those of some recipients of whom any are counted: they have their messages. Only the hashes of their addresses are
    /// read of the others.
    static func reset(_ db: any SQLTransaction, _ places: Set<DeliveryAddresses.Place>) throws {
        guard !places.isEmpty, try isAny(db) else { return }
        let batches = Set(places.map(\.batch)).sorted { ($0.mailing, $0.number) < ($1.mailing, $1.number) }
        let found: [[UInt8]?] = try db.firstRows(
            "SELECT hashes FROM fingerprint WHERE mailing = ? AND batch = ?", batches.map { [$0.mailing.description, $0.number] }
        ) { row, _ in try row.bytes(0) ?? [] }
        let hashes = Dictionary(uniqueKeysWithValues: zip(batches, found.map { $0 ?? [] }))
        var byHash: [Int64: [DeliveryAddresses.Place]] = [:]
        for place in places {
            guard let hash = hash(hashes[place.batch] ?? [], place.index) else { continue }
            byHash[hash, default: []].append(place)
        }
        let asked = byHash.keys.sorted()
        let isCounted: [Bool?] = try db.firstRows("SELECT 1 FROM soft_bounce WHERE hash = ? LIMIT 1", asked.map { [$0] }) { _, _ in true }
        let counted = zip(asked, isCounted).filter { $0.1 != nil }.flatMap { byHash[$0.0] ?? [] }
        try forget(db, Array(Set(try DeliveryAddresses.load(db, counted).values)))
    }

    static func isAny(_ db: any SQLTransaction) throws -> Bool {
        try db.one(Bool.self, "SELECT EXISTS (SELECT 1 FROM soft_bounce)") == true
    }

    /// Forgets what is too old to be in a row with anything.
    static func forget(_ db: any SQLTransaction, before time: Int64) throws { try db.run("DELETE FROM soft_bounce WHERE at < ?", [time]) }

    private static func forget(_ db: any SQLTransaction, _ keys: [Suppression.Key]) throws {
        let rows = keys.sorted { ($0.channel.rawValue, $0.address) < ($1.channel.rawValue, $1.address) }.map(Self.row)
        try db.runAll("DELETE FROM soft_bounce WHERE channel = ? AND address = ?", rows)
    }

    /// The hash in a batch's fingerprint, 4 bytes a recipient.
    private static func hash(_ bytes: [UInt8], _ index: Int) -> Int64? {
        guard index < bytes.count / 4 else { return nil }
        return Int64(bytes.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)) })
    }

    private static func row(_ key: Suppression.Key?) -> [any SQLConvertible] { [key?.channel.rawValue ?? "", key?.address ?? ""] }

    private static func name(_ bounce: Bounce, _ keys: [DeliveryAddresses.Place: Suppression.Key]) -> (String, String) {
        keys[bounce.place].map { ($0.channel.rawValue, $0.address) } ?? ("", "")
    }
}
