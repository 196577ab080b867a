import Foundation
import GRDB
package import Logging
import Model
import Text

/// A ledger in a SQLite file: how it is opened.
package typealias SQLiteLedger = SQLLedger

extension SQLiteLedger {
    /// What tests, and unusual machines, may change.
    package struct Options: Sendable {
        /// How long a write waits for another process.
        package var busyTime = Duration.seconds(10)
        /// The size of the write-ahead log, in bytes, above which it is emptied into the database.
        package var walLimit = 64 << 20
        /// The size, in pages, at which the database counts as full; nil for what the disk holds.
        package var maximumPages: Int?
        /// The shortest time between two checks whether another program has written into the database's file.
        package var overwriteLook = Duration.milliseconds(500)

        package init() {}
    }

    /// Opens a ledger, and makes or migrates it where needed.
    /// - Parameter mustExist: where there is none, none is made.
    /// - Throws: `LedgerError`: `missing`, `newer`, `foreign`, `notADatabase`, `unwritable`, `full`, `busy`, `corrupt`.
    package static func open(
        _ path: String, mustExist: Bool = false, logger: Logger, options: Options = Options()
    ) throws(LedgerError) -> SQLLedger {
        if mustExist, isMissing(path) { throw .missing(path: path) }
        // SQLite puts its log beside the file that a link leads to.
        let path = RealPath.of(path)
        try refuseForeign(path)
        let deadline = ContinuousClock.now + options.busyTime
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
                    // Only after the file is known to be a ledger: the rights of other files must not change.
                    SQLiteFile.tighten(path, logger)
                    return SQLLedger(SQLiteEngine(SQLiteFile(path, options: options, logger: logger), pool, logger: logger))
                }
            } catch {
                // SQLite does not wait, whatever its time-out, while another process creates or removes the write-ahead log.
                guard case .busy = error, ContinuousClock.now < deadline else { throw error }
                usleep(20_000)
            }
        }
    }

    /// There is no file, or an empty one, as at the beginning of a new ledger.
    package static func isMissing(_ path: String) -> Bool { FileStatus(path: path).map { $0.kind == .regular && $0.size == 0 } ?? true }

    /// Refuses another program's file before anything is changed: to open it for writing makes a write-ahead log of its journal.
    /// - Throws: `LedgerError`: `foreign`, `notADatabase`.
    package static func refuseForeign(_ path: String) throws(LedgerError) {
        // A ledger is told by its file alone, and nothing else is asked of it twice.
        guard !isMissing(path), LedgerView.applicationID(ofFile: path) != Schema.applicationID else { return }
        do throws(LedgerError) {
            _ = try version(of: path)
        } catch {
            switch error {
            case .foreign, .notADatabase: throw error
            // It may be new, and another process about to make it.
            default: return
            }
        }
    }

    private static func configuration(_ options: Options) -> Configuration {
        var configuration = Configuration()
        configuration.label = "ledger"
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(options.busyTime.seconds)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { db in
            guard !db.configuration.readonly else { return }
            // Of a new file only; twice SQLite's 4 KB, as measured in docs/ledger.md.
            try db.execute(sql: "PRAGMA page_size = 8192")
            try db.execute(sql: "PRAGMA cache_size = -16000")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 2000")
            // What is erased is overwritten with zeros. Debian's SQLite does so anyway, others do when they are told.
            try db.execute(sql: "PRAGMA secure_delete = ON")
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
                // Processes that open a new ledger at once all try; the second to come to a step finds it done, and continues with the
                // next.
                let now = try pool.read { try migrator.appliedIdentifiers($0).count }
                guard now > applied else { throw error }
                applied = now
            }
        }
    }
}
