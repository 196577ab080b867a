extension PostgreSQLSchema {
    /// What visitors of messages' links did. A recipient's row grows with each visit: pages leave room for that, and no index hears of it.
    static let events = """
        CREATE TABLE event_source (source word PRIMARY KEY, counted word NOT NULL, at bigint NOT NULL) WITH (fillfactor = 50);
        CREATE TABLE event_client (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, agent word NOT NULL, network word NOT NULL, UNIQUE (agent, network));
        CREATE TABLE event_recipient (
            mailing word, batch bigint, idx integer, data bytea NOT NULL, PRIMARY KEY (mailing, batch, idx))
            WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

        CREATE TABLE event_count_part (
            mailing word, class bigint, action bigint, link bigint, slot smallint, n bigint NOT NULL, recipients bigint NOT NULL,
            PRIMARY KEY (mailing, class, action, link, slot)) WITH (fillfactor = 50);
        CREATE VIEW event_count AS
            SELECT mailing, class, action, link, sum(n)::bigint AS n, sum(recipients)::bigint AS recipients
            FROM event_count_part GROUP BY mailing, class, action, link;

        CREATE TABLE event_hour_part (
            mailing word, hour bigint, class bigint, action bigint, slot smallint, n bigint NOT NULL,
            PRIMARY KEY (mailing, hour, class, action, slot)) WITH (fillfactor = 50);
        CREATE VIEW event_hour AS
            SELECT mailing, hour, class, action, sum(n)::bigint AS n FROM event_hour_part GROUP BY mailing, hour, class, action;
        """
}
