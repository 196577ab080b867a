package import Model

extension SQLLedger: LimitStore {
    package func limits() async throws(LedgerError) -> [LimitOverride] {
        try await read("reading limits") { db in
            let cursor = try db.rows("SELECT scope, text, changed FROM limit_override ORDER BY scope")
            var limits: [LimitOverride] = []
            while let row = try cursor.next() { limits.append(try Self.override(row)) }
            return limits
        }
    }

    package func setLimit(_ scope: StoredScope, _ text: String?, note: AuditNote?, now: Int64) async throws(LedgerError) -> LimitOverride? {
        try await write("limit") { db in
            let before = try db.row("SELECT scope, text, changed FROM limit_override WHERE scope = ?", [scope.description])
            if let text {
                try db.run(
                    """
                    INSERT INTO limit_override (scope, text, changed) VALUES (?, ?, ?)
                    ON CONFLICT (scope) DO UPDATE SET text = excluded.text, changed = excluded.changed
                    """, [scope.description, text, now])
            } else {
                try db.run("DELETE FROM limit_override WHERE scope = ?", [scope.description])
            }
            var (old, new) = (AuditedValues(), AuditedValues())
            (old.limit, new.limit) = (try before?.read(1), text)
            try Self.note(db, note, on: .limit(scope), before: old, after: new, now: now)
            if case .known(.domain) = scope { try Self.recall(db, at: now + Self.notice) }
            return try before.map(Self.override)
        }
    }

    /// Milliseconds after which every worker knows of a changed limit.
    private static let notice: Int64 = 1000

    /// Makes all recipients due who were deferred because their domain's limit had no room for them: their due times followed the limit of
    /// before.
    private static func recall(_ db: any SQLTransaction, at time: Int64) throws {
        let deferred = """
            due > ?1 AND failure IN (SELECT id FROM failure WHERE origin = 'domain_limit')
            """
        try db.run(
            """
            UPDATE progress SET ready = ?1
            WHERE dispatched = 0 AND ready > ?1
              AND (mailing, number) IN (SELECT mailing, batch FROM recipient_error WHERE \(deferred))
            """, [time])
        try db.run("UPDATE recipient_error SET at = ?1, due = ?1 WHERE \(deferred)", [time])
    }

    private static func override(_ row: any SQLRow) throws -> LimitOverride {
        try LimitOverride(scope: StoredScope(row.read(0)), text: row.read(1), changed: row.read(2))
    }
}
