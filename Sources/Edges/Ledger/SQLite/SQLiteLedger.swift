import Dispatch
import Foundation
import GRDB
package import Logging
import Metrics
import Model
import Synchronization
import Text

/// A ledger in one SQLite file (WAL), which several processes may have open at once. Every write is one transaction,
/// which is on the disk when the call returns (synchronous=FULL), and which is finished even when its task is cancelled.
package final class SQLiteLedger: Sendable {
    /// What tests, and unusual machines, may change.
    package struct Options: Sendable {
        /// How long a write waits for another process, in seconds.
        package var busySeconds = 10.0
        /// The size of the write-ahead log, in bytes, above which it is emptied into the database.
        package var walLimit = 64 << 20
        /// The size, in pages, at which the database counts as full; nil for what the disk holds.
        package var maximumPages: Int?
        /// How often it is looked, at most, whether another program has written into the database's file.
        package var overwriteLook = Duration.milliseconds(500)

        package init() {}
    }

    package let path: String
    /// The files that are open, by what follows the path.
    private let files: [String: FileStatus.Identity]
    private let overwriting: OverwriteWatch
    let pool: DatabasePool
    let logger: Logger
    private let options: Options
    private let timers = Mutex<[String: Metrics.Timer]>([:])
    /// The size of the write-ahead log at the last attempt to empty it.
    private let walSize = Mutex(0)
    /// The fencingToken that writes of the plan and the dispatch must have; nil for none.
    private let trouble = Mutex<LedgerError?>(nil)
    let planningFence = Mutex<Int64?>(nil)
    /// Those who wait for commits.
    let changes = ChangeNotifier()
    /// Tells of commits by other processes, from the first subscription on.
    let watcher = Mutex<CommitWatcher?>(nil)

    /// Opens a ledger, and makes or migrates it where needed.
    /// - Parameter mustExist: where there is none, none is made.
    /// - Throws: `LedgerError`: `missing`, `newer`, `foreign`, `notADatabase`, `unwritable`, `full`, `busy`, `corrupt`.
    package static func open(
        _ path: String, mustExist: Bool = false, logger: Logger, options: Options = Options()
    ) throws(LedgerError) -> SQLiteLedger {
        if mustExist, isMissing(path) { throw .missing(path: path) }
        // SQLite puts its log beside the file that a link leads to.
        let path = RealPath.of(path)
        let deadline = ContinuousClock.now + .seconds(options.busySeconds)
        // SQLite gives the log and the shared memory the rights of the database.
        if !mustExist { PrivateFile.create(path) }
        while true {
            do throws(LedgerError) {
                return try LedgerError.mapping(path: path, operation: "opening") {
                    let pool = try DatabasePool(path: path, configuration: configuration(options))
                    try migrate(pool, path: path, mustExist: mustExist, logger)
                    try pool.read { try requireHere($0, path) }
                    // What Redis was told to forget must outlive a power failure, or people would get a message twice.
                    try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
                    // Not before it is known to be a ledger: another file's rights are not ours to take.
                    tighten(path, logger)
                    return SQLiteLedger(path: path, pool: pool, logger: logger, options: options)
                }
            } catch {
                // SQLite does not wait, whatever its time-out, while another process turns the write-ahead log on or takes it away.
                guard case .busy = error, ContinuousClock.now < deadline else { throw error }
                usleep(20_000)
            }
        }
    }

    /// There is no file, or an empty one, which whoever makes a ledger begins with.
    package static func isMissing(_ path: String) -> Bool { FileStatus(path: path).map { $0.kind == .regular && $0.size == 0 } ?? true }

    /// Ledgers of earlier versions had the rights of the umask.
    private static func tighten(_ path: String, _ logger: Logger) {
        for suffix in endings {
            guard let before = PrivateFile.tighten(path + suffix) else { continue }
            logger.notice(
                "the ledger's file \(path + suffix) had the rights \(PrivateFile.text(before)), and holds addresses; it has 0600 now")
        }
    }

    private init(path: String, pool: DatabasePool, logger: Logger, options: Options) {
        self.path = path
        files = Dictionary(
            uniqueKeysWithValues: Self.endings.compactMap { end in FileStatus(path: path + end).map { (end, $0.identity) } })
        overwriting = OverwriteWatch(path: path, pause: options.overwriteLook)
        self.pool = pool
        self.logger = logger
        self.options = options
    }

    /// The database, its write-ahead log and its shared memory.
    private static let endings = ["", "-wal", "-shm"]

    /// Closes the file, after what is under way. One that has lost its log stays open until the process ends: SQLite would write that log
    /// into it, over what somebody put there.
    package func close() throws(LedgerError) {
        endWatching()
        let isOurs = (try? checkFile()) != nil
        guard !hasLostLog else { return }
        try LedgerError.mapping(path: path, operation: "closing") { try pool.close() }
        // SQLite makes a file that is not there and deletes its log, and it writes a log into whatever file is there.
        if isOurs { emptyLog() }
    }

    /// The last connection empties the write-ahead log into the file. A reader's does not, and the pool closes those last. Where somebody
    /// else opens or closes the file at this moment, they do it.
    private func emptyLog() {
        guard FileStatus(path: path)?.identity == files[""], FileStatus(path: path + "-wal")?.identity == files["-wal"],
            files["-wal"] != nil, let last = try? DatabaseQueue(path: path)
        else { return }
        _ = try? last.inDatabase { try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_schema") }
        try? last.close()
    }

    deinit {
        if hasLostLog { _ = Unmanaged.passRetained(pool) }
    }

    private var hasLostLog: Bool {
        guard let found = FileStatus(path: path), found.identity == files[""] else { return false }
        return files.contains { FileStatus(path: path + $0.key)?.identity != $0.value }
    }

    private static func configuration(_ options: Options) -> Configuration {
        var configuration = Configuration()
        configuration.label = "ledger"
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(options.busySeconds)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { db in
            guard !db.configuration.readonly else { return }
            // Of a new file only; twice SQLite's 4 KB, as measured in docs/ledger.md.
            try db.execute(sql: "PRAGMA page_size = 8192")
            try db.execute(sql: "PRAGMA cache_size = -16000")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 2000")
            try db.execute(sql: "PRAGMA journal_size_limit = \(options.walLimit)")
            if let pages = options.maximumPages { try db.execute(sql: "PRAGMA max_page_count = \(pages)") }
        }
        return configuration
    }

    /// - Throws: `LedgerError.refused` for a library that lacks what the tables and queries need.
    static func check(sqlite version: String) throws(LedgerError) {
        guard let found = VersionNumber(version), found < .oldestSQLite else { return }
        throw .refused(
            "this machine's SQLite has version \(found), and \(VersionNumber.oldestSQLite) or later is needed: upgrade libsqlite3")
    }

    private static func migrate(_ pool: DatabasePool, path: String, mustExist: Bool, _ logger: Logger) throws {
        let migrator = Schema.migrator
        let (found, isComplete) = try pool.read { db in
            try check(sqlite: String.fetchOne(db, sql: "SELECT sqlite_version()") ?? "")
            return (try Schema.version(db, path: path), try migrator.hasCompletedMigrations(db))
        }
        if isComplete { return }
        if mustExist, found == nil { throw LedgerError.missing(path: path) }
        var applied = 0
        while true {
            do {
                try migrator.migrate(pool)
                if let found { logger.notice("the ledger \(path) was of version \(found), and is now of version \(Schema.version)") }
                return
            } catch {
                // Processes that open a new ledger at once all try; whoever comes second to a step finds it done, and goes on from there.
                let now = try pool.read { try migrator.appliedIdentifiers($0).count }
                guard now > applied else { throw error }
                applied = now
            }
        }
    }
}

extension SQLiteLedger {
    /// Runs `body` in one transaction of its own.
    /// - Parameter operation: its name in the metric and in errors.
    func write<T: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (Database) throws -> T
    ) async throws(LedgerError) -> T {
        let start = ContinuousClock.now
        // GRDB's own `async` writes stop when their task is cancelled; results must not be lost that way.
        let result: Result<T, LedgerError> = await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { [self] db in
                let before = db.totalChangesCount
                let result = transact(db, operation, body)
                continuation.resume(returning: result)
                if result.failure == nil, db.totalChangesCount != before { changes.notify() }
                boundLog(db)
            }
        }
        timer(operation).record(duration: ContinuousClock.now - start)
        note(result.failure)
        return try result.get()
    }

    /// Runs `body` on one unchanging view of the ledger.
    func read<T: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (Database) throws -> T
    ) async throws(LedgerError) -> T {
        let result: Result<T, LedgerError> = await withCheckedContinuation { continuation in
            pool.asyncRead { [self] db in
                continuation.resume(
                    returning: LedgerError.result(path: path, operation: operation) {
                        try checkFile()
                        return try body(db.get())
                    })
            }
        }
        if case .replaced = result.failure { note(result.failure) }
        return try result.get()
    }

    /// Refuses to go by a file that is not the ledger any more: what was read of it, and what is written to it, would be lost.
    package func checkFile() throws(LedgerError) {
        guard files[""] != nil, files.allSatisfy({ FileStatus(path: path + $0.key)?.identity == $0.value }),
            let file = FileStatus(path: path)
        else { throw LedgerError.replaced(path: path) }
        if overwriting.isOverwritten(file) {
            setLogAside()
            throw LedgerError.replaced(path: path)
        }
    }

    /// What is in the log belongs to the file that was there before: whoever starts next is to read what is there now by itself.
    private func setLogAside() {
        guard let log = FileStatus(path: path + "-wal"), log.identity == files["-wal"] else { return }
        let suffix = ".overwritten-\(Clock.milliseconds() / 1000)"
        for end in ["-wal", "-shm"] { rename(path + end, path + suffix + end) }
        logger.error(
            """
            another program has written into the ledger's file \(path) while it was open, as cp and rsync do. Nothing is sent and nothing \
            is written meanwhile. The log of the ledger that was there is kept as \(path + suffix)-wal. Stop all roles, put a whole \
            copy in its place (flotilla ledger restore), and start them again
            """)
    }

    /// An older copy that sqlite3's `.restore` has written into the open file came by way of the log. The ledger says so before a
    /// checkpoint brings it into the file, where it would look like one that was written below SQLite.
    private func noteOlderCopy(_ db: Database) throws {
        guard let live = try LedgerView.read(db) else { return }
        switch overwriting.judge(live) {
        case .ours: break
        case .older(let before):
            try db.execute(sql: "UPDATE ledger SET older_than = max(coalesce(older_than, 0), ?)", arguments: [before])
            logger.error(
                """
                an older copy was written into the open ledger \(path), as sqlite3's .restore does: \(live.commits) commits, and \
                \(before) before. Whoever may have been sent to since it was made is listed as uncertain (flotilla mailing uncertain ID)
                """)
        case .overwritten:
            setLogAside()
            throw LedgerError.replaced(path: path)
        }
    }

    /// Why the last write failed, if it did for a reason that lies with the file or its disk.
    package var problem: LedgerError? { trouble.withLock { $0 } }

    private func note(_ failure: LedgerError?) {
        switch failure {
        case .refused, .leadershipLost: break
        default: trouble.withLock { $0 = failure }
        }
    }

    private func transact<T>(
        _ db: Database, _ operation: String, _ body: (Database) throws -> T
    ) -> Result<T, LedgerError> {
        LedgerError.result(path: path, operation: operation) {
            try checkFile()
            var value: T?
            try db.inTransaction(.immediate) {
                try noteOlderCopy(db)
                value = try body(db)
                return .commit
            }
            guard let value else { throw LedgerError.failed(path: path, operation: operation, detail: "no commit") }
            return value
        }
    }

    private func timer(_ operation: String) -> Metrics.Timer {
        timers.withLock { timers in
            if let timer = timers[operation] { return timer }
            let timer = Metrics.Timer(label: "flotilla_ledger_write_seconds", dimensions: [("operation", operation)])
            timers[operation] = timer
            return timer
        }
    }

    /// Empties the write-ahead log when it has grown beyond its limit: SQLite's own checkpoints never reach its end while
    /// two processes write without a pause.
    private func boundLog(_ db: Database) {
        guard let size = FileStatus(path: path + "-wal").map({ Int($0.size) }) else { return }
        let isDue = walSize.withLock { last in
            if size < options.walLimit { last = 0 }
            guard size >= last + options.walLimit else { return false }
            last = size
            return true
        }
        guard isDue else { return }
        do {
            // A reader may keep the log from being emptied; then it is tried again one limit later, rather than waited for.
            try db.execute(sql: "PRAGMA busy_timeout = 200")
            defer { try? db.execute(sql: "PRAGMA busy_timeout = \(Int(options.busySeconds * 1000))") }
            try db.checkpoint(.truncate)
        } catch {
            logger.debug(
                "the write-ahead log of the ledger could not be emptied",
                metadata: [
                    "bytes": "\(size)", "error": "\(error)",
                ])
        }
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
