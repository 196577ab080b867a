/// The 41st migration: which other systems are told of what happens, and what they are to be told.
extension Schema {
    static let webhooks = """
        -- Subscriptions. types: a bit for each type; parts: how many recipients at once are told of; revision: grows with each order about
        -- it. Of rows before replay_end those after replay_until (milliseconds since 1970) are left out.
        CREATE TABLE webhook (
            id TEXT PRIMARY KEY NOT NULL,
            url TEXT NOT NULL,
            types INTEGER NOT NULL,
            addresses INTEGER NOT NULL,
            insecure INTEGER NOT NULL,
            parts INTEGER NOT NULL,
            secret TEXT NOT NULL,
            old_secret TEXT,
            old_until INTEGER,
            state TEXT NOT NULL,
            why TEXT NOT NULL,
            created INTEGER NOT NULL,
            state_changed INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            last_success INTEGER,
            first_failure INTEGER,
            problem TEXT NOT NULL,
            replay_until INTEGER,
            replay_end INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- How far a part of a subscription's recipients was told: all rows before sequence, and so many events of that row.
        -- Of the event that is tried: attempts, since when they fail, and when the next is due.
        CREATE TABLE webhook_part (
            webhook TEXT NOT NULL,
            part INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            item INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            since INTEGER,
            due INTEGER NOT NULL,
            PRIMARY KEY (webhook, part)
        ) STRICT, WITHOUT ROWID;

        -- The outbox: what happened in one transaction to recipients of one mailing, packed.
        CREATE TABLE webhook_event (
            sequence INTEGER PRIMARY KEY NOT NULL,
            at INTEGER NOT NULL,
            mailing TEXT NOT NULL,
            types INTEGER NOT NULL,
            n INTEGER NOT NULL,
            data BLOB NOT NULL
        ) STRICT;

        -- last: the highest sequence; wanted: the types of all active subscriptions; pruned: the highest sequence that was removed.
        CREATE TABLE webhook_head (last INTEGER NOT NULL, wanted INTEGER NOT NULL, pruned INTEGER NOT NULL) STRICT;
        INSERT INTO webhook_head (last, wanted, pruned) VALUES (0, 0, 0);
        """
}
