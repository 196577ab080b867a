extension Schema {
    /// The index of mailings that wait for their planning. Its expression is the same as in the statements of both engines.
    static let waiting = """
        DROP INDEX mailing_waiting;
        CREATE INDEX mailing_waiting ON mailing (CASE WHEN state = 'collecting' THEN 0 ELSE coalesce(start, created) END, id)
            WHERE state IN ('scheduled', 'collecting');
        """
}
