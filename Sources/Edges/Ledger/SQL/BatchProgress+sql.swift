import Foundation
import Model

extension BatchProgress {
    /// The batch's progress; nil when the ledger has no such batch.
    static func load(_ db: any SQLTransaction, _ id: BatchID) throws -> BatchProgress? { try loadAll(db, [id])[0] }

    /// The progress of several batches, which are locked in this order.
    static func loadAll(_ db: any SQLTransaction, _ ids: [BatchID]) throws -> [BatchProgress?] {
        try db.firstRows(
            """
            SELECT dispatch, dispatched, states, attempts, awaited, done, released
            FROM progress WHERE mailing = ? AND number = ?\(db.locking)
            """, ids.map { [$0.mailing.description, $0.number] }
        ) { row, place in try read(row, ids[place]) }
    }

    private static func read(_ row: any SQLRow, _ id: BatchID) throws -> BatchProgress {
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
            throw SQLDamage("the progress of batch \(id) does not fit together")
        }
        return progress
    }

    private static func bytes(_ row: any SQLRow, _ column: Int) throws -> [UInt8] {
        try row.read(column) as [UInt8]
    }

    /// Stores the batch's progress.
    func store(_ db: any SQLTransaction, _ id: BatchID) throws { try Self.storeAll(db, [(id, self)]) }

    /// Stores the progress of several batches.
    static func storeAll(_ db: any SQLTransaction, _ batches: [(id: BatchID, progress: BatchProgress)]) throws {
        let rows = try batches.map { try $0.progress.row(db, $0.id) }
        try db.runAll(
            """
            UPDATE progress SET dispatch = ?, dispatched = ?, ready = ?, open = ?, states = ?, attempts = ?, awaited = ?,
                done = ?, released = ?
            WHERE mailing = ? AND number = ?
            """, rows)
    }

    private func row(_ db: any SQLTransaction, _ id: BatchID) throws -> [any SQLConvertible] {
        var due: Int64?
        if !isDispatched, count(of: .deferred) > 0 {
            due = try db.one(
                Int64.self, "SELECT min(\(LastError.gathering)) FROM recipient_error WHERE mailing = ? AND batch = ? AND due > 0",
                [id.mailing.description, id.number])
        }
        return [
            dispatchNumber, dispatched, ready(due: due), open, String(decoding: states, as: UTF8.self),
            String(decoding: attempts, as: UTF8.self), isDispatched ? awaited : nil, isDone, released,
            id.mailing.description, id.number,
        ]
    }
}
