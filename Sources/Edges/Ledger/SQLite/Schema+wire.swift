extension Schema {
    /// Entries of Redis that could not be read, and results of which some could not.
    static let wire = """
        -- Not all results of the group could be read.
        ALTER TABLE result ADD COLUMN partial INTEGER NOT NULL DEFAULT 0;

        -- An entry of a stream that could not be read; times are milliseconds since 1970, retried is NULL while nobody has dealt with it.
        CREATE TABLE dead_letter (
            id INTEGER PRIMARY KEY NOT NULL,
            stream TEXT NOT NULL,
            entry TEXT NOT NULL,
            at INTEGER NOT NULL,
            reason TEXT NOT NULL,
            -- What it says of itself, as far as that can be read.
            mailing TEXT,
            batch INTEGER,
            dispatch INTEGER,
            -- It was a batch on its way to a worker; its fields are here in full; bytes of all of them.
            is_batch INTEGER NOT NULL,
            is_whole INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            retried INTEGER,
            UNIQUE (stream, entry)
        ) STRICT;
        CREATE INDEX dead_letter_batch ON dead_letter (mailing, batch) WHERE is_batch AND retried IS NULL;

        CREATE TABLE dead_letter_field (
            letter INTEGER NOT NULL,
            place INTEGER NOT NULL,
            name TEXT NOT NULL,
            value BLOB NOT NULL,
            PRIMARY KEY (letter, place)
        ) STRICT, WITHOUT ROWID;
        """
}
