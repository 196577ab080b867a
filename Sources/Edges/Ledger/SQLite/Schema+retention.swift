/// The 22nd migration: mailings whose recipients are not kept any more.
extension Schema {
    static let retention = """
        -- Since when the recipients of the mailing are not kept any more, in milliseconds since 1970; NULL while they are.
        ALTER TABLE mailing ADD COLUMN pruned INTEGER;
        -- 1 while rows of such a mailing are still to be removed.
        ALTER TABLE mailing ADD COLUMN pruning INTEGER NOT NULL DEFAULT 0;
        -- What its report says of those who were uncertain, as their rows are gone.
        ALTER TABLE mailing ADD COLUMN uncertain_listed INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE mailing ADD COLUMN uncertain_redelivered INTEGER NOT NULL DEFAULT 0;
        """
}
