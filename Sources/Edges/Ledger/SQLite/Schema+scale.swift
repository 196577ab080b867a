/// The 25th migration: a short name for each mailing, and where a ledger is that has outgrown its file.
extension Schema {
    static let scale = """
        -- A mailing's number, for what has no room for its id, as tokens in links have not. None is given twice.
        ALTER TABLE mailing ADD COLUMN number INTEGER;
        UPDATE mailing SET number = counted.place
            FROM (SELECT id AS counted_id, row_number() OVER (ORDER BY created, id) AS place FROM mailing) AS counted
            WHERE counted.counted_id = mailing.id;
        CREATE UNIQUE INDEX mailing_number ON mailing (number);
        CREATE TRIGGER mailing_numbered AFTER INSERT ON mailing WHEN NEW.number IS NULL BEGIN
            UPDATE mailing SET number = (SELECT coalesce(max(number), 0) + 1 FROM mailing) WHERE id = NEW.id;
        END;

        -- The server's ledger that has everything now, and since when, in milliseconds since 1970; empty while this file is the ledger.
        ALTER TABLE ledger ADD COLUMN moved_to TEXT NOT NULL DEFAULT '';
        ALTER TABLE ledger ADD COLUMN moved INTEGER;
        """
}
