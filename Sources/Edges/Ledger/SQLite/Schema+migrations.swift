extension Schema {
    /// What the dispatcher and the planner ask for, in columns of its own and in indexes without the mailings that have ended.
    static let work = """
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

    /// The terms of docs/glossary.md, and columns in place of prefixes of texts.
    static let words = """
        DROP VIEW IF EXISTS delivery;
        DROP VIEW IF EXISTS attempt;
        DROP VIEW IF EXISTS doubt;
        DROP VIEW IF EXISTS answer;

        ALTER TABLE progress RENAME COLUMN generation TO dispatch;
        ALTER TABLE progress RENAME COLUMN fed TO dispatched;
        ALTER TABLE result RENAME COLUMN generation TO dispatch;
        ALTER TABLE uncertain RENAME COLUMN generation TO dispatch;
        ALTER TABLE setback RENAME TO recipient_error;
        ALTER TABLE duty RENAME TO leadership;
        ALTER TABLE leadership RENAME COLUMN fence TO fencing_token;

        -- The provider that the attempts of the group went to; empty where it is not known.
        ALTER TABLE result ADD COLUMN provider TEXT NOT NULL DEFAULT '';

        -- What an answer is: of the provider; domain_limit (not tried, because the domain's limit left no room); lifetime (it was over
        -- before the first attempt); person (settled by hand); none (nobody answered).
        ALTER TABLE failure ADD COLUMN origin TEXT NOT NULL DEFAULT 'provider';
        UPDATE failure SET origin = CASE
            WHEN class = 'domain_throttled' AND code = 0 THEN 'domain_limit'
            WHEN class <> 'none' THEN 'provider'
            WHEN text = 'the lifetime was over before the first attempt' THEN 'lifetime'
            WHEN text = 'settled by hand' THEN 'person'
            ELSE 'none' END;

        -- Why it is paused or stopped, or has failed: reason_kind is person, provider_refused, late, input or empty, actor the person.
        ALTER TABLE mailing ADD COLUMN reason_kind TEXT NOT NULL DEFAULT '';
        ALTER TABLE mailing ADD COLUMN actor TEXT NOT NULL DEFAULT '';
        -- Since when, in milliseconds since 1970, a mailing that is sending gets no further, and why that is worth a look.
        ALTER TABLE mailing ADD COLUMN stuck_since INTEGER;
        ALTER TABLE mailing ADD COLUMN stuck_reason TEXT NOT NULL DEFAULT '';
        UPDATE mailing SET reason_kind = 'person', actor = substr(reason, 11), reason = ''
            WHERE state = 'paused' AND substr(reason, 1, 10) = 'paused by ';
        UPDATE mailing SET reason_kind = 'person', actor = substr(reason, 12), reason = ''
            WHERE state = 'stopped' AND substr(reason, 1, 11) = 'stopped by ';
        UPDATE mailing SET reason_kind = iif(started IS NULL, 'late', 'provider_refused')
            WHERE state = 'paused' AND reason_kind = '' AND reason <> '';
        UPDATE mailing SET reason_kind = 'input' WHERE state = 'failed';
        UPDATE mailing SET stuck_since = 1000 * CAST(strftime('%s', 'now') AS INTEGER), reason = '',
                stuck_reason = iif(substr(reason, 1, 7) = 'stuck: ', substr(reason, 8), reason)
            WHERE state = 'sending' AND reason <> '';
        """
}
