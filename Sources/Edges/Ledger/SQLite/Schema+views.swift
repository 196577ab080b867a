extension Schema {
    /// For people with a SQL shell; the code reads the tables. The last two keep their old names and columns.
    static let views = """
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
            r.dispatch AS generation, r.worker, r.dispatch, r.provider
        FROM result r, json_each(r.data) a;

        CREATE VIEW uncertain_delivery AS
        SELECT u.mailing, u.batch, u.idx, b.recipients ->> ('$[' || u.idx || '][0]') AS recipient,
            b.recipients ->> ('$[' || u.idx || '][1]') AS address,
            CASE substr(p.states, u.idx + 1, 1) \(stateNames) END AS state,
            strftime('%Y-%m-%d %H:%M:%f', u.at / 1000.0, 'unixepoch') AS since, u.why, u.held,
            strftime('%Y-%m-%d %H:%M:%f', u.settled_at / 1000.0, 'unixepoch') AS settled, u.outcome, u.dispatch, u.worker
        FROM uncertain u
            JOIN batch b ON b.mailing = u.mailing AND b.number = u.batch
            JOIN progress p ON p.mailing = u.mailing AND p.number = u.batch;

        CREATE VIEW last_error AS
        SELECT e.mailing, e.batch, e.idx, b.recipients ->> ('$[' || e.idx || '][0]') AS recipient,
            b.recipients ->> ('$[' || e.idx || '][1]') AS address,
            CASE substr(p.states, e.idx + 1, 1) \(stateNames) END AS state, e.attempts,
            strftime('%Y-%m-%d %H:%M:%f', e.at / 1000.0, 'unixepoch') AS at,
            iif(e.due > 0, strftime('%Y-%m-%d %H:%M:%f', e.due / 1000.0, 'unixepoch'), NULL) AS due,
            f.class, f.code, f.text, f.origin
        FROM recipient_error e
            JOIN failure f ON f.id = e.failure
            JOIN batch b ON b.mailing = e.mailing AND b.number = e.batch
            JOIN progress p ON p.mailing = e.mailing AND p.number = e.batch;

        CREATE VIEW doubt AS
        SELECT mailing, batch, idx, recipient, address, state, since, why, held, settled, outcome FROM uncertain_delivery;

        CREATE VIEW answer AS
        SELECT mailing, batch, idx, recipient, address, state, attempts, at, due, class, code, text FROM last_error;
        """

    private static let stateNames = """
        WHEN 'p' THEN 'planned' WHEN 'd' THEN 'deferred' WHEN 'u' THEN 'uncertain' WHEN 'x' THEN 'stopped' WHEN 'k' THEN 'skipped' \
        WHEN 'e' THEN 'expired' WHEN 'f' THEN 'failed' WHEN 's' THEN 'sent' WHEN 'v' THEN 'delivered'
        """
}
