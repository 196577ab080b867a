-- A ledger as the release of 2026-11-22 made it: its schema, and mailings in each state.
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
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
, start INTEGER) STRICT;
CREATE INDEX mailing_origin ON mailing (origin, created);
CREATE TABLE batch (
    mailing TEXT NOT NULL,
    number INTEGER NOT NULL,
    count INTEGER NOT NULL,
    recipients TEXT NOT NULL,
    PRIMARY KEY (mailing, number)
) STRICT;
CREATE TABLE fingerprint (
    mailing TEXT NOT NULL,
    batch INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (mailing, batch)
) STRICT;
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
CREATE TABLE failure (
    id INTEGER PRIMARY KEY,
    mailing TEXT NOT NULL,
    class TEXT NOT NULL,
    code INTEGER NOT NULL,
    text TEXT NOT NULL,
    n INTEGER NOT NULL DEFAULT 0,
    UNIQUE (mailing, class, code, text)
) STRICT;
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
CREATE TABLE duty (
    name TEXT PRIMARY KEY NOT NULL,
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;
CREATE VIEW delivery AS
SELECT b.mailing, b.number AS batch, r.key AS idx, r.value ->> 0 AS recipient, r.value ->> 1 AS address,
    CASE substr(p.states, r.key + 1, 1) WHEN 'p' THEN 'planned' WHEN 'd' THEN 'deferred' WHEN 'u' THEN 'uncertain' WHEN 'x' THEN 'stopped' WHEN 'e' THEN 'expired' WHEN 'f' THEN 'failed' WHEN 's' THEN 'sent' WHEN 'v' THEN 'delivered' END AS state,
    unicode(substr(p.attempts, r.key + 1, 1)) - 48 AS attempts
FROM batch b JOIN progress p ON p.mailing = b.mailing AND p.number = b.number, json_each(b.recipients) r;
CREATE VIEW attempt AS
SELECT r.mailing, r.batch, a.value ->> 0 AS idx, a.value ->> 2 AS attempt,
    CASE a.value ->> 1 WHEN 'p' THEN 'planned' WHEN 'd' THEN 'deferred' WHEN 'u' THEN 'uncertain' WHEN 'x' THEN 'stopped' WHEN 'e' THEN 'expired' WHEN 'f' THEN 'failed' WHEN 's' THEN 'sent' WHEN 'v' THEN 'delivered' END AS state,
    strftime('%Y-%m-%d %H:%M:%f', (r.base + (a.value ->> 3)) / 1000.0, 'unixepoch') AS at,
    a.value ->> 4 AS code, a.value ->> 5 AS text, a.value ->> 6 AS message_id,
    coalesce(a.value ->> 7, 'accepted') AS class, coalesce(a.value ->> 8, 'response') AS stage,
    r.generation, r.worker
FROM result r, json_each(r.data) a;
CREATE VIEW doubt AS
SELECT u.mailing, u.batch, u.idx, b.recipients ->> ('$[' || u.idx || '][0]') AS recipient,
    b.recipients ->> ('$[' || u.idx || '][1]') AS address,
    CASE substr(p.states, u.idx + 1, 1) WHEN 'p' THEN 'planned' WHEN 'd' THEN 'deferred' WHEN 'u' THEN 'uncertain' WHEN 'x' THEN 'stopped' WHEN 'e' THEN 'expired' WHEN 'f' THEN 'failed' WHEN 's' THEN 'sent' WHEN 'v' THEN 'delivered' END AS state,
    strftime('%Y-%m-%d %H:%M:%f', u.at / 1000.0, 'unixepoch') AS since, u.why, u.held,
    strftime('%Y-%m-%d %H:%M:%f', u.settled_at / 1000.0, 'unixepoch') AS settled, u.outcome
FROM uncertain u
    JOIN batch b ON b.mailing = u.mailing AND b.number = u.batch
    JOIN progress p ON p.mailing = u.mailing AND p.number = u.batch;
CREATE VIEW answer AS
SELECT s.mailing, s.batch, s.idx, b.recipients ->> ('$[' || s.idx || '][0]') AS recipient,
    b.recipients ->> ('$[' || s.idx || '][1]') AS address,
    CASE substr(p.states, s.idx + 1, 1) WHEN 'p' THEN 'planned' WHEN 'd' THEN 'deferred' WHEN 'u' THEN 'uncertain' WHEN 'x' THEN 'stopped' WHEN 'e' THEN 'expired' WHEN 'f' THEN 'failed' WHEN 's' THEN 'sent' WHEN 'v' THEN 'delivered' END AS state, s.attempts,
    strftime('%Y-%m-%d %H:%M:%f', s.at / 1000.0, 'unixepoch') AS at,
    iif(s.due > 0, strftime('%Y-%m-%d %H:%M:%f', s.due / 1000.0, 'unixepoch'), NULL) AS due,
    f.class, f.code, f.text
FROM setback s
    JOIN failure f ON f.id = s.failure
    JOIN batch b ON b.mailing = s.mailing AND b.number = s.batch
    JOIN progress p ON p.mailing = s.mailing AND p.number = s.batch;
CREATE TABLE limit_override (
    scope TEXT PRIMARY KEY NOT NULL,
    text TEXT NOT NULL,
    changed INTEGER NOT NULL
) STRICT;
INSERT INTO grdb_migrations VALUES ('1 tables'), ('1 views'), ('2 start'), ('3 limits');
PRAGMA application_id = 1179406164;
INSERT INTO ledger VALUES ('0123456789abcdef');
INSERT INTO duty VALUES ('planning', 'p1', 7, 1);
INSERT INTO mailing (id, name, channel, definition, source, origin, state, reason, created, started, planned, finished, planned_count,
    excluded_count, next_batch, rows_read, planning_done, speed, start) VALUES ('0000000000001', 'old', 'email',
    '{"attempts":5,"batchSize":500,"body":{"file":"","line":1,"source":""},"channel":"email","fields":["id","email"],"from":"a@example.com","html":{"file":"","line":1,"source":""},"lifetime":86400,"name":"old","nestedFields":[],"provider":"relay","replyTo":"","speed":"7/s","subject":{"file":"m.yaml","line":5,"source":"hi"},"text":{"file":"m.yaml","line":6,"source":"hello {{id}}"},"uncertain":"redeliver"}',
    NULL, '', 'sending', '', 1700000000000, 1700000000000, 1700000000000, NULL, 6, 0, 2, 6, 1, '9/s', NULL);
INSERT INTO batch VALUES ('0000000000001', 0, 4, '[["0","p0@example.com"],["1","p1@example.com"],["2","p2@example.com"],["3","p3@example.com"]]');
INSERT INTO fingerprint VALUES ('0000000000001', 0, x'b033084dc307c64346a6a555395749eb');
INSERT INTO progress VALUES ('0000000000001', 0, 3, 1700000005000, NULL, 2, 'sdfp', '1110', x'08', 0, 0);
INSERT INTO batch VALUES ('0000000000001', 1, 2, '[["4","p4@example.com"],["5","p5@example.com"]]');
INSERT INTO fingerprint VALUES ('0000000000001', 1, x'9cff8a180f3d9396');
INSERT INTO progress VALUES ('0000000000001', 1, 1, 0, 0, 2, 'up', '10', NULL, 0, 0);
INSERT INTO counter VALUES ('0000000000001', 'sent', 1);
INSERT INTO counter VALUES ('0000000000001', 'deferred', 1);
INSERT INTO counter VALUES ('0000000000001', 'failed', 1);
INSERT INTO counter VALUES ('0000000000001', 'planned', 2);
INSERT INTO counter VALUES ('0000000000001', 'uncertain', 1);
INSERT INTO failure (id, mailing, class, code, text, n) VALUES (1, '0000000000001', 'domain_throttled', 0, 'its domain has a limit', 0), (2, '0000000000001', 'bad_recipient', 550, '5.1.1 no such user', 1);
INSERT INTO setback VALUES ('0000000000001', 0, 1, 1700000001000, 1800000000000, 1, 1), ('0000000000001', 0, 2, 1700000001000, 0, 1, 2);
INSERT INTO timeline VALUES ('0000000000001', 1700000001, 1, 1, 1);
INSERT INTO result VALUES ('0000000000001', 0, 1, 'w1', 0, 1700000001000, '[[0,"s",1,0,250,"2.0.0 Ok","q1"],[1,"d",1,0,0,"its domain has a limit","","domain_throttled","connect",99999999000],[2,"f",1,0,550,"5.1.1 no such user","","bad_recipient","rcpt",0]]', 1);
INSERT INTO uncertain VALUES ('0000000000001', 1, 0, 1, 1, 'w0', 1700000002000, 'w0 died', NULL, NULL);
INSERT INTO mailing (id, name, channel, definition, source, origin, state, reason, created, started, planned, finished, planned_count,
    excluded_count, next_batch, rows_read, planning_done, speed, start) VALUES ('0000000000002', 'old', 'email',
    '{"attempts":5,"batchSize":500,"body":{"file":"","line":1,"source":""},"channel":"email","fields":["id","email"],"from":"a@example.com","html":{"file":"","line":1,"source":""},"lifetime":86400,"name":"old","nestedFields":[],"provider":"relay","replyTo":"","speed":"7/s","subject":{"file":"m.yaml","line":5,"source":"hi"},"text":{"file":"m.yaml","line":6,"source":"hello {{id}}"},"uncertain":"redeliver"}',
    NULL, '', 'paused', 'paused by alice@ops1', 1700000000000, 1700000000000, 1700000000000, NULL, 0, 0, 0, 0, 1, NULL, NULL);
INSERT INTO mailing (id, name, channel, definition, source, origin, state, reason, created, started, planned, finished, planned_count,
    excluded_count, next_batch, rows_read, planning_done, speed, start) VALUES ('0000000000003', 'old', 'email',
    '{"attempts":5,"batchSize":500,"body":{"file":"","line":1,"source":""},"channel":"email","fields":["id","email"],"from":"a@example.com","html":{"file":"","line":1,"source":""},"lifetime":86400,"name":"old","nestedFields":[],"provider":"relay","replyTo":"","speed":"7/s","subject":{"file":"m.yaml","line":5,"source":"hi"},"text":{"file":"m.yaml","line":6,"source":"hello {{id}}"},"uncertain":"redeliver"}',
    NULL, '', 'paused', '535 5.7.8 refused', 1700000000000, 1700000000000, 1700000000000, NULL, 0, 0, 0, 0, 1, NULL, NULL);
INSERT INTO mailing (id, name, channel, definition, source, origin, state, reason, created, started, planned, finished, planned_count,
    excluded_count, next_batch, rows_read, planning_done, speed, start) VALUES ('0000000000004', 'old', 'email',
    '{"attempts":5,"batchSize":500,"body":{"file":"","line":1,"source":""},"channel":"email","fields":["id","email"],"from":"a@example.com","html":{"file":"","line":1,"source":""},"lifetime":86400,"name":"old","nestedFields":[],"provider":"relay","replyTo":"","speed":"7/s","subject":{"file":"m.yaml","line":5,"source":"hi"},"text":{"file":"m.yaml","line":6,"source":"hello {{id}}"},"uncertain":"redeliver"}',
    NULL, '', 'paused', 'its start 2026-12-01T08:00:00Z is 3 h past, and at most 1 h is allowed', 1700000000000, NULL, NULL, NULL, 0, 0, 0, 0, 0, NULL, 1700000000000);
INSERT INTO mailing (id, name, channel, definition, source, origin, state, reason, created, started, planned, finished, planned_count,
    excluded_count, next_batch, rows_read, planning_done, speed, start) VALUES ('0000000000005', 'old', 'email',
    '{"attempts":5,"batchSize":500,"body":{"file":"","line":1,"source":""},"channel":"email","fields":["id","email"],"from":"a@example.com","html":{"file":"","line":1,"source":""},"lifetime":86400,"name":"old","nestedFields":[],"provider":"relay","replyTo":"","speed":"7/s","subject":{"file":"m.yaml","line":5,"source":"hi"},"text":{"file":"m.yaml","line":6,"source":"hello {{id}}"},"uncertain":"redeliver"}',
    NULL, '', 'stopped', 'stopped by bob@ops2', 1700000000000, 1700000000000, 1700000000000, 1700000009000, 2, 0, 1, 2, 1, NULL, NULL);
INSERT INTO batch VALUES ('0000000000005', 0, 2, '[["0","p0@example.com"],["1","p1@example.com"]]');
INSERT INTO fingerprint VALUES ('0000000000005', 0, x'b033084dc307c643');
INSERT INTO progress VALUES ('0000000000005', 0, 1, 1700000005000, NULL, 2, 'pp', '00', x'03', 0, 0);
INSERT INTO counter VALUES ('0000000000005', 'planned', 2);
INSERT INTO mailing (id, name, channel, definition, source, origin, state, reason, created, started, planned, finished, planned_count,
    excluded_count, next_batch, rows_read, planning_done, speed, start) VALUES ('0000000000006', 'old', 'email',
    '{"attempts":5,"batchSize":500,"body":{"file":"","line":1,"source":""},"channel":"email","fields":["id","email"],"from":"a@example.com","html":{"file":"","line":1,"source":""},"lifetime":86400,"name":"old","nestedFields":[],"provider":"relay","replyTo":"","speed":"7/s","subject":{"file":"m.yaml","line":5,"source":"hi"},"text":{"file":"m.yaml","line":6,"source":"hello {{id}}"},"uncertain":"redeliver"}',
    NULL, '', 'stopped', 'stopped by bob@ops2', 1700000000000, 1700000000000, 1700000000000, 1700000009000, 2, 0, 1, 2, 1, NULL, NULL);
INSERT INTO batch VALUES ('0000000000006', 0, 2, '[["0","p0@example.com"],["1","p1@example.com"]]');
INSERT INTO fingerprint VALUES ('0000000000006', 0, x'b033084dc307c643');
INSERT INTO progress VALUES ('0000000000006', 0, 0, 0, NULL, 0, 'xx', '00', NULL, 0, 0);
INSERT INTO counter VALUES ('0000000000006', 'planned', 0);
INSERT INTO counter VALUES ('0000000000006', 'stopped', 2);
INSERT INTO mailing (id, name, channel, definition, source, origin, state, reason, created, started, planned, finished, planned_count,
    excluded_count, next_batch, rows_read, planning_done, speed, start) VALUES ('0000000000007', 'old', 'email',
    '{"attempts":5,"batchSize":500,"body":{"file":"","line":1,"source":""},"channel":"email","fields":["id","email"],"from":"a@example.com","html":{"file":"","line":1,"source":""},"lifetime":86400,"name":"old","nestedFields":[],"provider":"relay","replyTo":"","speed":"7/s","subject":{"file":"m.yaml","line":5,"source":"hi"},"text":{"file":"m.yaml","line":6,"source":"hello {{id}}"},"uncertain":"redeliver"}',
    NULL, '', 'failed', 'r.csv, line 7: no end', 1700000000000, 1700000000000, 1700000000000, 1700000009000, 0, 0, 0, 0, 0, NULL, NULL);
INSERT INTO mailing (id, name, channel, definition, source, origin, state, reason, created, started, planned, finished, planned_count,
    excluded_count, next_batch, rows_read, planning_done, speed, start) VALUES ('0000000000008', 'old', 'email',
    '{"attempts":5,"batchSize":500,"body":{"file":"","line":1,"source":""},"channel":"email","fields":["id","email"],"from":"a@example.com","html":{"file":"","line":1,"source":""},"lifetime":86400,"name":"old","nestedFields":[],"provider":"relay","replyTo":"","speed":"7/s","subject":{"file":"m.yaml","line":5,"source":"hi"},"text":{"file":"m.yaml","line":6,"source":"hello {{id}}"},"uncertain":"redeliver"}',
    NULL, '', 'sending', 'stuck: nobody got a result for 10 min', 1700000000000, 1700000000000, 1700000000000, NULL, 1, 0, 1, 1, 1, NULL, NULL);
INSERT INTO batch VALUES ('0000000000008', 0, 1, '[["0","p0@example.com"]]');
INSERT INTO fingerprint VALUES ('0000000000008', 0, x'b033084d');
INSERT INTO progress VALUES ('0000000000008', 0, 0, 0, 0, 1, 'p', '0', NULL, 0, 0);
INSERT INTO counter VALUES ('0000000000008', 'planned', 1);
INSERT INTO mailing (id, name, channel, definition, source, origin, state, reason, created, started, planned, finished, planned_count,
    excluded_count, next_batch, rows_read, planning_done, speed, start) VALUES ('0000000000009', 'old', 'email',
    '{"attempts":5,"batchSize":500,"body":{"file":"","line":1,"source":""},"channel":"email","fields":["id","email"],"from":"a@example.com","html":{"file":"","line":1,"source":""},"lifetime":86400,"name":"old","nestedFields":[],"provider":"relay","replyTo":"","speed":"7/s","subject":{"file":"m.yaml","line":5,"source":"hi"},"text":{"file":"m.yaml","line":6,"source":"hello {{id}}"},"uncertain":"redeliver"}',
    NULL, '', 'scheduled', '', 1700000000000, NULL, NULL, NULL, 0, 0, 0, 0, 0, NULL, 1900000000000);
INSERT INTO mailing (id, name, channel, definition, source, origin, state, reason, created, started, planned, finished, planned_count,
    excluded_count, next_batch, rows_read, planning_done, speed, start) VALUES ('0000000000010', 'old', 'email',
    '{"attempts":5,"batchSize":500,"body":{"file":"","line":1,"source":""},"channel":"email","fields":["id","email"],"from":"a@example.com","html":{"file":"","line":1,"source":""},"lifetime":86400,"name":"old","nestedFields":[],"provider":"relay","replyTo":"","speed":"7/s","subject":{"file":"m.yaml","line":5,"source":"hi"},"text":{"file":"m.yaml","line":6,"source":"hello {{id}}"},"uncertain":"redeliver"}',
    NULL, '', 'sent', '', 1700000000000, 1700000000000, 1700000000000, 1700000009000, 1, 0, 1, 1, 1, NULL, NULL);
INSERT INTO batch VALUES ('0000000000010', 0, 1, '[["0","p0@example.com"]]');
INSERT INTO fingerprint VALUES ('0000000000010', 0, x'b033084d');
INSERT INTO progress VALUES ('0000000000010', 0, 1, 0, NULL, 0, 's', '1', NULL, 0, 0);
INSERT INTO counter VALUES ('0000000000010', 'planned', 0);
INSERT INTO counter VALUES ('0000000000010', 'sent', 1);
INSERT INTO timeline VALUES ('0000000000010', 1700000001, 1, 0, 0);
