/// The 30th migration: what visitors of messages' links did.
extension Schema {
    static let events = """
        -- The numbers of a source's events that are counted, as `0-500 700-900`, each up to and without its second number. A source is a
        -- life of a tracker, in 16 hexadecimal digits; at is when it was last heard of, in milliseconds since 1970.
        CREATE TABLE event_source (
            source TEXT PRIMARY KEY NOT NULL,
            counted TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- What visitors' programs say they are, and the named range of addresses that they came from.
        CREATE TABLE event_client (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            agent TEXT NOT NULL,
            network TEXT NOT NULL,
            UNIQUE (agent, network)
        ) STRICT;

        -- All events of a recipient, packed (`StoredEvent`).
        CREATE TABLE event_recipient (
            mailing TEXT NOT NULL,
            batch INTEGER NOT NULL,
            idx INTEGER NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (mailing, batch, idx)
        ) STRICT, WITHOUT ROWID;

        -- class: 0 all, 1 human, 2 proxied, 3 machine. action: 1 open, 2 click, 3 unsubscribe, 4 resubscribe, 5 view. link: -1 all.
        CREATE TABLE event_count (
            mailing TEXT NOT NULL,
            class INTEGER NOT NULL,
            action INTEGER NOT NULL,
            link INTEGER NOT NULL,
            n INTEGER NOT NULL,
            recipients INTEGER NOT NULL,
            PRIMARY KEY (mailing, class, action, link)
        ) STRICT, WITHOUT ROWID;

        -- By hours since 1970.
        CREATE TABLE event_hour (
            mailing TEXT NOT NULL,
            hour INTEGER NOT NULL,
            class INTEGER NOT NULL,
            action INTEGER NOT NULL,
            n INTEGER NOT NULL,
            PRIMARY KEY (mailing, hour, class, action)
        ) STRICT, WITHOUT ROWID;
        """
}
