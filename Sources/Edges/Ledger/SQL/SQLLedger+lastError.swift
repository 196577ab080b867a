import Model

extension LastError {
    /// When a batch is dispatched again for the sake of a recipient: an eighth of the wait later than it is due, a minute at most, so
    /// that others who are due by then come with it.
    static let gathering = "due + CASE WHEN (due - at) / 8 < 60000 THEN (due - at) / 8 ELSE 60000 END"

    static func load(_ db: any SQLTransaction, _ id: BatchID, _ index: Int) throws -> LastError? {
        let cursor = try db.rows(
            "SELECT at, due, attempts, failure FROM recipient_error WHERE mailing = ? AND batch = ? AND idx = ?",
            [id.mailing.description, id.number, index])
        return try cursor.next().map { try LastError(at: $0.read(0), due: $0.read(1), attempts: $0.read(2), failure: $0.read(3)) }
    }

    static func failure(_ db: any SQLTransaction, _ id: BatchID, _ index: Int) throws -> Int64? {
        try load(db, id, index)?.failure
    }

    func store(_ db: any SQLTransaction, _ id: BatchID, _ index: Int) throws {
        try db.run(
            """
            INSERT INTO recipient_error (mailing, batch, idx, at, due, attempts, failure, held)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (mailing, batch, idx) DO UPDATE SET at = excluded.at, due = excluded.due, attempts = excluded.attempts,
                failure = excluded.failure, held = excluded.held
            """, [id.mailing.description, id.number, index, at, due, attempts, failure, held])
    }

    static func remove(_ db: any SQLTransaction, _ id: BatchID, _ index: Int) throws {
        try db.run(
            "DELETE FROM recipient_error WHERE mailing = ? AND batch = ? AND idx = ?", [id.mailing.description, id.number, index])
    }

    /// No recipient of the batch waits any longer. The last responses stay.
    static func settle(_ db: any SQLTransaction, _ id: BatchID) throws {
        try db.run(
            "UPDATE recipient_error SET due = 0, held = 0 WHERE mailing = ? AND batch = ? AND due > 0",
            [id.mailing.description, id.number])
    }

    static func removeWaiting(_ db: any SQLTransaction, _ id: BatchID) throws {
        try db.run("DELETE FROM recipient_error WHERE mailing = ? AND batch = ? AND due > 0", [id.mailing.description, id.number])
    }
}
