import GRDB
package import Model

extension SQLiteLedger: LimitStore {
    package func limits() async throws(LedgerError) -> [LimitOverride] {
        try await read("reading limits") { db in
            let cursor = try Row.fetchCursor(
                db.cachedStatement(sql: "SELECT scope, text, changed FROM limit_override ORDER BY scope"))
            return try Array(cursor.map(Self.override))
        }
    }

    package func setLimit(_ scope: StoredScope, _ text: String?, note: AuditNote?, now: Int64) async throws(LedgerError) -> LimitOverride? {
        try await write("limit") { db in
            let before = try Row.fetchOne(
                db, sql: "SELECT scope, text, changed FROM limit_override WHERE scope = ?", arguments: [scope.description])
            if let text {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO limit_override (scope, text, changed) VALUES (?, ?, ?)",
                    arguments: [scope.description, text, now])
            } else {
                try db.execute(sql: "DELETE FROM limit_override WHERE scope = ?", arguments: [scope.description])
            }
            var (old, new) = (AuditedValues(), AuditedValues())
            (old.limit, new.limit) = (before?[1], text)
            try Self.note(db, note, on: .limit(scope), before: old, after: new, now: now)
            if case .known(.domain) = scope { try Self.recall(db, at: now + Self.notice) }
            return try before.map(Self.override)
        }
    }

    /// Milliseconds after which every worker knows of a changed limit.
    private static let notice: Int64 = 1000

    /// Has all tried again who were put off because their domain's limit had no room for them: the times they were given do not hold any
    /// more.
    private static func recall(_ db: Database, at time: Int64) throws {
        let putOff = """
            due > :time AND failure IN (SELECT id FROM failure WHERE origin = 'domain_limit')
            """
        try db.execute(
            sql: """
                UPDATE progress SET ready = :time
                WHERE dispatched = 0 AND ready > :time
                  AND (mailing, number) IN (SELECT mailing, batch FROM recipient_error WHERE \(putOff))
                """, arguments: ["time": time])
        try db.execute(sql: "UPDATE recipient_error SET at = :time, due = :time WHERE \(putOff)", arguments: ["time": time])
    }

    private static func override(_ row: Row) throws -> LimitOverride {
        try LimitOverride(scope: StoredScope(row.read(0)), text: row.read(1), changed: row.read(2))
    }
}
