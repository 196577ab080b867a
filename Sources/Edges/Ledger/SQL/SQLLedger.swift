import Metrics
package import Model
import Synchronization

/// A ledger in a SQL database: the statements and rules that all engines share.
package final class SQLLedger: Sendable {
    let engine: any LedgerEngine
    private let timers = Mutex<[String: Metrics.Timer]>([:])
    /// By mailing, a batch before which none waits for its first dispatch, as far as this process has looked.
    let cursors = Mutex<[MailingID: Int]>([:])
    /// The fencing token that writes of the plan and the dispatch must have; nil for none.
    let planningFence = Mutex<Int64?>(nil)

    init(_ engine: any LedgerEngine) { self.engine = engine }

    /// What the ledger is called in errors.
    package var path: String { engine.name }

    /// Why the last write failed, where the database was the cause; nil otherwise.
    package var problem: LedgerError? { engine.problem }

    package func checkFile() throws(LedgerError) { try engine.check() }

    /// Closes the database, after what is under way.
    package func close() throws(LedgerError) { try engine.close() }

    /// Runs `body` in one transaction of its own.
    /// - Parameter operation: its name in the metric and in errors.
    func write<T: Sendable>(
        _ operation: String, _ order: WriteOrder = .alone, _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws(LedgerError) -> T {
        let start = ContinuousClock.now
        defer { timer(operation).record(duration: ContinuousClock.now - start) }
        return try await engine.transact(operation, order) { db in
            let value = try body(db)
            try db.outbox.store(db)
            return value
        }
    }

    /// Runs `body` on one unchanging view of the ledger.
    func read<T: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws(LedgerError) -> T {
        try await engine.view(operation, body)
    }

    private func timer(_ operation: String) -> Metrics.Timer {
        timers.withLock { timers in
            if let timer = timers[operation] { return timer }
            let timer = Metrics.Timer(label: "flotilla_ledger_write_seconds", dimensions: [("operation", operation)])
            timers[operation] = timer
            return timer
        }
    }
}

extension SQLLedger: ChangeSource {
    package func wake(_ signal: WakeSignal) -> ChangeSubscription { engine.wake(signal) }
}
