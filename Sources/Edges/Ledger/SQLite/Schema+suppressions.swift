/// The 21st migration: who is not to be sent to. PostgreSQL takes the same statements.
extension Schema {
    static let suppressions = """
        -- An address that mailings of a category, or all for '', are not sent to; times are milliseconds since 1970, expires is NULL for
        -- never. address is the form in which addresses are compared, revision that of the list with which it came or changed last.
        CREATE TABLE suppression (
            channel TEXT NOT NULL,
            address TEXT NOT NULL,
            category TEXT NOT NULL,
            reason TEXT NOT NULL,
            source TEXT NOT NULL,
            at BIGINT NOT NULL,
            expires BIGINT,
            revision BIGINT NOT NULL,
            PRIMARY KEY (channel, address, category)
        );
        CREATE INDEX suppression_revision ON suppression (channel, category, revision);

        -- One row. Who changes the list raises the revision first: of two transactions the later one has the higher revision.
        CREATE TABLE suppression_list (
            revision BIGINT NOT NULL,
            entries BIGINT NOT NULL
        );
        INSERT INTO suppression_list (revision, entries) VALUES (0, 0);

        CREATE TABLE category (
            name TEXT NOT NULL PRIMARY KEY,
            created BIGINT NOT NULL
        );

        ALTER TABLE mailing ADD COLUMN category TEXT NOT NULL DEFAULT '';
        -- The list's revision before the mailing was planned: what is newer was not looked at. NULL for a plan of an older release.
        ALTER TABLE mailing ADD COLUMN suppression_revision INTEGER;

        -- Recipients that were planned, and found at the dispatch of their batch to be none any more.
        CREATE TABLE skipped (
            mailing TEXT NOT NULL,
            batch BIGINT NOT NULL,
            idx BIGINT NOT NULL,
            reason TEXT NOT NULL,
            detail TEXT NOT NULL,
            at BIGINT NOT NULL,
            PRIMARY KEY (mailing, batch, idx)
        );
        """

    /// The views, which name the states.
    static let dropViews = ["delivery", "attempt", "uncertain_delivery", "last_error", "doubt", "answer"]
        .map { "DROP VIEW IF EXISTS \($0);" }.joined(separator: "\n")
}
