import GRDB
import Model

/// Whoever was erased since a copy was made does not come back with it.
extension LedgerBackup {
    /// Takes over the list of the erased, and empties the copy of those whom it did not know. It is done last: of recipients whose outcomes
    /// were taken over nothing is needed any more.
    /// - Returns: what was emptied, and who is left; nil where that could not be done.
    static func mergeErasures(into db: Database) -> Erasure? {
        do {
            var erasure = Erasure()
            try db.inTransaction {
                let transaction = SQLiteTransaction(db)
                let new = try transaction.allRows(
                    """
                    SELECT \(ErasureList.Entry.columns) FROM replaced.erasure r
                    WHERE NOT EXISTS (SELECT 1 FROM main.erasure m WHERE m.hash = r.hash AND m.at >= r.at)
                    """
                ).map(ErasureList.Entry.init)
                guard !new.isEmpty else { return .commit }
                try transaction.run(
                    """
                    INSERT INTO main.erasure (\(ErasureList.Entry.columns)) SELECT \(ErasureList.Entry.columns) FROM replaced.erasure
                    WHERE true ON CONFLICT (hash) DO UPDATE SET at = max(at, excluded.at),
                        suppressions = max(suppressions, excluded.suppressions)
                    """)
                erasure = try ErasureList.eraseAgain(transaction, new)
                return .commit
            }
            return erasure
        } catch {
            return nil
        }
    }

    /// Whether a ledger from which nothing can be taken has erased anybody. One of an older release has no such table.
    static func hasErasures(_ db: Database) -> Bool {
        do {
            let hasTable = "SELECT EXISTS (SELECT 1 FROM replaced.sqlite_schema WHERE type = 'table' AND name = 'erasure')"
            guard try Bool.fetchOne(db, sql: hasTable) == true else { return false }
            return try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM replaced.erasure)") == true
        } catch {
            return true
        }
    }
}
