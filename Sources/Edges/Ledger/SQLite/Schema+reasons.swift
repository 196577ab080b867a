extension Schema {
    /// Reasons in place of response classes, and recipients who wait because their refusal may be everybody's.
    static let reasons = """
        -- Why one waits who was refused: 1 before anybody of the mailing was accepted, 2 because the refusal speaks of us; else 0.
        ALTER TABLE recipient_error ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX recipient_error_held ON recipient_error (mailing, failure) WHERE held = 1;

        -- The class of a failure is the reason of the response. Where two of one mailing would become the same, the second keeps its name,
        -- which is read all the same.
        UPDATE OR IGNORE failure SET class = CASE class
            WHEN 'bad_recipient' THEN 'unknown_user' WHEN 'rejected' THEN 'policy' WHEN 'misconfigured' THEN 'set_up'
            WHEN 'unreachable' THEN 'network' WHEN 'throttled' THEN 'rate' WHEN 'domain_throttled' THEN 'rate'
            WHEN 'temporary' THEN 'unknown' ELSE class END;
        """
}
