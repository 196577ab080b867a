/// The 13th migration: of which mailings a restored copy may lack results.
extension Schema {
    static let restored = """
        -- 1 for a mailing of a copy that was put in the place of a ledger, until it is settled who may have been sent to since. One that is
        -- added afterwards cannot have been sent by another planner.
        ALTER TABLE mailing ADD COLUMN restored INTEGER NOT NULL DEFAULT 0;
        UPDATE mailing SET restored = 1 WHERE (SELECT restored FROM ledger) IS NOT NULL;
        """
}
