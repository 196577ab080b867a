import Model
import Text

/// An excluded row that tells of a person, with the values that it has without the person.
struct ErasedRow {
    let mailing: String
    let row: Int
    let id: String
    let address: String
    let detail: String

    /// All rows that hold one of the addresses, or a telephone number in another spelling: a row is kept as it was written.
    static func find(_ db: any SQLTransaction, _ search: AddressSearch) throws -> [ErasedRow] {
        var found: [ErasedRow] = []
        for address in search.addresses {
            let rows = try db.rows(
                """
                SELECT mailing, row, id, address, detail FROM exclusion
                WHERE instr(lower(address), ?1) > 0 OR instr(lower(id), ?1) > 0 OR instr(lower(detail), ?1) > 0
                """, [address])
            while let row = try rows.next() { if let one = try ErasedRow(row, search) { found.append(one) } }
        }
        if search.addresses.contains(where: { $0.hasPrefix("+") }) {
            let rows = try db.rows(
                """
                SELECT e.mailing, e.row, e.id, e.address, e.detail FROM exclusion e JOIN mailing m ON m.id = e.mailing
                WHERE m.channel = ? AND e.address <> ''
                """, [Channel.sms.rawValue])
            while let row = try rows.next() { if let one = try ErasedRow(row, search) { found.append(one) } }
        }
        var known: Set<Place> = []
        return found.filter { known.insert(Place(mailing: $0.mailing, row: $0.row)).inserted }
    }

    private struct Place: Hashable {
        var mailing: String
        var row: Int
    }

    /// - Returns: nil for a row that is of others alone.
    private init?(_ row: any SQLRow, _ search: AddressSearch) throws {
        let (id, address, detail): (String, String, String) = try (row.read(2), row.read(3), row.read(4))
        let isMeant = search.isMeant(by: address)
        guard isMeant || search.isHeld(by: id) || search.isIn(detail.utf8) else { return nil }
        mailing = try row.read(0)
        self.row = try row.read(1)
        self.id = search.isHeld(by: id) ? "" : id
        self.address = isMeant ? "" : address
        // What is wrong with a row may quote it.
        self.detail = isMeant ? "" : search.removed(from: detail) ?? detail
    }

    func erase(_ db: any SQLTransaction) throws {
        try db.run(
            "UPDATE exclusion SET id = ?, address = ?, detail = ? WHERE mailing = ? AND row = ?", [id, address, detail, mailing, row])
    }
}
