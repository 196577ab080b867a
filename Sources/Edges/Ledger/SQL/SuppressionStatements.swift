/// Statements that change the list of suppressions, in SQL that both engines take. Two copies of a ledger are merged by time: a removal
/// counts only where it is later than the suppression. Therefore each change within one ledger is at least as late as the one before,
/// whatever the clock does.
enum SuppressionStatements {
    /// Parameters: channel, address, category, reason, source, date, expiry, revision, now, provider.
    static let store = """
        INSERT INTO suppression (channel, address, category, reason, source, provider, at, expires, revision, changed)
        VALUES (?1, ?2, ?3, ?4, ?5, ?10, ?6, ?7, ?8, (
            SELECT CASE WHEN max(at) > ?9 THEN max(at) ELSE ?9 END FROM suppression_removal
            WHERE channel = ?1 AND address = ?2 AND category = ?3))
        ON CONFLICT (channel, address, category) DO UPDATE SET reason = excluded.reason, source = excluded.source, at = excluded.at,
            expires = excluded.expires, provider = excluded.provider,
            revision = CASE WHEN suppression.revision > excluded.revision THEN suppression.revision ELSE excluded.revision END,
            changed = CASE WHEN suppression.changed > excluded.changed THEN suppression.changed ELSE excluded.changed END
        """

    /// Notes that a known suppression was given again. Parameters: channel, address, category, now.
    static let confirm = "UPDATE suppression SET changed = ?4 WHERE channel = ?1 AND address = ?2 AND category = ?3 AND changed < ?4"

    /// Makes one news that was none, as it was given again. Parameters: channel, address, category, revision.
    static let announce = "UPDATE suppression SET revision = ?4 WHERE channel = ?1 AND address = ?2 AND category = ?3 AND revision = 0"

    /// Notes that a suppression is removed, before it is. Parameters: channel, address, category, now.
    static let noteRemoval = """
        INSERT INTO suppression_removal (channel, address, category, at)
        SELECT channel, address, category, CASE WHEN changed >= ?4 THEN changed + 1 ELSE ?4 END FROM suppression
        WHERE channel = ?1 AND address = ?2 AND category = ?3
        ON CONFLICT (channel, address, category) DO UPDATE SET at = excluded.at
        """
}
