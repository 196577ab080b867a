/// The 44th migration: rounds that operators opened.
extension Schema {
    static let rounds = """
        -- A round of a mailing after the first, which begins with the plan: an operator had the message sent again to some who had failed.
        -- reasons: for which ones, in words; recipients: to how many; states: what they came to, as JSON, where the mailing is pruned.
        CREATE TABLE mailing_round (
            mailing TEXT NOT NULL,
            number INTEGER NOT NULL,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            reasons TEXT NOT NULL,
            recipients INTEGER NOT NULL,
            states TEXT,
            PRIMARY KEY (mailing, number)
        ) STRICT, WITHOUT ROWID;

        -- A recipient of such a round. dispatch: the last dispatch of the batch before it; state: what the recipient had come to, as a
        -- packed state has it; bounced: the message had come back.
        CREATE TABLE retried (
            mailing TEXT NOT NULL,
            batch INTEGER NOT NULL,
            idx INTEGER NOT NULL,
            round INTEGER NOT NULL,
            at INTEGER NOT NULL,
            dispatch INTEGER NOT NULL,
            state TEXT NOT NULL,
            bounced INTEGER NOT NULL,
            PRIMARY KEY (mailing, batch, idx, round)
        ) STRICT, WITHOUT ROWID;
        """
}
