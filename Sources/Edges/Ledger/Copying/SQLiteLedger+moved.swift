import GRDB
import Model

/// What another process may have written to a file since.
struct FileMark: Equatable {
    var commits: Int64
    /// The last audit entry: an order need not count as a commit.
    var orders: Int64

    init(_ db: Database) throws {
        commits = try Int64.fetchOne(db, sql: "SELECT commits FROM ledger") ?? 0
        orders = try Int64.fetchOne(db, sql: "SELECT max(number) FROM audit") ?? 0
    }
}

/// A ledger that was moved to a server: who opens the file is told where it is.
extension SQLiteLedger {
    /// - Throws: `LedgerError.refused` for a ledger that was moved.
    static func requireHere(_ path: String) throws(LedgerError) {
        try LedgerError.mapping(path: path, operation: "opening") {
            let file = try LedgerBackup.open(path, isReadonly: true)
            defer { try? file.close() }
            try file.read { try requireHere($0, path) }
        }
    }

    static func requireHere(_ db: Database, _ path: String) throws {
        guard let row = try SQLiteTransaction(db).row("SELECT moved_to, moved FROM ledger WHERE moved_to <> ''") else { return }
        let (target, at) = (try row.read(0) as String, try row.read(1) as Int64?)
        throw LedgerError.refused(
            """
            the ledger \(path) was moved to \(target)\(at.map { " at " + MailingReport.text($0) } ?? ""), which has gone on since: name \
            that one in ledger.url. This file is only kept as it was then
            """)
    }

    /// Says in the file that the ledger is elsewhere now.
    /// - Throws: `LedgerError.refused` where somebody has written to it since `mark`.
    static func noteMove(_ path: String, to target: String, unchangedSince mark: FileMark) throws(LedgerError) {
        try LedgerError.mapping(path: path, operation: "copying") {
            let file = try LedgerBackup.open(path)
            defer { try? file.close() }
            try file.inTransaction(.immediate) { db in
                guard try FileMark(db) == mark else {
                    throw LedgerError.refused(
                        """
                        somebody has written to \(path) while it was copied: what is in \(target) lacks that. Empty that database, end \
                        whoever uses the file, and copy it again
                        """)
                }
                try db.execute(sql: "UPDATE ledger SET moved_to = ?, moved = ?", arguments: [target, Clock.milliseconds()])
                return .commit
            }
        }
    }
}
