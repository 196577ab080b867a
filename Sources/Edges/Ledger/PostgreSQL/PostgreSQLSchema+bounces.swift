extension PostgreSQLSchema {
    /// By which provider's answer an address is suppressed.
    static let suppressionProvider = "ALTER TABLE suppression ADD COLUMN provider word NOT NULL DEFAULT '';"

    /// Whose messages bounced softly.
    static let softBounces = """
        CREATE TABLE soft_bounce (
            channel word, address word, hash bigint NOT NULL, n bigint NOT NULL, mailing word NOT NULL, at bigint NOT NULL,
            PRIMARY KEY (channel, address)) WITH (fillfactor = 80);
        CREATE INDEX soft_bounce_hash ON soft_bounce (hash);
        """
}
