package import Model

extension SQLLedger: UncertainStore {
    package func uncertain(
        _ id: MailingID, onlyHeld: Bool, after: UncertainRecipient?, limit: Int
    ) async throws(LedgerError) -> [UncertainRecipient] {
        try await read("listing uncertain deliveries") { db in
            guard let record = try MailingRecord.one(db, id) else { return [] }
            let rows = try db.rows(
                """
                SELECT u.batch, u.idx, substr(p.states, u.idx + 1, 1), \(UncertainListing.columns)
                FROM uncertain u \(db.orderedJoin) progress p ON p.mailing = u.mailing AND p.number = u.batch
                WHERE u.mailing = ? AND (u.batch, u.idx, u.dispatch, u.held) > (?, ?, ?, ?) \(onlyHeld ? Self.isHeld : "")
                ORDER BY u.batch, u.idx, u.dispatch, u.held LIMIT ?
                """,
                [
                    id.description, after?.batch ?? -1, after?.index ?? -1, after?.listing.dispatchNumber ?? -1,
                    after?.listing.isHeld ?? false, limit,
                ])
            var page: [UncertainRecipient] = []
            var batch: (number: Int, recipients: Recipients)?
            while let row = try rows.next() {
                let number: Int = try row.read(0)
                let index: Int = try row.read(1)
                if batch?.number != number {
                    batch = (
                        number, try Self.recipients(db, BatchID(mailing: id, number: number), record.mailing.fields.count)
                    )
                }
                guard let recipients = batch?.recipients, (0..<recipients.count).contains(index),
                    let state = try (row.read(2) as [UInt8]).first.flatMap(StateCode.state)
                else { continue }
                try page.append(
                    UncertainRecipient(
                        batch: number, index: index, id: recipients[index, 0], address: recipients[index, 1],
                        state: state, listing: UncertainListing(row, from: 3)))
            }
            return page
        }
    }

    /// Of rows of `uncertain u` with their `progress p`: the recipient waits for a person.
    static let isHeld = "AND u.held = 1 AND u.settled_at IS NULL AND substr(p.states, u.idx + 1, 1) = 'u'"

    static func uncertainCounts(_ db: any SQLTransaction, _ record: MailingRecord, held: Int) throws -> UncertainCounts {
        let kept = "SELECT uncertain_listed, uncertain_redelivered, uncertain_unresolved FROM mailing WHERE id = ?"
        let row = try db.row(record.pruned == nil ? UncertainCounts.query(of: "?") : kept, [record.id.description])
        return UncertainCounts(
            listed: try row?.read(0) ?? 0, held: held, redelivered: try row?.read(1) ?? 0, unresolved: try row?.read(2) ?? 0)
    }

    /// The times a recipient was put on the list, by time.
    static func listings(_ db: any SQLTransaction, _ id: BatchID, _ index: Int) throws -> [UncertainListing] {
        let rows = try db.rows(
            """
            SELECT \(UncertainListing.columns) FROM uncertain u WHERE mailing = ? AND batch = ? AND idx = ?
            ORDER BY at, dispatch, held
            """, [id.mailing.description, id.number, index])
        var listings: [UncertainListing] = []
        while let row = try rows.next() { try listings.append(UncertainListing(row, from: 0)) }
        return listings
    }
}

extension UncertainListing {
    fileprivate static let columns = "u.dispatch, u.held, u.worker, u.at, u.why, u.settled_at, u.outcome"

    /// Reads `columns`.
    fileprivate init(_ row: any SQLRow, from start: Int) throws {
        let outcome: String? = try row.read(start + 6)
        try self.init(
            dispatchNumber: row.read(start), isHeld: row.read(start + 1), worker: row.read(start + 2), at: row.read(start + 3),
            why: row.read(start + 4), settled: row.read(start + 5), outcome: outcome.flatMap(UncertainDecision.init))
    }
}
