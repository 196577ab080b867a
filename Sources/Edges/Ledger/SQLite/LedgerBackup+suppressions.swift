import GRDB

/// Merges two lists of suppressions that may have diverged. An address that either list has stays suppressed, unless the other list
/// removed it later.
extension LedgerBackup {
    /// Merges the list of the replaced ledger into the copy's.
    /// - Parameter mustAgree: the list is taken only if it is as long as it says.
    /// - Returns: how many suppressions the copy lacked or had too many; nil where the list could not be read.
    static func mergeSuppressions(into db: Database, mustAgree: Bool) -> Int? {
        do {
            let isLong = "SELECT (SELECT count(*) FROM replaced.suppression) = (SELECT entries FROM replaced.suppression_list)"
            if mustAgree, try Bool.fetchOne(db, sql: isLong) != true { return nil }
            var changes = 0
            try db.inTransaction {
                try db.execute(sql: joinRemovals)
                try db.execute(sql: removeRemoved)
                changes = db.changesCount
                try db.execute(sql: addMissing)
                changes += db.changesCount
                try db.execute(sql: confirmKnown + count)
                try db.execute(sql: "INSERT OR IGNORE INTO main.category (name, created) SELECT name, created FROM replaced.category")
                return .commit
            }
            return changes
        } catch {
            return nil
        }
    }

    private static let joinRemovals = """
        INSERT INTO main.suppression_removal (channel, address, category, at)
        SELECT channel, address, category, at FROM replaced.suppression_removal WHERE true
        ON CONFLICT (channel, address, category) DO UPDATE SET at = max(at, excluded.at)
        """

    private static let removeRemoved = """
        DELETE FROM main.suppression WHERE EXISTS (
            SELECT 1 FROM main.suppression_removal r
            WHERE r.channel = suppression.channel AND r.address = suppression.address AND r.category = suppression.category
                AND r.at > suppression.changed)
        """

    /// Of two suppressions with one key the one stays that `Suppression.merged` names.
    private static let addMissing = """
        INSERT INTO main.suppression (channel, address, category, reason, source, provider, at, expires, revision, changed)
        SELECT channel, address, category, reason, source, provider, at, expires, revision, changed FROM replaced.suppression s
        WHERE NOT EXISTS (
            SELECT 1 FROM main.suppression_removal r
            WHERE r.channel = s.channel AND r.address = s.address AND r.category = s.category AND r.at > s.changed)
        ON CONFLICT (channel, address, category) DO UPDATE SET reason = excluded.reason, source = excluded.source, at = excluded.at,
            expires = excluded.expires, provider = excluded.provider, revision = excluded.revision
        WHERE coalesce(excluded.expires, \(Int64.max)) > coalesce(expires, \(Int64.max))
            OR (excluded.expires IS expires AND (excluded.reason = 'hard_bounce', excluded.at) < (reason = 'hard_bounce', at))
        """

    private static let confirmKnown = """
        UPDATE main.suppression SET changed = s.changed FROM replaced.suppression s
        WHERE s.channel = suppression.channel AND s.address = suppression.address AND s.category = suppression.category
            AND s.changed > suppression.changed;
        """

    /// Mailings of a restored ledger check the whole list again: the revisions of the two lists are not in one order.
    private static let count = """
        UPDATE main.suppression_list SET entries = (SELECT count(*) FROM main.suppression),
            revision = max(revision, (SELECT revision FROM replaced.suppression_list));
        """

    /// Whether a ledger from which nothing can be taken has a list of the suppressed. One of an older release may have no such table.
    static func hasSuppressions(_ db: Database) -> Bool {
        do {
            let hasTable = "SELECT EXISTS (SELECT 1 FROM replaced.sqlite_schema WHERE type = 'table' AND name = 'suppression')"
            guard try Bool.fetchOne(db, sql: hasTable) == true else { return false }
            return try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM replaced.suppression)") == true
        } catch {
            return true
        }
    }
}
