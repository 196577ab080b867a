/// The same tables as SQLite's (docs/ledger.md). What differs: flags are `smallint`, places in a batch `integer`, keys are compared by
/// their bytes, counters stand in several rows, and what a mailing has of recipients is partitioned (`PostgreSQLPartitions`).
extension PostgreSQLSchema {
    /// Functions that SQLite has by this name.
    static let functions = """
        CREATE FUNCTION instr(text, text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT strpos($1, $2)';
        CREATE FUNCTION instr(bytea, bytea) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT position($2 IN $1)';
        -- A bit for 12 bits of each hash.
        CREATE FUNCTION address_filter(hashes bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
        DECLARE found bytea := decode(repeat('00', 512), 'hex');
        BEGIN
            FOR place IN 0 .. length(hashes) - 4 BY 4 LOOP
                found := set_bit(found, (get_byte(hashes, place) + 256 * (get_byte(hashes, place + 1) & 15))::bigint, 1);
            END LOOP;
            RETURN found;
        END $$;
        CREATE DOMAIN word AS text COLLATE "C";

        """

    static let mailings = """
        CREATE TABLE ledger (
            identity word NOT NULL,
            commits bigint NOT NULL DEFAULT 0,
            restored bigint,
            older_than bigint,
            standing word,
            moved bigint
        );
        INSERT INTO ledger (identity) VALUES (substr(replace(gen_random_uuid()::text, '-', ''), 1, 16));

        CREATE TABLE mailing (
            id word PRIMARY KEY,
            number integer GENERATED ALWAYS AS IDENTITY UNIQUE,
            name word NOT NULL,
            channel word NOT NULL,
            provider word NOT NULL DEFAULT '',
            definition word NOT NULL,
            source word,
            origin word NOT NULL,
            identity word NOT NULL DEFAULT '',
            only_new smallint NOT NULL DEFAULT 0,
            state word NOT NULL,
            state_changed bigint,
            reason_kind word NOT NULL DEFAULT '',
            actor word NOT NULL DEFAULT '',
            reason word NOT NULL DEFAULT '',
            stuck_since bigint,
            stuck_reason word NOT NULL DEFAULT '',
            settled smallint NOT NULL DEFAULT 0,
            restored smallint NOT NULL DEFAULT 0,
            created bigint NOT NULL,
            start bigint,
            started bigint,
            planned bigint,
            finished bigint,
            lifetime bigint NOT NULL DEFAULT 0,
            own_speed word,
            speed word,
            planned_count bigint NOT NULL DEFAULT 0,
            excluded_count bigint NOT NULL DEFAULT 0,
            unverified_count bigint NOT NULL DEFAULT 0,
            next_batch bigint NOT NULL DEFAULT 0,
            rows_read bigint NOT NULL DEFAULT 0,
            source_size bigint,
            source_modified bigint,
            source_checksum bigint,
            planning_done smallint NOT NULL DEFAULT 0,
            pruned bigint,
            pruning smallint NOT NULL DEFAULT 0,
            uncertain_listed bigint NOT NULL DEFAULT 0,
            uncertain_redelivered bigint NOT NULL DEFAULT 0,
            uncertain_unresolved bigint NOT NULL DEFAULT 0,
            category word NOT NULL DEFAULT '',
            suppression_revision bigint
        ) WITH (fillfactor = 70);
        CREATE INDEX mailing_created ON mailing (created DESC, id DESC);
        CREATE INDEX mailing_identity ON mailing (identity, created);
        CREATE INDEX mailing_work ON mailing (id)
            WHERE state IN ('collecting', 'sending', 'paused', 'stopped') AND settled = 0;
        CREATE INDEX mailing_waiting ON mailing ((CASE WHEN state = 'collecting' THEN 0 ELSE coalesce(start, created) END), id)
            WHERE state IN ('scheduled', 'collecting');

        CREATE TABLE exclusion (
            mailing word,
            row bigint,
            reason word NOT NULL,
            id word NOT NULL,
            address word NOT NULL,
            detail word NOT NULL,
            PRIMARY KEY (mailing, row)
        ) PARTITION BY LIST (mailing);

        """

    static let batches = """
        CREATE TABLE batch (
            mailing word,
            number bigint,
            count bigint NOT NULL,
            recipients word NOT NULL,
            PRIMARY KEY (mailing, number)
        ) PARTITION BY LIST (mailing);

        CREATE TABLE fingerprint (
            mailing word,
            batch bigint,
            hashes bytea NOT NULL,
            filter bytea GENERATED ALWAYS AS (address_filter(hashes)) STORED,
            PRIMARY KEY (mailing, batch)
        ) PARTITION BY LIST (mailing);
        -- All of them are read for one person's history: they stay in the row.
        ALTER TABLE fingerprint ALTER COLUMN hashes SET STORAGE MAIN, ALTER COLUMN filter SET STORAGE MAIN;

        CREATE TABLE progress (
            mailing word,
            number bigint,
            dispatch bigint NOT NULL DEFAULT 0,
            dispatched bigint NOT NULL DEFAULT 0,
            ready bigint,
            open bigint NOT NULL,
            states word NOT NULL,
            attempts word NOT NULL,
            awaited bytea,
            done smallint NOT NULL DEFAULT 0,
            released bigint NOT NULL DEFAULT 0,
            PRIMARY KEY (mailing, number)
        ) PARTITION BY LIST (mailing);
        CREATE INDEX progress_ready ON progress (mailing, ready, number) WHERE ready IS NOT NULL;
        CREATE INDEX progress_returned ON progress (mailing, number) WHERE ready = 0 AND dispatch > 0;
        CREATE INDEX progress_dispatched ON progress (mailing, number) WHERE dispatched > 0;

        """

    static let results = """
        CREATE TABLE result (
            mailing word,
            batch bigint,
            dispatch bigint,
            worker word,
            sequence bigint,
            base bigint NOT NULL,
            data word NOT NULL,
            counted smallint NOT NULL,
            partial smallint NOT NULL DEFAULT 0,
            provider word NOT NULL DEFAULT '',
            PRIMARY KEY (mailing, batch, dispatch, worker, sequence)
        ) PARTITION BY LIST (mailing);

        CREATE TABLE failure (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            mailing word NOT NULL,
            class word NOT NULL,
            code bigint NOT NULL,
            text word NOT NULL,
            origin word NOT NULL
        );
        -- A text may be too long for an index.
        CREATE UNIQUE INDEX failure_text ON failure (mailing, class, code, md5(text));

        CREATE TABLE recipient_error (
            mailing word,
            batch bigint,
            idx integer,
            at bigint NOT NULL,
            due bigint NOT NULL,
            attempts bigint NOT NULL,
            failure bigint NOT NULL,
            held smallint NOT NULL DEFAULT 0,
            PRIMARY KEY (mailing, batch, idx)
        ) PARTITION BY LIST (mailing);
        CREATE INDEX recipient_error_held ON recipient_error (mailing, failure) WHERE held = 1;

        CREATE TABLE uncertain (
            mailing word,
            batch bigint,
            idx integer,
            dispatch bigint,
            held smallint,
            worker word NOT NULL,
            at bigint NOT NULL,
            why word NOT NULL,
            missed bigint NOT NULL DEFAULT 0,
            settled_at bigint,
            outcome word,
            PRIMARY KEY (mailing, batch, idx, dispatch, held)
        ) PARTITION BY LIST (mailing);

        CREATE TABLE event (
            mailing word NOT NULL,
            batch bigint NOT NULL,
            idx integer NOT NULL,
            kind word NOT NULL,
            at bigint NOT NULL,
            detail word NOT NULL
        ) PARTITION BY LIST (mailing);
        CREATE UNIQUE INDEX event_once ON event (mailing, batch, idx, kind, at, md5(detail));

        """

    /// Each session adds to a row of its own, as two that change one row would wait for each other; the views are the sums.
    static let counters = """
        CREATE TABLE counter_part (
            mailing word, state word, slot smallint, n bigint NOT NULL, PRIMARY KEY (mailing, state, slot)) WITH (fillfactor = 50);
        CREATE VIEW counter AS SELECT mailing, state, sum(n)::bigint AS n FROM counter_part GROUP BY mailing, state;

        CREATE TABLE exclusion_count_part (
            mailing word, reason word, slot smallint, n bigint NOT NULL, PRIMARY KEY (mailing, reason, slot)) WITH (fillfactor = 50);
        CREATE VIEW exclusion_count AS
            SELECT mailing, reason, sum(n)::bigint AS n FROM exclusion_count_part GROUP BY mailing, reason;

        CREATE TABLE failure_part (
            id bigint, slot smallint, n bigint NOT NULL, PRIMARY KEY (id, slot)) WITH (fillfactor = 50);
        CREATE VIEW failure_counted AS
            SELECT f.id, f.mailing, f.class, f.code, f.text, f.origin,
                coalesce((SELECT sum(n) FROM failure_part p WHERE p.id = f.id), 0)::bigint AS n
            FROM failure f;

        CREATE TABLE timeline_part (
            mailing word, second bigint, slot smallint, sent bigint NOT NULL, failed bigint NOT NULL, deferred bigint NOT NULL,
            PRIMARY KEY (mailing, second, slot)) WITH (fillfactor = 70);
        CREATE VIEW timeline AS
            SELECT mailing, second, sum(sent)::bigint AS sent, sum(failed)::bigint AS failed, sum(deferred)::bigint AS deferred
            FROM timeline_part GROUP BY mailing, second;

        CREATE TABLE event_counter_part (
            mailing word, kind word, slot smallint, n bigint NOT NULL, recipients bigint NOT NULL, PRIMARY KEY (mailing, kind, slot))
            WITH (fillfactor = 50);
        CREATE VIEW event_counter AS
            SELECT mailing, kind, sum(n)::bigint AS n, sum(recipients)::bigint AS recipients FROM event_counter_part GROUP BY mailing, kind;

        -- Transactions that changed something, and those of them that Redis was told of. token is that of the last one: who has lost the
        -- answer to a COMMIT looks for it. A transaction's number would not do, since a server that crashed gives it to another.
        CREATE TABLE writer (slot smallint PRIMARY KEY, commits bigint NOT NULL, changes bigint NOT NULL, token bigint NOT NULL)
            WITH (fillfactor = 50);

        """

    static let roles = """
        CREATE TABLE leadership (name word PRIMARY KEY, holder word NOT NULL, fencing_token bigint NOT NULL, until bigint NOT NULL);
        CREATE TABLE epoch (text word NOT NULL, boot word NOT NULL);
        CREATE TABLE epoch_worker (name word PRIMARY KEY);
        CREATE TABLE redis_problem (text word NOT NULL);
        CREATE TABLE limit_override (scope word PRIMARY KEY, text word NOT NULL, changed bigint NOT NULL);

        CREATE TABLE audit (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at bigint NOT NULL,
            actor word NOT NULL,
            kind word NOT NULL,
            object word NOT NULL,
            before word NOT NULL,
            after word NOT NULL
        );
        CREATE INDEX audit_object ON audit (object, number);

        CREATE TABLE dead_letter (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            stream word NOT NULL,
            status_stream bigint,
            lane word,
            entry word NOT NULL,
            at bigint NOT NULL,
            reason word NOT NULL,
            mailing word,
            batch bigint,
            dispatch bigint,
            is_batch smallint NOT NULL,
            is_whole smallint NOT NULL,
            bytes bigint NOT NULL,
            retried bigint,
            UNIQUE (stream, entry)
        );
        CREATE INDEX dead_letter_batch ON dead_letter (mailing, batch) WHERE is_batch = 1 AND retried IS NULL;
        CREATE TABLE dead_letter_field (
            letter bigint, place bigint, name word NOT NULL, value bytea NOT NULL, PRIMARY KEY (letter, place));
        CREATE TABLE dead_letter_discarded (kind word PRIMARY KEY, n bigint NOT NULL);
        """
}
