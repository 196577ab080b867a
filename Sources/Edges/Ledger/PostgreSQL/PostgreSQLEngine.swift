import Dispatch
import Logging
import Model
import Synchronization

/// A ledger in a PostgreSQL database, which any number of processes on any machine may share. Every write is one transaction, which is on
/// the server's disk when the call returns.
final class PostgreSQLEngine: LedgerEngine {
    let name: String
    private let pool: PostgreSQLPool
    private let url: String
    let logger: Logger
    private let trouble = Mutex<LedgerError?>(nil)
    private let schema: String?
    /// Since when the server cannot be reached; nil while it can.
    private let lost = Mutex<ContinuousClock.Instant?>(nil)
    /// The months that have parts of their own, as far as this process has looked.
    let months = Mutex<[PostgreSQLPartitions.Month]>([])
    /// Those who wait for commits.
    private let changes = ChangeNotifier()
    /// Tells of commits by other processes, from the first subscription on.
    private let listener = Mutex<PostgreSQLListener?>(nil)

    init(url: String, name: String, sessions: Int, options: PostgreSQLSession.Options, logger: Logger) {
        (self.url, self.name, self.schema, self.logger) = (url, name, options.schema, logger)
        var options = options
        options.notesMoves = true
        pool = PostgreSQLPool((0..<sessions).map { PostgreSQLSession(url: url, name: name, number: $0, options: options) })
    }

    deinit { endListening() }

    func transact<T: Sendable>(
        _ operation: String, _ order: WriteOrder, _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws(LedgerError) -> T {
        let result = await pool.run(operation, order) { db in
            let value = try body(db)
            return (value, (db as? PostgreSQLTransaction)?.isWriting ?? true)
        }
        note(result)
        switch result {
        case .success(let (value, isWriting)):
            trouble.withLock { $0 = nil }
            if isWriting {
                changes.notify()
                listener.withLock { $0 }?.tell()
            }
            return value
        case .failure(let error):
            switch error {
            case .refused, .leadershipLost: break
            default: trouble.withLock { $0 = error }
            }
            throw error
        }
    }

    func view<T: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws(LedgerError) -> T {
        let result = await pool.run(operation, nil, body)
        note(result)
        return try result.get()
    }

    /// Says when the server is back: those who could not reach it have said that.
    private func note<T>(_ result: Result<T, LedgerError>) {
        if case .failure(.unreachable) = result { return lost.withLock { $0 = $0 ?? .now } }
        guard case .success = result, let since = lost.withLock({ $0.take() }) else { return }
        logger.notice("the ledger \(name) is back after \((ContinuousClock.now - since).components.seconds) s")
    }

    /// A server is where its address says.
    func check() throws(LedgerError) {}

    var problem: LedgerError? { trouble.withLock { $0 } }

    func wake(_ signal: WakeSignal) -> ChangeSubscription {
        let subscription = changes.add(signal)
        listener.withLock { [changes, url, schema, logger] listener in
            if listener == nil { listener = PostgreSQLListener(url: url, schema: schema, logger: logger) { changes.notify() } }
        }
        return subscription
    }

    func close() throws(LedgerError) {
        endListening()
        pool.close()
    }

    private func endListening() {
        let listener = listener.withLock { $0.take() }
        listener?.end()
    }
}
