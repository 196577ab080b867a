package import Model

/// Suppressions by what they have in common.
extension SQLLedger {
    /// The condition of those that a filter finds; its parameters are `values(of:)`.
    private static let isFound = """
        (?1 IS NULL OR channel = ?1) AND (?2 IS NULL OR category = ?2) AND (?3 IS NULL OR reason = ?3) AND (?4 IS NULL OR provider = ?4)
            AND (?5 IS NULL OR at >= ?5) AND (?6 IS NULL OR at < ?6)
        """

    private static func values(of filter: SuppressionFilter) -> [any SQLConvertible] {
        [filter.channel?.rawValue, filter.category, filter.reason?.rawValue, filter.provider, filter.since, filter.until]
    }

    package func suppressions(
        _ filter: SuppressionFilter, after: Suppression.Key?, limit: Int
    ) async throws(LedgerError) -> [Suppression] {
        try await read("listing suppressions") { db in try Self.suppressions(db, filter, after: after, limit: limit) }
    }

    private static func suppressions(
        _ db: any SQLTransaction, _ filter: SuppressionFilter, after: Suppression.Key?, limit: Int
    ) throws -> [Suppression] {
        let rows = try db.rows(
            """
            SELECT \(columns) FROM suppression WHERE \(isFound) AND (channel, address, category) > (?7, ?8, ?9)
            ORDER BY channel, address, category LIMIT ?10
            """, values(of: filter) + [after?.channel.rawValue ?? "", after?.address ?? "", after?.category ?? "", limit])
        return try suppressions(rows)
    }

    package func suppressionCount(_ filter: SuppressionFilter) async throws(LedgerError) -> Int {
        try await read("counting suppressions") { db in
            try db.one(Int.self, "SELECT count(*) FROM suppression WHERE \(Self.isFound)", Self.values(of: filter)) ?? 0
        }
    }

    package func unsuppress(
        _ filter: SuppressionFilter, limit: Int, audit: SuppressionAudit?, now: Int64
    ) async throws(LedgerError) -> (removed: [Suppression], entry: Int64?) {
        try await write("unsuppress") { db in
            // Whoever changes the list waits: nobody becomes another's suppression in between.
            try Self.lockSuppressions(db)
            let keys = try Self.suppressions(db, filter, after: nil, limit: limit).map(\.key)
            let removed = try Self.unsuppress(db, keys, nil, now: now)
            return (removed, try Self.note(db, audit, unsuppressed: removed, by: filter, now: now))
        }
    }
}
