/// The 45th migration: as `Schema.brake` has it.
extension PostgreSQLSchema {
    static let brake = """
        ALTER TABLE timeline_part ADD COLUMN refused bigint NOT NULL DEFAULT 0, ADD COLUMN bounced bigint NOT NULL DEFAULT 0,
            ADD COLUMN complained bigint NOT NULL DEFAULT 0;
        CREATE OR REPLACE VIEW timeline AS
            SELECT mailing, second, sum(sent)::bigint AS sent, sum(failed)::bigint AS failed, sum(deferred)::bigint AS deferred,
                sum(refused)::bigint AS refused, sum(bounced)::bigint AS bounced, sum(complained)::bigint AS complained
            FROM timeline_part GROUP BY mailing, second;
        ALTER TABLE mailing ADD COLUMN brake_since bigint NOT NULL DEFAULT 0;
        CREATE TABLE brake_finding (
            mailing word, kind word, span word, level word, events bigint NOT NULL, total bigint NOT NULL, share bigint NOT NULL,
            at bigint NOT NULL, PRIMARY KEY (mailing, kind, span, level));
        """
}
