/// The 42nd migration: by which provider's answer an address is suppressed; the 43rd: whose messages bounced softly. PostgreSQL takes the
/// same statement of the former.
extension Schema {
    static let suppressionProvider = "ALTER TABLE suppression ADD COLUMN provider TEXT NOT NULL DEFAULT '';"

    static let softBounces = """
        -- Soft bounces of an address in a row, one of a mailing; mailing, at: of the last one, in milliseconds since 1970; hash: as that of
        -- fingerprint.
        CREATE TABLE soft_bounce (
            channel TEXT NOT NULL,
            address TEXT NOT NULL,
            hash INTEGER NOT NULL,
            n INTEGER NOT NULL,
            mailing TEXT NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (channel, address)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX soft_bounce_hash ON soft_bounce (hash);
        """
}
