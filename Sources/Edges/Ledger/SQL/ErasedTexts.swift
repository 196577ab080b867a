import Model
import Text

/// Texts of ours that may quote an address, and entries of streams that hold recipients.
enum ErasedTexts {
    /// Reasons, and words of persons. What is counted by its text (`failure`) has no addresses, and a mailing's content is no person's.
    static let columns = [
        ("mailing", "reason"), ("mailing", "stuck_reason"), ("source_fault", "problem"), ("skipped", "detail"), ("uncertain", "why"),
        ("dead_letter", "reason"), ("redis_problem", "text"), ("audit", "before"), ("audit", "after"),
        ("receipt_unknown", "recipient"), ("receipt_unknown", "detail"),
    ]

    /// Takes the addresses out of the texts, in which their place is marked.
    static func erase(_ db: any SQLTransaction, _ search: AddressSearch) throws {
        for (table, column) in columns {
            for address in search.addresses {
                let texts = try db.all(
                    String.self, "SELECT DISTINCT \(column) FROM \(table) WHERE instr(lower(\(column)), ?) > 0", [address])
                for text in texts {
                    guard let new = search.removed(from: text) else { continue }
                    try db.run("UPDATE \(table) SET \(column) = ? WHERE \(column) = ?", [new, text])
                }
            }
        }
        try ErasedWebhooks.erase(db, search)
    }

    /// The dead letters that hold one of the addresses.
    static func letters(_ db: any SQLTransaction, _ search: AddressSearch) throws -> [Int64] {
        let rows = try db.rows("SELECT letter, value FROM dead_letter_field")
        var found: Set<Int64> = []
        while let row = try rows.next() {
            let letter: Int64 = try row.read(0)
            if !found.contains(letter), search.isIn(try row.read(1) as [UInt8]) { found.insert(letter) }
        }
        return found.sorted()
    }

    /// Removes what a dead letter holds; where it was found, and why it could not be read, stays.
    /// - Returns: 1; 0 for one that holds nothing any more.
    static func empty(_ db: any SQLTransaction, _ letter: Int64) throws -> Int {
        try db.run("DELETE FROM dead_letter_field WHERE letter = ?", [letter])
        let isChanged = db.changes > 0
        try db.run("UPDATE dead_letter SET is_whole = 0 WHERE id = ?", [letter])
        return isChanged ? 1 : 0
    }
}
