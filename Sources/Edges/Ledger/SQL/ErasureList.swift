import Model
import Text

/// Who was erased, as hashes of addresses, so that a copy of the ledger that was made before can be emptied too. Whoever has the ledger can
/// tell from a hash whether an address that he knows was erased, and nothing else.
enum ErasureList {
    struct Entry {
        /// SHA-256, in hexadecimal digits.
        var hash: String
        /// The `AddressHash`.
        var fingerprint: UInt32
        var withSuppressions: Bool
        /// Milliseconds since 1970.
        var at: Int64

        static let columns = "hash, fingerprint, suppressions, at"

        /// Reads `columns`.
        init(_ row: any SQLRow) throws {
            hash = try row.read(0)
            fingerprint = UInt32(truncatingIfNeeded: try row.read(1) as Int64)
            withSuppressions = try row.read(2)
            at = try row.read(3)
        }
    }

    /// Notes a person; of one who was erased before, the later time counts.
    static func note(_ db: any SQLTransaction, _ person: ErasedPerson, now: Int64) throws {
        let ledger = try identity(db)
        for address in AddressSearch(person.addresses).addresses {
            try db.run(
                """
                INSERT INTO erasure (hash, fingerprint, suppressions, at) VALUES (?, ?, ?, ?)
                ON CONFLICT (hash) DO UPDATE SET at = excluded.at,
                    suppressions = CASE WHEN excluded.suppressions = 1 THEN 1 ELSE erasure.suppressions END
                """, [hash(of: address, ledger), Int64(AddressHash.of(address.utf8)), person.withSuppressions, now])
        }
    }

    static func identity(_ db: any SQLTransaction) throws -> String { try db.one(String.self, "SELECT identity FROM ledger") ?? "" }

    /// The hash of an address in a ledger of that identity: two ledgers have different ones.
    static func hash(of address: String, _ ledger: String) -> String {
        let digest = UploadDigest()
        digest.add(Array("\(ledger)\n".utf8) + address.utf8.map(\.lowercased))
        return digest.finish()
    }
}
