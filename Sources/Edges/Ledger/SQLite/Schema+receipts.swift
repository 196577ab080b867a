/// The 36th migration: what providers tell of messages that they took.
extension Schema {
    static let receipts = """
        -- The providers whose receipts are expected: of their messages the ids are kept.
        CREATE TABLE receipt_provider (name TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;

        -- By a provider's id of a message its recipient, for 30 days. hash: of the provider's name and the id; day: since 1970.
        CREATE TABLE message_reference (
            day INTEGER NOT NULL,
            hash INTEGER NOT NULL,
            mailing TEXT NOT NULL,
            batch INTEGER NOT NULL,
            idx INTEGER NOT NULL,
            PRIMARY KEY (day, hash, mailing, batch, idx)
        ) STRICT, WITHOUT ROWID;

        -- Recipients whose messages came back. state: what attempts and receipts came to, as a packed state has it.
        CREATE TABLE bounce (
            mailing TEXT NOT NULL,
            batch INTEGER NOT NULL,
            idx INTEGER NOT NULL,
            state TEXT NOT NULL,
            at INTEGER NOT NULL,
            PRIMARY KEY (mailing, batch, idx)
        ) STRICT, WITHOUT ROWID;

        -- Receipts that name no message, or are of no known kind. until: until when they are tried again; tried: the last time.
        CREATE TABLE receipt_unknown (
            key TEXT PRIMARY KEY NOT NULL,
            webhook TEXT NOT NULL,
            provider TEXT NOT NULL,
            kind TEXT NOT NULL,
            word TEXT NOT NULL,
            provider_id TEXT NOT NULL,
            message_id TEXT NOT NULL,
            recipient TEXT NOT NULL,
            detail TEXT NOT NULL,
            is_machine INTEGER NOT NULL,
            at INTEGER,
            arrived INTEGER NOT NULL,
            until INTEGER NOT NULL,
            tried INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX receipt_unknown_age ON receipt_unknown (arrived);
        """
}
