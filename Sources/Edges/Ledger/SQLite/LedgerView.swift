import Foundation
import GRDB

/// The figures that show whether a ledger is still the one that was opened.
struct LedgerView: Equatable {
    var identity: String
    var commits: Int64
    /// The commits that the ledger had before an older copy took its place; nil where none did.
    var olderThan: Int64?
    /// It grows with each change of the tables, and where VACUUM writes a copy. Nil where it was not read.
    var schema: Int?

    /// - Returns: nil where it is no ledger of this release.
    static func read(_ db: SQLiteTransaction) throws -> LedgerView? {
        let row = try db.row("SELECT identity, commits, older_than FROM ledger")
        return try row.map { try LedgerView(identity: $0.read(0), commits: $0.read(1), olderThan: $0.read(2)) }
    }

    /// What the database's file says without its log.
    static func ofFile(_ path: String) -> LedgerView? { fileAlone(path).flatMap { open($0, read) } }

    /// What is read through the log.
    static func live(_ path: String) -> LedgerView? { open(path, read) }

    /// Whose database a file is, by what the file says without its log; nil where it is none.
    static func applicationID(ofFile path: String) -> Int32? {
        fileAlone(path).flatMap { open($0) { try Int32.fetchOne($0, sql: "PRAGMA application_id") } }
    }

    /// The name by which SQLite reads a database's file without its log.
    private static func fileAlone(_ path: String) -> String? {
        path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed).map { "file:\($0)?immutable=1" }
    }

    private static func read(_ db: Database) throws -> LedgerView? {
        var view = try read(SQLiteTransaction(db))
        view?.schema = try Int.fetchOne(db, sql: "PRAGMA schema_version")
        return view
    }

    /// SQLite opens and closes the file: a descriptor of our own would take the locks of this process with it when it is closed ("How To
    /// Corrupt An SQLite Database File", 2.2).
    /// - Returns: nil for what cannot be read now.
    private static func open<Value>(_ path: String, _ read: (Database) throws -> Value?) -> Value? {
        var configuration = Configuration()
        configuration.label = "ledger file"
        configuration.readonly = true
        configuration.busyMode = .timeout(1)
        guard let queue = try? DatabaseQueue(path: path, configuration: configuration) else { return nil }
        defer { try? queue.close() }
        return try? queue.read(read)
    }

    /// Whether the file was written by another program than SQLite. This is the view of the file alone.
    /// - Parameters:
    ///   - seen: the file before.
    ///   - live: what is read through the log, later; nil where that cannot be read.
    func isForeign(after seen: LedgerView?, live: LedgerView?) -> Bool {
        // The log alone was changed, by SQLite.
        if let seen, self == seen { return false }
        if let seen {
            if identity != seen.identity { return true }
            // Fewer commits came through the log if a transaction has noted that.
            if commits < seen.commits { return (olderThan ?? 0) < seen.commits }
        }
        guard let live else { return false }
        // An older copy is in the log, and not in the file yet.
        if let seen, live.commits < seen.commits { return false }
        return commits > live.commits || (schema ?? 0) > (live.schema ?? 0)
    }
}
