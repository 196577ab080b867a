import Model

extension SQLLedger: AuditStore {
    package func audit(_ filter: AuditFilter, limit: Int) async throws(LedgerError) -> [AuditEntry] {
        try await read("reading the audit log") { db in
            let rows = try db.allRows(
                """
                SELECT number, at, actor, kind, object, before, after FROM audit
                WHERE (?1 IS NULL OR object = ?1) AND (?2 IS NULL OR at >= ?2) AND (?3 IS NULL OR number < ?3)
                ORDER BY number DESC LIMIT ?4
                """, [filter.object?.description, filter.since, filter.before, limit])
            return try rows.map {
                try AuditEntry(
                    number: $0.read(0), at: $0.read(1), actor: $0.read(2), order: $0.read(3), object: AuditedObject($0.read(4)),
                    before: $0.read(5),
                    after: $0.read(6))
            }
        }
    }

    /// Adds the entry of an order to the transaction of its effect; nothing where nobody gave an order.
    /// - Parameter now: milliseconds since 1970.
    /// - Returns: the entry's number.
    @discardableResult
    static func note(
        _ db: any SQLTransaction, _ note: AuditNote?, on object: AuditedObject, before: AuditedValues, after: AuditedValues, now: Int64
    ) throws -> Int64? {
        guard let note else { return nil }
        return try db.one(
            Int64.self, "INSERT INTO audit (at, actor, kind, object, before, after) VALUES (?, ?, ?, ?, ?, ?) RETURNING number",
            [now, note.actor, note.order.rawValue, object.description, try before.json(), try after.json()])
    }
}
