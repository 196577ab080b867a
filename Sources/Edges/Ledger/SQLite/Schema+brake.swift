/// The 45th migration: what the brake counts and has found.
extension Schema {
    static let brake = """
        -- Of the messages sent in that second: refused for good because the recipient is not there (they are among failed), come back for
        -- good, and called spam.
        ALTER TABLE timeline ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE timeline ADD COLUMN bounced INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE timeline ADD COLUMN complained INTEGER NOT NULL DEFAULT 0;

        -- When the mailing was resumed last, in milliseconds since 1970: the brake counts what was sent since.
        ALTER TABLE mailing ADD COLUMN brake_since INTEGER NOT NULL DEFAULT 0;

        -- What the brake has found since then. share: the limit that was reached, in thousandths of a percent.
        CREATE TABLE brake_finding (
            mailing TEXT NOT NULL,
            kind TEXT NOT NULL,
            span TEXT NOT NULL,
            level TEXT NOT NULL,
            events INTEGER NOT NULL,
            total INTEGER NOT NULL,
            share INTEGER NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (mailing, kind, span, level)
        ) STRICT, WITHOUT ROWID;
        """
}
