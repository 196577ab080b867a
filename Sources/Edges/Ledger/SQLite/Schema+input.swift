extension Schema {
    /// How many planned recipients of a mailing have a telephone number in no range that is known.
    static let unverified = "ALTER TABLE mailing ADD COLUMN unverified_count INTEGER NOT NULL DEFAULT 0"
}
