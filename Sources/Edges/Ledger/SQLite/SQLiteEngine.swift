import GRDB
import Logging
import Model
import Synchronization

/// A ledger in one SQLite file (WAL), which several processes may have open at once. Every write is one transaction,
/// which is on the disk when the call returns (synchronous=FULL), and which is finished even when its task is cancelled.
final class SQLiteEngine: LedgerEngine {
    let file: SQLiteFile
    let pool: DatabasePool
    let logger: Logger
    private let trouble = Mutex<LedgerError?>(nil)
    /// Those who wait for commits.
    private let changes = ChangeNotifier()
    /// Tells of commits by other processes, from the first subscription on.
    private let watcher = Mutex<CommitWatcher?>(nil)

    init(_ file: SQLiteFile, _ pool: DatabasePool, logger: Logger) {
        self.file = file
        self.pool = pool
        self.logger = logger
    }

    /// A file whose log was replaced stays open until the process ends: at closing SQLite would write its log over the new file.
    deinit {
        if file.hasLostLog { _ = Unmanaged.passRetained(pool) }
    }

    var name: String { file.path }

    var notes: LedgerNotes? { LedgerNotes(ledger: file.path) }

    func transact<T: Sendable>(
        _ operation: String, _ order: WriteOrder, _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws(LedgerError) -> T {
        // GRDB's own `async` writes stop when their task is cancelled; results must not be lost that way.
        let result: Result<T, LedgerError> = await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { [self] db in
                let before = db.totalChangesCount
                let result = commit(db, operation, body)
                continuation.resume(returning: result)
                if result.failure == nil, db.totalChangesCount != before { changes.notify() }
                file.boundLog(db)
            }
        }
        note(result.failure)
        return try result.get()
    }

    func view<T: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws(LedgerError) -> T {
        let result: Result<T, LedgerError> = await withCheckedContinuation { continuation in
            pool.asyncRead { [self] db in
                continuation.resume(
                    returning: LedgerError.result(path: name, operation: operation) {
                        try file.check()
                        return try body(SQLiteTransaction(db.get()))
                    })
            }
        }
        if case .replaced = result.failure { note(result.failure) }
        return try result.get()
    }

    private func commit<T>(
        _ db: Database, _ operation: String, _ body: (any SQLTransaction) throws -> T
    ) -> Result<T, LedgerError> {
        LedgerError.result(path: name, operation: operation) {
            try file.check()
            var value: T?
            try db.inTransaction(.immediate) {
                // It may have been moved to a server since it was opened.
                try SQLLedger.requireHere(db, name)
                let transaction = SQLiteTransaction(db)
                try file.noteOlderCopy(transaction)
                value = try body(transaction)
                return .commit
            }
            guard let value else { throw LedgerError.failed(path: name, operation: operation, detail: "no commit") }
            return value
        }
    }

    /// What was overwritten stays in the write-ahead log until that is begun anew. Where a reader keeps it, a later checkpoint does that.
    func dropOverwritten() async {
        await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { [self] db in
                try? file.emptyLog(db)
                continuation.resume()
            }
        }
    }

    /// Refuses a file that is not the ledger any more: what is written to it would be lost.
    func check() throws(LedgerError) { try file.check() }

    var problem: LedgerError? { trouble.withLock { $0 } }

    private func note(_ failure: LedgerError?) {
        switch failure {
        case .refused, .leadershipLost: break
        default: trouble.withLock { $0 = failure }
        }
    }

    func wake(_ signal: WakeSignal) -> ChangeSubscription {
        let subscription = changes.add(signal)
        watcher.withLock { [changes, name, logger] watcher in
            guard watcher == nil else { return }
            watcher = CommitWatcher(path: name, logger: logger) { changes.notify() }
        }
        return subscription
    }

    func close() throws(LedgerError) {
        let watcher = watcher.withLock { $0.take() }
        watcher?.end()
        let isOurs = (try? check()) != nil
        guard !file.hasLostLog else { return }
        try LedgerError.mapping(path: name, operation: "closing") { try pool.close() }
        // SQLite makes a file that is not there and deletes its log, and it writes a log into whatever file is there.
        if isOurs { file.emptyLog() }
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
