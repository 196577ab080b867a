import Foundation
import GRDB
import Logging
import Model
import Synchronization
import Text

/// The file of an open ledger, with its write-ahead log and its shared memory: whether all of them are still those that were opened.
final class SQLiteFile: Sendable {
    let path: String
    /// The files that are open, by what follows the path.
    private let files: [String: FileStatus.Identity]
    private let overwriting: OverwriteWatch
    private let options: SQLiteLedger.Options
    private let logger: Logger
    /// The size of the write-ahead log at the last attempt to empty it.
    private let walSize = Mutex(0)

    init(_ path: String, options: SQLiteLedger.Options, logger: Logger) {
        self.path = path
        files = Dictionary(
            uniqueKeysWithValues: Self.endings.compactMap { end in FileStatus(path: path + end).map { (end, $0.identity) } })
        overwriting = OverwriteWatch(path: path, pause: options.overwriteLook)
        self.options = options
        self.logger = logger
    }

    /// The database, its write-ahead log and its shared memory.
    private static let endings = ["", "-wal", "-shm"]

    /// Earlier releases made the file with the rights of the umask.
    static func tighten(_ path: String, _ logger: Logger) {
        for suffix in endings {
            guard let before = PrivateFile.tighten(path + suffix) else { continue }
            logger.notice(
                "the ledger's file \(path + suffix) had the rights \(PrivateFile.text(before)), and holds addresses; it has 0600 now")
        }
    }

    /// - Throws: `LedgerError.replaced` where it is not the ledger any more.
    func check() throws(LedgerError) {
        guard files[""] != nil, files.allSatisfy({ FileStatus(path: path + $0.key)?.identity == $0.value }),
            let file = FileStatus(path: path)
        else { throw LedgerError.replaced(path: path) }
        if overwriting.isOverwritten(file) {
            setLogAside()
            throw LedgerError.replaced(path: path)
        }
    }

    var hasLostLog: Bool {
        guard let found = FileStatus(path: path), found.identity == files[""] else { return false }
        return files.contains { FileStatus(path: path + $0.key)?.identity != $0.value }
    }

    /// The log belongs to the former file: the next process must read the new file without it.
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
    func noteOlderCopy(_ db: SQLiteTransaction) throws {
        guard let live = try LedgerView.read(db) else { return }
        switch overwriting.judge(live) {
        case .ours: break
        case .older(let before):
            try db.run("UPDATE ledger SET older_than = max(coalesce(older_than, 0), ?)", [before])
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

    /// Empties the write-ahead log when it has grown beyond its limit: SQLite's own checkpoints never reach its end while
    /// two processes write without a pause.
    func boundLog(_ db: Database) {
        guard let size = FileStatus(path: path + "-wal").map({ Int($0.size) }) else { return }
        let isDue = walSize.withLock { last in
            if size < options.walLimit { last = 0 }
            guard size >= last + options.walLimit else { return false }
            last = size
            return true
        }
        guard isDue else { return }
        do { try emptyLog(db) } catch {
            logger.debug(
                "the write-ahead log of the ledger could not be emptied",
                metadata: [
                    "bytes": "\(size)", "error": "\(error)",
                ])
        }
    }

    /// Writes the log into the database, and empties it.
    /// - Throws: where a reader keeps it from being emptied; it is tried again one limit later, rather than waited for.
    func emptyLog(_ db: Database) throws {
        try db.execute(sql: "PRAGMA busy_timeout = 200")
        defer { try? db.execute(sql: "PRAGMA busy_timeout = \(options.busyTime.milliseconds)") }
        try db.checkpoint(.truncate)
    }

    /// The last connection empties the write-ahead log into the file. A reader's does not, and the pool closes those last. Where somebody
    /// else opens or closes the file at this moment, that process empties the log.
    func emptyLog() {
        guard FileStatus(path: path)?.identity == files[""], FileStatus(path: path + "-wal")?.identity == files["-wal"],
            files["-wal"] != nil, let last = try? DatabaseQueue(path: path)
        else { return }
        _ = try? last.inDatabase { try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_schema") }
        try? last.close()
    }
}
