import Model

extension SQLLedger {
    /// A row of the list of those whom a message may have reached that no response tells of.
    struct UncertainEntry {
        var dispatchNumber: Int
        /// Who reported it; empty where the dispatcher did.
        var worker: String
        /// When, in milliseconds since 1970.
        var at: Int64
        var why: String
        /// It waits for a person; otherwise the message is sent again.
        var isHeld: Bool
        /// How the response was missed, where one was waited for.
        var missed: MissedResponse?

        /// Puts a recipient on the list. Of several reports in one dispatch the first holds, whichever is written first.
        /// - Returns: whether the recipient is held and nobody has decided on it, in this dispatch or a later one.
        func store(_ db: any SQLTransaction, _ id: BatchID, _ index: Int) throws -> Bool {
            let mailing = id.mailing.description
            try db.run(
                """
                INSERT INTO uncertain (mailing, batch, idx, dispatch, held, worker, at, why, missed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (mailing, batch, idx, dispatch, held) DO UPDATE SET worker = excluded.worker, at = excluded.at,
                    why = excluded.why, missed = excluded.missed
                    WHERE excluded.at < uncertain.at
                """, [mailing, id.number, index, dispatchNumber, isHeld, worker, at, why, missed?.rawValue ?? 0])
            guard isHeld else { return false }
            return try db.one(
                Bool.self,
                """
                SELECT NOT EXISTS (
                    SELECT 1 FROM uncertain
                    WHERE mailing = ? AND batch = ? AND idx = ? AND dispatch >= ? AND settled_at IS NOT NULL)
                """, [mailing, id.number, index, dispatchNumber]) == true
        }
    }
}
