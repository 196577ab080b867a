import GRDB

/// The ledger's tables. A table that has left the house never changes but by a further migration.
enum Schema {
    /// `PRAGMA application_id` of a ledger: "FLOT".
    static let applicationID: Int32 = 0x464c_4f54

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 tables") { db in
            try db.execute(sql: tables)
            try db.execute(sql: "INSERT INTO ledger (identity) VALUES (lower(hex(randomblob(8))))")
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
        }
        migrator.registerMigration("1 views") { db in try db.execute(sql: views) }
        migrator.registerMigration("2 start") { db in
            try db.execute(sql: "ALTER TABLE mailing ADD COLUMN start INTEGER")
        }
        migrator.registerMigration("3 limits") { db in
            // Set by operators in place of the configuration's: a limit as text, or none; changed in milliseconds since 1970.
            try db.execute(
                sql: """
                    CREATE TABLE limit_override (
                        scope TEXT PRIMARY KEY NOT NULL,
                        text TEXT NOT NULL,
                        changed INTEGER NOT NULL
                    ) STRICT
                    """)
        }
        migrator.registerMigration("4 work") { db in try db.execute(sql: work) }
        return migrator
    }

    /// The large and unchanging (`batch`, `fingerprint`) stands apart from the small and changing (`progress`), so that a
    /// result never rewrites a recipient's values. Rows a recipient exist only for what is not plain: `setback`, `event`.
    private static let tables = """
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

    /// What the dispatcher and the planner ask for, in columns of its own and in indexes that hold nothing of the mailings that are over.
    private static let work = """
        ALTER TABLE mailing ADD COLUMN provider TEXT NOT NULL DEFAULT '';
        -- Milliseconds after the start during which a message may be tried.
        ALTER TABLE mailing ADD COLUMN lifetime INTEGER NOT NULL DEFAULT 0;
        -- The definition's limit; speed is the one that was set in its place.
        ALTER TABLE mailing ADD COLUMN own_speed TEXT;
        -- Of a stopped mailing: nothing is open any more but what is held for a person, and nothing is with the workers.
        ALTER TABLE mailing ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;
        UPDATE mailing SET provider = coalesce(definition ->> 'provider', ''),
            lifetime = CAST(min(definition ->> 'lifetime', 3155760000) * 1000 AS INTEGER), own_speed = definition ->> 'speed',
            settled = state = 'stopped'
                AND NOT EXISTS (
                    SELECT 1 FROM counter
                    WHERE counter.mailing = mailing.id AND counter.state IN ('planned', 'deferred') AND n > 0)
                AND NOT EXISTS (SELECT 1 FROM progress WHERE progress.mailing = mailing.id AND fed > 0);
        CREATE INDEX mailing_work ON mailing (
            id, state, channel, provider, speed, own_speed, started, lifetime, planned_count, next_batch, planning_done)
            WHERE state IN ('collecting', 'sending', 'paused', 'stopped') AND settled = 0;
        CREATE INDEX mailing_waiting ON mailing (iif(state = 'collecting', 0, coalesce(start, created)), id)
            WHERE state IN ('scheduled', 'collecting');
        """

    /// For people with a SQL shell; the code reads the tables.
    private static let views = """
        CREATE VIEW delivery AS
        SELECT b.mailing, b.number AS batch, r.key AS idx, r.value ->> 0 AS recipient, r.value ->> 1 AS address,
            CASE substr(p.states, r.key + 1, 1) \(stateNames) END AS state,
            unicode(substr(p.attempts, r.key + 1, 1)) - 48 AS attempts
        FROM batch b JOIN progress p ON p.mailing = b.mailing AND p.number = b.number, json_each(b.recipients) r;

        CREATE VIEW attempt AS
        SELECT r.mailing, r.batch, a.value ->> 0 AS idx, a.value ->> 2 AS attempt,
            CASE a.value ->> 1 \(stateNames) END AS state,
            strftime('%Y-%m-%d %H:%M:%f', (r.base + (a.value ->> 3)) / 1000.0, 'unixepoch') AS at,
            a.value ->> 4 AS code, a.value ->> 5 AS text, a.value ->> 6 AS message_id,
            coalesce(a.value ->> 7, 'accepted') AS class, coalesce(a.value ->> 8, 'response') AS stage,
            r.generation, r.worker
        FROM result r, json_each(r.data) a;

        CREATE VIEW doubt AS
        SELECT u.mailing, u.batch, u.idx, b.recipients ->> ('$[' || u.idx || '][0]') AS recipient,
            b.recipients ->> ('$[' || u.idx || '][1]') AS address,
            CASE substr(p.states, u.idx + 1, 1) \(stateNames) END AS state,
            strftime('%Y-%m-%d %H:%M:%f', u.at / 1000.0, 'unixepoch') AS since, u.why, u.held,
            strftime('%Y-%m-%d %H:%M:%f', u.settled_at / 1000.0, 'unixepoch') AS settled, u.outcome
        FROM uncertain u
            JOIN batch b ON b.mailing = u.mailing AND b.number = u.batch
            JOIN progress p ON p.mailing = u.mailing AND p.number = u.batch;

        CREATE VIEW answer AS
        SELECT s.mailing, s.batch, s.idx, b.recipients ->> ('$[' || s.idx || '][0]') AS recipient,
            b.recipients ->> ('$[' || s.idx || '][1]') AS address,
            CASE substr(p.states, s.idx + 1, 1) \(stateNames) END AS state, s.attempts,
            strftime('%Y-%m-%d %H:%M:%f', s.at / 1000.0, 'unixepoch') AS at,
            iif(s.due > 0, strftime('%Y-%m-%d %H:%M:%f', s.due / 1000.0, 'unixepoch'), NULL) AS due,
            f.class, f.code, f.text
        FROM setback s
            JOIN failure f ON f.id = s.failure
            JOIN batch b ON b.mailing = s.mailing AND b.number = s.batch
            JOIN progress p ON p.mailing = s.mailing AND p.number = s.batch;
        """

    private static let stateNames = """
        WHEN 'p' THEN 'planned' WHEN 'd' THEN 'deferred' WHEN 'u' THEN 'uncertain' WHEN 'x' THEN 'stopped' \
        WHEN 'e' THEN 'expired' WHEN 'f' THEN 'failed' WHEN 's' THEN 'sent' WHEN 'v' THEN 'delivered'
        """
}
