extension PostgreSQLSchema {
    /// Which other systems are told of what happens, and what they are to be told.
    static let webhooks = """
        CREATE TABLE webhook (
            id word PRIMARY KEY, url word NOT NULL, types bigint NOT NULL, addresses bigint NOT NULL, insecure bigint NOT NULL,
            parts bigint NOT NULL, secret word NOT NULL, old_secret word, old_until bigint, state word NOT NULL, why word NOT NULL,
            created bigint NOT NULL, state_changed bigint NOT NULL, revision bigint NOT NULL, last_success bigint, first_failure bigint,
            problem word NOT NULL, replay_until bigint, replay_end bigint NOT NULL);
        CREATE TABLE webhook_part (
            webhook word, part bigint, sequence bigint NOT NULL, item bigint NOT NULL, attempts bigint NOT NULL, since bigint,
            due bigint NOT NULL, PRIMARY KEY (webhook, part)) WITH (fillfactor = 50);
        CREATE TABLE webhook_event (
            sequence bigint PRIMARY KEY, at bigint NOT NULL, mailing word NOT NULL, types bigint NOT NULL, n bigint NOT NULL,
            data bytea NOT NULL);
        -- Whoever writes into the outbox updates its row, and keeps it until the transaction ends.
        CREATE TABLE webhook_head (last bigint NOT NULL, wanted bigint NOT NULL, pruned bigint NOT NULL) WITH (fillfactor = 10);
        INSERT INTO webhook_head (last, wanted, pruned) VALUES (0, 0, 0);
        """
}
