extension PostgreSQLSchema {
    /// What providers tell of messages that they took.
    static let receipts = """
        CREATE TABLE receipt_provider (name word PRIMARY KEY);
        CREATE TABLE message_reference (
            day bigint, hash bigint, mailing word, batch bigint, idx integer, PRIMARY KEY (day, hash, mailing, batch, idx));
        CREATE TABLE bounce (
            mailing word, batch bigint, idx integer, state word NOT NULL, at bigint NOT NULL, PRIMARY KEY (mailing, batch, idx));
        CREATE TABLE receipt_unknown (
            key word PRIMARY KEY, webhook word NOT NULL, provider word NOT NULL, kind word NOT NULL, word word NOT NULL,
            provider_id word NOT NULL, message_id word NOT NULL, recipient word NOT NULL, detail word NOT NULL,
            is_machine smallint NOT NULL, at bigint, arrived bigint NOT NULL, until bigint NOT NULL, tried bigint NOT NULL);
        CREATE INDEX receipt_unknown_age ON receipt_unknown (arrived);
        """
}
