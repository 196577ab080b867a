/// The 34th migration: as `Schema.eventGroups` has it. What is packed is not worth compressing.
extension PostgreSQLSchema {
    static let eventGroups = """
        CREATE TABLE event_log (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mailing word NOT NULL, slice bigint NOT NULL, n bigint NOT NULL,
            data bytea NOT NULL)
            WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
        ALTER TABLE event_log ALTER COLUMN data SET STORAGE EXTERNAL;
        CREATE INDEX event_log_slice ON event_log (mailing, slice, n);

        CREATE TABLE event_group (mailing word, batch bigint, part bigint, data bytea NOT NULL, PRIMARY KEY (mailing, batch, part))
            WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
        ALTER TABLE event_group ALTER COLUMN data SET STORAGE EXTERNAL;
        INSERT INTO event_group (mailing, batch, part, data)
            SELECT mailing, batch, idx / \(StoredEventGroup.size), '\\x01'::bytea || string_agg(
                set_byte('\\x00'::bytea, 0, idx % \(StoredEventGroup.size)) || int4send(length(data)) || data, ''::bytea ORDER BY idx)
            FROM event_recipient WHERE idx >= 0 AND length(data) > 0 GROUP BY mailing, batch, idx / \(StoredEventGroup.size);
        DROP TABLE event_recipient;

        CREATE TABLE event_rules (mailing word, version word, PRIMARY KEY (mailing, version));
        """
}
