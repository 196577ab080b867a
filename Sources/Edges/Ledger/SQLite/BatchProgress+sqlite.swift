import Foundation
import GRDB
import Model

extension BatchProgress {
    /// The batch's progress; nil when the ledger has no such batch.
    static func load(_ db: Database, _ id: BatchID) throws -> BatchProgress? {
        let cursor = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT dispatch, dispatched, states, attempts, awaited, done, released
                    FROM progress WHERE mailing = ? AND number = ?
                    """),
            arguments: [id.mailing.description, id.number])
        guard let row = try cursor.next() else { return nil }
        var progress = try BatchProgress(states: bytes(row, 2), attempts: bytes(row, 3))
        progress.dispatchNumber = try row.read(0)
        progress.dispatched = try row.read(1)
        progress.awaited = try bytes(row, 4)
        progress.isDone = try row.read(5)
        progress.released = try row.read(6)
        let needed = progress.isDispatched ? (progress.states.count + 7) / 8 : 0
        guard progress.attempts.count == progress.states.count, progress.awaited.count == needed,
            progress.states.allSatisfy({ StateCode.state($0) != nil }), progress.attempts.allSatisfy(BatchProgress.attemptsCodes.contains),
            WireLimit.count.contains(Int64(progress.dispatchNumber)),
            WireLimit.count.contains(Int64(progress.released)), WireLimit.time.contains(progress.dispatched)
        else {
            throw DatabaseError(
                resultCode: .SQLITE_CORRUPT, message: "the progress of batch \(id) does not fit together")
        }
        return progress
    }

    private static func bytes(_ row: Row, _ column: Int) throws -> [UInt8] {
        try row.withUnsafeData(atIndex: column) { $0.map { [UInt8]($0) } ?? [] }
    }

    /// Stores the batch's progress.
    func store(_ db: Database, _ id: BatchID) throws {
        var due: Int64?
        if !isDispatched, count(of: .deferred) > 0 {
            due = try Int64.fetchOne(
                db.cachedStatement(
                    sql: "SELECT min(\(LastError.gathering)) FROM recipient_error WHERE mailing = ? AND batch = ? AND due > 0"),
                arguments: [id.mailing.description, id.number])
        }
        try db.cachedStatement(
            sql: """
                UPDATE progress SET dispatch = ?, dispatched = ?, ready = ?, open = ?, states = ?, attempts = ?, awaited = ?,
                    done = ?, released = ?
                WHERE mailing = ? AND number = ?
                """
        ).execute(arguments: [
            dispatchNumber, dispatched, ready(due: due), open, String(decoding: states, as: UTF8.self),
            String(decoding: attempts, as: UTF8.self), isDispatched ? Data(awaited) : nil, isDone, released,
            id.mailing.description, id.number,
        ])
    }
}
