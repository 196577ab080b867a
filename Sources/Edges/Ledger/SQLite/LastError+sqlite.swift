import GRDB
import Model

extension LastError {
    static func load(_ db: Database, _ id: BatchID, _ index: Int) throws -> LastError? {
        let cursor = try Row.fetchCursor(
            db.cachedStatement(
                sql: "SELECT at, due, attempts, failure FROM recipient_error WHERE mailing = ? AND batch = ? AND idx = ?"),
            arguments: [id.mailing.description, id.number, index])
        return try cursor.next().map { try LastError(at: $0.read(0), due: $0.read(1), attempts: $0.read(2), failure: $0.read(3)) }
    }

    static func failure(_ db: Database, _ id: BatchID, _ index: Int) throws -> Int64? {
        try load(db, id, index)?.failure
    }

    func store(_ db: Database, _ id: BatchID, _ index: Int) throws {
        try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO recipient_error (mailing, batch, idx, at, due, attempts, failure, held)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [id.mailing.description, id.number, index, at, due, attempts, failure, held])
    }

    static func remove(_ db: Database, _ id: BatchID, _ index: Int) throws {
        try db.cachedStatement(sql: "DELETE FROM recipient_error WHERE mailing = ? AND batch = ? AND idx = ?")
            .execute(arguments: [id.mailing.description, id.number, index])
    }

    /// Nobody of the batch waits any longer; the last responses stay.
    static func settle(_ db: Database, _ id: BatchID) throws {
        try db.cachedStatement(sql: "UPDATE recipient_error SET due = 0, held = 0 WHERE mailing = ? AND batch = ? AND due > 0")
            .execute(arguments: [id.mailing.description, id.number])
    }

    static func removeWaiting(_ db: Database, _ id: BatchID) throws {
        try db.cachedStatement(sql: "DELETE FROM recipient_error WHERE mailing = ? AND batch = ? AND due > 0")
            .execute(arguments: [id.mailing.description, id.number])
    }
}
