extension Schema {
    /// The index of mailings that wait for their planning, by the expression that the statements of both engines have.
    static let waiting = """
        DROP INDEX mailing_waiting;
        CREATE INDEX mailing_waiting ON mailing (CASE WHEN state = 'collecting' THEN 0 ELSE coalesce(start, created) END, id)
            WHERE state IN ('scheduled', 'collecting');
        """
}
