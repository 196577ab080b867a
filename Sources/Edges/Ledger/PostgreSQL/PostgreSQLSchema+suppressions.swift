/// Who gets no messages, and the categories of mailings that can be chosen.
extension PostgreSQLSchema {
    static let suppressions = """
        CREATE TABLE suppression (
            channel word,
            address word,
            category word,
            reason word NOT NULL,
            source word NOT NULL,
            at bigint NOT NULL,
            expires bigint,
            revision bigint NOT NULL,
            changed bigint NOT NULL,
            PRIMARY KEY (channel, address, category)
        );
        CREATE TABLE suppression_removal (
            channel word, address word, category word, at bigint NOT NULL, PRIMARY KEY (channel, address, category));
        CREATE INDEX suppression_revision ON suppression (channel, category, revision);
        CREATE TABLE suppression_list (revision bigint NOT NULL, entries bigint NOT NULL);
        INSERT INTO suppression_list (revision, entries) VALUES (0, 0);
        CREATE TABLE category (name word PRIMARY KEY, created bigint NOT NULL);
        CREATE TABLE skipped (
            mailing word,
            batch bigint,
            idx bigint,
            reason word NOT NULL,
            detail word NOT NULL,
            at bigint NOT NULL,
            PRIMARY KEY (mailing, batch, idx)
        ) PARTITION BY LIST (mailing);

        """
}
