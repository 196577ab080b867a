import GRDB

extension SQLiteLedger: LimitStore {
    package func limits() async throws(LedgerError) -> [LimitOverride] {
        try await read("reading limits") { db in
            let cursor = try Row.fetchCursor(
                db.cachedStatement(sql: "SELECT scope, text, changed FROM limit_override ORDER BY scope"))
            return try Array(cursor.map(Self.override))
        }
    }

    package func setLimit(_ scope: String, _ text: String?, now: Int64) async throws(LedgerError) -> LimitOverride? {
        try await write("limit") { db in
            let before = try Row.fetchOne(
                db, sql: "SELECT scope, text, changed FROM limit_override WHERE scope = ?", arguments: [scope])
            if let text {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO limit_override (scope, text, changed) VALUES (?, ?, ?)",
                    arguments: [scope, text, now])
            } else {
                try db.execute(sql: "DELETE FROM limit_override WHERE scope = ?", arguments: [scope])
            }
            return before.map(Self.override)
        }
    }

    private static func override(_ row: Row) -> LimitOverride {
        LimitOverride(scope: row[0], text: row[1], changed: row[2])
    }
}
