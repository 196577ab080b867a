import Foundation
import GRDB
package import Logging
import Text

/// What a person does to a ledger as a whole, before roles use it.
extension SQLiteLedger {
    /// Makes a new ledger where there is none.
    /// - Returns: its version.
    /// - Throws: `LedgerError.refused` where there is a file already, `held` where another process makes or uses one.
    package static func make(_ path: String, logger: Logger) throws(LedgerError) -> Int {
        try requireFree(path)
        let lock = try LedgerLock.acquire(ledger: path)
        defer { lock.release() }
        try requireFree(path)
        try open(path, logger: logger).close()
        return Schema.version
    }

    private static func requireFree(_ path: String) throws(LedgerError) {
        guard !isMissing(path) else { return }
        do throws(LedgerError) {
            let version = try version(of: path)
            throw LedgerError.refused("there is a ledger at \(path) already (version \(version)); nothing was changed")
        } catch {
            switch error {
            case .missing: return
            case .foreign, .notADatabase: throw .refused("\(path) is there already and is no ledger; name another file with --ledger")
            default: throw error
            }
        }
    }

    /// Removes a ledger that this process has made and nothing was written to, with its lock: a path that was mistyped once leads to no
    /// ledger the next time either. One that another process has open stays.
    /// - Parameter isMade: this process has made the file; else only a lock without a ledger is removed.
    /// - Returns: whether there is no ledger any more.
    package static func removeUnused(_ path: String, isMade: Bool) -> Bool {
        let place = RealPath.of(path)
        guard isMade || isMissing(place), let lock = try? LedgerLock.acquire(ledger: place) else { return false }
        defer { lock.release() }
        if isMissing(place) {
            if isMade { unlink(place) }
        } else {
            guard isMade, (try? removeIfUnused(place)) == true else { return false }
        }
        unlink(place + ".lock")
        return true
    }

    private static func removeIfUnused(_ place: String) throws -> Bool {
        let file = try LedgerBackup.open(place)
        defer { try? file.close() }
        return try file.inDatabase { db in
            // In the mode of a single user SQLite takes a lock that it gets only while nobody else has the file open.
            try db.execute(sql: "PRAGMA busy_timeout = 200; PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE")
            defer { try? db.execute(sql: "ROLLBACK") }
            for table in ["mailing", "audit", "suppression", "category", "limit_override", "erasure", "dead_letter"] {
                if try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM \(table))") == true { return false }
            }
            for end in ["", "-wal", "-shm", "-journal", ".commits"] { unlink(place + end) }
            return true
        }
    }

    /// Whether a file is a ledger, or a copy of one (`PRAGMA application_id`), by its own words, without its log.
    ///
    /// SQLite alone opens it, as this process may have it open: see `LedgerView.ofFile`. Of a log and a shared memory not even SQLite keeps
    /// the locks when they are opened as a database, so they are told by their names.
    package static func isLedger(_ path: String) -> Bool {
        guard FileStatus(path: path)?.kind == .regular, !companions.contains(where: path.hasSuffix) else { return false }
        return LedgerView.applicationID(ofFile: path) == Schema.applicationID
    }

    /// How the names of files end that SQLite keeps beside a database.
    private static let companions = ["-wal", "-shm", "-journal"]

    /// The version of a ledger's tables. Nothing is changed.
    /// - Throws: `LedgerError`: `missing`, `newer`, `foreign`, `notADatabase`, `corrupt`.
    package static func version(of path: String) throws(LedgerError) -> Int {
        if isMissing(path) { throw .missing(path: path) }
        return try LedgerError.mapping(path: path, operation: "reading the version") {
            let file = try LedgerBackup.open(path, isReadonly: true)
            defer { try? file.close() }
            guard let version = try file.read({ try Schema.version($0, path: path) }) else { throw LedgerError.missing(path: path) }
            return version
        }
    }

    /// Makes sure that opening a ledger changes nothing of its tables, for a command that only looks.
    /// - Throws: `LedgerError`: those of `version`, and `refused` where the ledger is an older release's.
    package static func requireCurrent(_ path: String) throws(LedgerError) {
        let found = try version(of: path)
        guard found < Schema.version else { return }
        throw .refused(
            "\(path) has version \(found), and --dry-run changes nothing: bring it to this release's version \(Schema.version) first, by: "
                + "flotilla ledger migrate --ledger \(path)")
    }

    /// Brings the tables of an older ledger forward to those of this release, while no planner or `send` has it.
    /// - Returns: its version before, and now.
    /// - Throws: `LedgerError`: those of `version`, and `held`.
    package static func migrate(_ path: String, logger: Logger) throws(LedgerError) -> (from: Int, to: Int) {
        let found = try version(of: path)
        guard found < Schema.version else { return (found, found) }
        let lock = try LedgerLock.acquire(ledger: path)
        defer { lock.release() }
        try open(path, mustExist: true, logger: logger).close()
        return (found, Schema.version)
    }
}
