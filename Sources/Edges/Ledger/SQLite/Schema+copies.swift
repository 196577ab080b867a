extension Schema {
    /// The columns by which a changed recipients' file is found.
    static let checksum = """
        -- Of the rows that are read.
        ALTER TABLE mailing ADD COLUMN source_checksum INTEGER;
        """

    /// The columns that tell a copy from its ledger.
    static let copies = """
        -- How many commits Redis was told of: a ledger with a lower number than Redis knows is an older copy.
        ALTER TABLE ledger ADD COLUMN commits INTEGER NOT NULL DEFAULT 0;
        -- When `flotilla ledger restore` put this copy here, in milliseconds since 1970; NULL once the leader has seen to it.
        ALTER TABLE ledger ADD COLUMN restored INTEGER;
        -- The number that Redis knew when it was found that this is an older copy; NULL once the leader has seen to it.
        ALTER TABLE ledger ADD COLUMN older_than INTEGER;
        """
}
