package import Model

extension SQLLedger {
    /// The state of each recipient of a mailing, for batches behind `after`, in the order of their numbers.
    /// - Parameter limit: batches at most.
    /// - Returns: for each batch its number and a `RecipientState.code` for each recipient, in their order.
    package func states(
        _ id: MailingID, after: Int, limit: Int
    ) async throws(LedgerError) -> [(batch: Int, codes: [UInt8])] {
        try await read("reading states") { db in
            let rows = try db.rows(
                "SELECT number, states FROM progress WHERE mailing = ? AND number > ? ORDER BY number LIMIT ?",
                [id.description, after, limit])
            var page: [(batch: Int, codes: [UInt8])] = []
            while let row = try rows.next() { try page.append((row.read(0), Array((row.read(1) as String).utf8))) }
            return page
        }
    }
}
