import GRDB
import Text

extension Schema {
    /// The audit log, the identity of a mailing, and since when a mailing is in its state.
    static let control = """
        -- By what it is known again: key:KEY, file:PATH, or empty.
        ALTER TABLE mailing ADD COLUMN identity TEXT NOT NULL DEFAULT '';
        -- It leaves out those whom an earlier mailing of its identity has reached.
        ALTER TABLE mailing ADD COLUMN only_new INTEGER NOT NULL DEFAULT 0;
        -- Since when it is in its state, in milliseconds since 1970; NULL where that was not noted.
        ALTER TABLE mailing ADD COLUMN state_changed INTEGER;
        UPDATE mailing SET identity = 'file:' || origin WHERE origin <> '';
        DROP INDEX IF EXISTS mailing_origin;
        CREATE INDEX mailing_identity ON mailing (identity, created);

        -- What persons ordered; before and after are JSON objects of what the order changed. Rows are only added.
        CREATE TABLE audit (
            number INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            kind TEXT NOT NULL,
            object TEXT NOT NULL,
            before TEXT NOT NULL,
            after TEXT NOT NULL
        ) STRICT;
        CREATE INDEX audit_object ON audit (object, number);
        """

    /// Older mailings are identified by the real paths of their files.
    static func resolveIdentities(_ db: Database) throws {
        for origin in try String.fetchAll(db, sql: "SELECT DISTINCT origin FROM mailing WHERE origin <> ''") {
            let path = RealPath.of(origin)
            guard path != origin else { continue }
            try db.execute(
                sql: "UPDATE mailing SET identity = 'file:' || ? WHERE origin = ?", arguments: [path, origin])
        }
    }
}
