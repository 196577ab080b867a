extension Schema {
    /// The epoch and its workers, as the last dispatcher knew them.
    static let epoch = """
        -- One row at most: the epoch of Redis, and the boot of the machine on which it was begun.
        CREATE TABLE epoch (
            text TEXT NOT NULL,
            boot TEXT NOT NULL
        ) STRICT;

        -- Workers that were admitted in it and may have messages in flight, or results that are in Redis alone.
        CREATE TABLE epoch_worker (
            name TEXT PRIMARY KEY NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
}
