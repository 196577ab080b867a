import GRDB
package import Model

extension SQLiteLedger {
    package func skipped(
        _ id: MailingID, after: SkippedRecipient?, limit: Int
    ) async throws(LedgerError) -> [SkippedRecipient] {
        try await read("listing skipped recipients") { db in
            let rows = try Row.fetchCursor(
                db.cachedStatement(sql: "\(Self.skipped) AND (s.batch, s.idx) > (?, ?) ORDER BY s.batch, s.idx LIMIT ?"),
                arguments: [id.description, after?.batch ?? -1, after?.index ?? -1, limit])
            var page: [SkippedRecipient] = []
            while let row = try rows.next() { try page.append(SkippedRecipient(row)) }
            return page
        }
    }

    /// Why a recipient is skipped; nil for one that is not.
    static func skipped(_ db: Database, _ batch: BatchID, _ index: Int) throws -> SkippedRecipient? {
        let rows = try Row.fetchCursor(
            db.cachedStatement(sql: "\(skipped) AND s.batch = ? AND s.idx = ?"),
            arguments: [batch.mailing.description, batch.number, index])
        return try rows.next().map { try SkippedRecipient($0) }
    }

    private static let skipped = """
        SELECT s.batch, s.idx, s.reason, s.detail, s.at, b.recipients ->> ('$[' || s.idx || '][0]'),
            b.recipients ->> ('$[' || s.idx || '][1]')
        FROM skipped s JOIN batch b ON b.mailing = s.mailing AND b.number = s.batch WHERE s.mailing = ?
        """
}

extension SkippedRecipient {
    fileprivate init(_ row: Row) throws {
        try self.init(
            batch: row.read(0), index: row.read(1), reason: ExclusionReason(rawValue: row.read(2)) ?? .policy,
            id: row.read(5) as String? ?? "", address: row.read(6) as String? ?? "", detail: row.read(3), at: row.read(4))
    }
}
