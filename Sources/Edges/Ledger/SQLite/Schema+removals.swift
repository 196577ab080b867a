/// The 23rd migration: what merging two lists of suppressions needs, and who may have been reached of a mailing whose
/// recipients are not kept any more.
extension Schema {
    static let removals = """
        -- When the suppression was stored or confirmed last, in milliseconds since 1970; that of before cannot be later than now.
        ALTER TABLE suppression ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
        UPDATE suppression SET changed = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER);

        -- When a suppression was removed last, in milliseconds since 1970; it may have come again since.
        CREATE TABLE suppression_removal (
            channel TEXT NOT NULL,
            address TEXT NOT NULL,
            category TEXT NOT NULL,
            at BIGINT NOT NULL,
            PRIMARY KEY (channel, address, category)
        );

        -- Of a pruned mailing: those who ended otherwise than sent though a message may have reached them.
        ALTER TABLE mailing ADD COLUMN uncertain_unresolved INTEGER NOT NULL DEFAULT 0;
        """
}
