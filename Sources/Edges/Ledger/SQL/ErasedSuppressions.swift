import Model
import Signing
import Text

/// What the list of suppressions holds of a person.
enum ErasedSuppressions {
    /// Forgets which suppressions of the person were removed, and those that there are where they are to go too.
    static func erase(_ db: any SQLTransaction, _ person: ErasedPerson, _ erasure: inout Erasure) throws {
        let plain = Set(person.addresses + AddressSearch(person.addresses).addresses).sorted()
        let hasher = try PrunedAddresses.hasher(db)
        let addresses = plain + plain.map { hasher.text(of: $0) }
        for channel in Channel.allCases {
            for address in addresses {
                let key: [any SQLConvertible] = [channel.rawValue, address]
                try db.run("DELETE FROM suppression_removal WHERE channel = ? AND address = ?", key)
                try db.run("DELETE FROM soft_bounce WHERE channel = ? AND address = ?", key)
                if person.withSuppressions {
                    try db.run("DELETE FROM suppression WHERE channel = ? AND address = ?", key)
                    erasure.suppressions += db.changes
                } else {
                    let categories = try db.all(
                        String.self, "SELECT category FROM suppression WHERE channel = ? AND address = ? ORDER BY category", key)
                    erasure.suppressed += categories.map { Suppression.Key(channel, address, category: $0) }
                }
            }
        }
        guard erasure.suppressions > 0 else { return }
        _ = try SQLLedger.nextRevision(db)
        try SQLLedger.count(db, suppressions: -erasure.suppressions)
    }
}
