extension Schema {
    /// The large tables that never change (`batch`, `fingerprint`) are apart from the small one that does (`progress`), so that a
    /// result never rewrites a recipient's values. Rows a recipient exist only for what is not plain: `setback`, `event`.
    static let tables = """
        -- One row: the name by which a Redis knows whose batches it holds.
        CREATE TABLE ledger (identity TEXT NOT NULL) STRICT;

        CREATE TABLE mailing (
            id TEXT PRIMARY KEY NOT NULL,
            name TEXT NOT NULL,
            channel TEXT NOT NULL,
            definition TEXT NOT NULL,
            source TEXT,
            origin TEXT NOT NULL,
            state TEXT NOT NULL,
            reason TEXT NOT NULL DEFAULT '',
            created INTEGER NOT NULL,
            started INTEGER,
            planned INTEGER,
            finished INTEGER,
            planned_count INTEGER NOT NULL DEFAULT 0,
            excluded_count INTEGER NOT NULL DEFAULT 0,
            next_batch INTEGER NOT NULL DEFAULT 0,
            rows_read INTEGER NOT NULL DEFAULT 0,
            source_size INTEGER,
            source_modified INTEGER,
            planning_done INTEGER NOT NULL DEFAULT 0,
            speed TEXT
        ) STRICT;
        CREATE INDEX mailing_origin ON mailing (origin, created);

        -- A batch as it was planned; recipients is a JSON array of arrays of texts, in the order of the definition's fields.
        CREATE TABLE batch (
            mailing TEXT NOT NULL,
            number INTEGER NOT NULL,
            count INTEGER NOT NULL,
            recipients TEXT NOT NULL,
            PRIMARY KEY (mailing, number)
        ) STRICT;

        -- A 32-bit hash of each address of a batch, little-endian.
        CREATE TABLE fingerprint (
            mailing TEXT NOT NULL,
            batch INTEGER NOT NULL,
            hashes BLOB NOT NULL,
            PRIMARY KEY (mailing, batch)
        ) STRICT;

        -- Where a batch stands: one character a recipient in states and attempts; ready is when it may be fed (0: now).
        CREATE TABLE progress (
            mailing TEXT NOT NULL,
            number INTEGER NOT NULL,
            generation INTEGER NOT NULL DEFAULT 0,
            fed INTEGER NOT NULL DEFAULT 0,
            ready INTEGER,
            open INTEGER NOT NULL,
            states TEXT NOT NULL,
            attempts TEXT NOT NULL,
            awaited BLOB,
            done INTEGER NOT NULL DEFAULT 0,
            released INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (mailing, number)
        ) STRICT;
        CREATE INDEX progress_ready ON progress (mailing, ready, number) WHERE ready IS NOT NULL;
        CREATE INDEX progress_fed ON progress (mailing, number) WHERE fed > 0;

        -- What workers reported, as they reported it: a JSON array of [index, state, attempts, at, code, text, message id,
        -- class, stage, due], times in milliseconds after base, the last three left out for state s (sent). counted: Redis
        -- counted the group among those of its feeding.
        CREATE TABLE result (
            mailing TEXT NOT NULL,
            batch INTEGER NOT NULL,
            generation INTEGER NOT NULL,
            worker TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            base INTEGER NOT NULL,
            data TEXT NOT NULL,
            counted INTEGER NOT NULL,
            PRIMARY KEY (mailing, batch, generation, worker, sequence)
        ) STRICT;

        -- Recipients whose last answer was no acceptance: due is above 0 for those who wait for another attempt.
        CREATE TABLE setback (
            mailing TEXT NOT NULL,
            batch INTEGER NOT NULL,
            idx INTEGER NOT NULL,
            at INTEGER NOT NULL,
            due INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            failure INTEGER NOT NULL,
            PRIMARY KEY (mailing, batch, idx)
        ) STRICT, WITHOUT ROWID;

        -- The different answers; n counts the failed and expired recipients whose last one it was.
        CREATE TABLE failure (
            id INTEGER PRIMARY KEY,
            mailing TEXT NOT NULL,
            class TEXT NOT NULL,
            code INTEGER NOT NULL,
            text TEXT NOT NULL,
            n INTEGER NOT NULL DEFAULT 0,
            UNIQUE (mailing, class, code, text)
        ) STRICT;

        -- Whom a message may have reached that no answer tells of: held ones wait for a person, the others are sent again.
        CREATE TABLE uncertain (
            mailing TEXT NOT NULL,
            batch INTEGER NOT NULL,
            idx INTEGER NOT NULL,
            generation INTEGER NOT NULL,
            held INTEGER NOT NULL,
            worker TEXT NOT NULL,
            at INTEGER NOT NULL,
            why TEXT NOT NULL,
            settled_at INTEGER,
            outcome TEXT,
            PRIMARY KEY (mailing, batch, idx, generation, held)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE counter (
            mailing TEXT NOT NULL,
            state TEXT NOT NULL,
            n INTEGER NOT NULL,
            PRIMARY KEY (mailing, state)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE timeline (
            mailing TEXT NOT NULL,
            second INTEGER NOT NULL,
            sent INTEGER NOT NULL,
            failed INTEGER NOT NULL,
            deferred INTEGER NOT NULL,
            PRIMARY KEY (mailing, second)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE exclusion (
            mailing TEXT NOT NULL,
            row INTEGER NOT NULL,
            reason TEXT NOT NULL,
            id TEXT NOT NULL,
            address TEXT NOT NULL,
            detail TEXT NOT NULL,
            PRIMARY KEY (mailing, row)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE exclusion_count (
            mailing TEXT NOT NULL,
            reason TEXT NOT NULL,
            n INTEGER NOT NULL,
            PRIMARY KEY (mailing, reason)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE event (
            mailing TEXT NOT NULL,
            batch INTEGER NOT NULL,
            idx INTEGER NOT NULL,
            kind TEXT NOT NULL,
            at INTEGER NOT NULL,
            detail TEXT NOT NULL,
            PRIMARY KEY (mailing, batch, idx, kind, at, detail)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE event_counter (
            mailing TEXT NOT NULL,
            kind TEXT NOT NULL,
            n INTEGER NOT NULL,
            recipients INTEGER NOT NULL,
            PRIMARY KEY (mailing, kind)
        ) STRICT, WITHOUT ROWID;

        -- What one process does at a time, and until when it has promised to be there; each holder has a higher fence.
        CREATE TABLE duty (
            name TEXT PRIMARY KEY NOT NULL,
            holder TEXT NOT NULL,
            fence INTEGER NOT NULL,
            until INTEGER NOT NULL
        ) STRICT;
        """
}
