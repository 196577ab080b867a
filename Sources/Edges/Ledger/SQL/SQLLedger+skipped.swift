package import Model

extension SQLLedger {
    package func skipped(
        _ id: MailingID, after: SkippedRecipient?, limit: Int
    ) async throws(LedgerError) -> [SkippedRecipient] {
        try await read("listing skipped recipients") { db in
            let rows = try db.rows(
                "\(Self.skipped) AND (s.batch, s.idx) > (?, ?) ORDER BY s.batch, s.idx LIMIT ?",
                [id.description, after?.batch ?? -1, after?.index ?? -1, limit])
            var page: [SkippedRecipient] = []
            while let row = try rows.next() { try page.append(SkippedRecipient(row)) }
            return page
        }
    }

    /// Why a recipient is skipped; nil for one that is not.
    static func skipped(_ db: any SQLTransaction, _ batch: BatchID, _ index: Int) throws -> SkippedRecipient? {
        let rows = try db.rows("\(skipped) AND s.batch = ? AND s.idx = ?", [batch.mailing.description, batch.number, index])
        return try rows.next().map { try SkippedRecipient($0) }
    }

    private static let skipped = """
        SELECT s.batch, s.idx, s.reason, s.detail, s.at, b.recipients
        FROM skipped s JOIN batch b ON b.mailing = s.mailing AND b.number = s.batch WHERE s.mailing = ?
        """
}

extension SkippedRecipient {
    fileprivate init(_ row: any SQLRow) throws {
        let (index, recipients): (Int, Recipients) = try (row.read(1), Recipients(decodingAddresses: row.read(5)))
        let isKnown = (0..<recipients.count).contains(index)
        try self.init(
            batch: row.read(0), index: index, reason: ExclusionReason(rawValue: row.read(2)) ?? .policy,
            id: isKnown ? recipients[index, 0] : "", address: isKnown ? recipients[index, 1] : "", detail: row.read(3), at: row.read(4))
    }
}
