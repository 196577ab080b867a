import GRDB
package import Logging
import Model
import Text

/// Moves a ledger of SQLite into an empty one in PostgreSQL, with its whole history, and proves both equal. What it writes there is one
/// transaction: after a failure nothing of it is there. Where only the end is missing, the same command resumes with the proof.
package struct LedgerCopy {
    /// How far it is.
    package struct Progress: Sendable, Equatable {
        /// What it is at.
        package var table: String
        /// It reads what it wrote.
        package var isProof = false
        /// Rows of the table until now.
        package var rows = 0
        /// Bytes of values that were written and read again until now, and about how many there are: twice the size of the file.
        package var bytes: Int64 = 0
        package var size: Int64
    }

    package struct Summary: Sendable, Equatable {
        /// The ledger that has everything now, without secrets.
        package var target: String
        package var mailings = 0
        package var rows = 0
        package var tables = 0
        /// Questions of which both ledgers gave the same answer.
        package var questions = 0
    }

    let path: String
    let logger: Logger
    private let onProgress: (Progress) -> Void

    /// - Parameters:
    ///   - path: the file that is moved.
    ///   - onProgress: is told every few hundred rows.
    package init(of path: String, logger: Logger, onProgress: @escaping (Progress) -> Void) {
        (self.path, self.logger, self.onProgress) = (path, logger, onProgress)
    }

    /// - Parameters:
    ///   - url: `postgres://user@host/database`; its tables are made where there are none.
    ///   - now: milliseconds since 1970.
    /// - Throws: `LedgerError`: `held` and `busy` while a role has the ledger; `refused` for a target that is not empty, and where the two
    ///   are not equal.
    package func run(to url: String, now: Int64) async throws(LedgerError) -> Summary {
        let found = try SQLiteLedger.version(of: path)
        guard found == Schema.version else {
            throw .refused("the ledger \(path) is of version \(found), and \(Schema.version) is needed: flotilla ledger migrate")
        }
        try SQLiteLedger.requireHere(path)
        let lock = try LedgerLock.acquire(ledger: path)
        defer { lock.release() }
        let target = try SQLLedger.open(postgreSQL: url, logger: logger, sessions: 1)
        defer { try? target.close() }
        var summary = Summary(target: target.path)
        let mark = try copyTables(to: url, &summary)
        try await compareAnswers(with: target, &summary, now: now)
        try SQLiteLedger.noteMove(path, to: target.path, unchangedSince: mark)
        return summary
    }

    /// - Returns: by what it is known that nobody has written to the file since.
    private func copyTables(to url: String, _ summary: inout Summary) throws(LedgerError) -> FileMark {
        var written = summary
        let mark: FileMark = try LedgerError.mapping(path: path, operation: "copying") {
            let file = try LedgerBackup.open(path)
            defer { try? file.close() }
            return try file.inDatabase { db in
                // In the mode of a single user SQLite takes a lock that it gets only while nobody else has the file open.
                try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
                try db.execute(sql: "BEGIN IMMEDIATE")
                defer { try? db.execute(sql: "ROLLBACK") }
                do {
                    try write(db, to: url, &written)
                } catch let error as PostgreSQLError {
                    throw LedgerError(error, path: summary.target, operation: "copying")
                } catch let error as SQLDamage {
                    throw LedgerError.corrupt(path: path, detail: error.text)
                }
                return try FileMark(db)
            }
        }
        summary = written
        return mark
    }

    private func write(_ db: Database, to url: String, _ summary: inout Summary) throws {
        let connection = try PostgreSQLConnection(url: url, statementTime: .zero)
        try connection.prepareSession()
        try CopiedTable.addAttributes(of: db, to: connection)
        let tables = try CopiedTable.all(db, connection)
        let size = Int64(FileStatus(path: path)?.size ?? 0)
        try connection.run("BEGIN")
        // No role begins on the target meanwhile.
        try connection.run("LOCK TABLE ledger, mailing IN EXCLUSIVE MODE")
        let isThere = try isCopied(db, connection)
        if !isThere {
            try requireEmpty(tables, connection, summary.target)
            try makePartitions(db, connection)
            try CopiedTable.copyLedger(db, connection)
        }
        var progress = Progress(table: "", size: 2 * size)
        for table in tables {
            progress.table = table.name
            progress.isProof = false
            let given = try telling(&progress) { isThere ? try table.read(db, $0) : try table.copy(db, connection, $0) }
            progress.isProof = true
            let kept = try telling(&progress) { try table.read(connection, $0) }
            guard given == kept else {
                throw LedgerError.refused(
                    """
                    table \(table.name) of \(path) has \(given.rows) rows (digest \(given.hex)), and that of \(summary.target) \
                    \(kept.rows) (\(kept.hex)): \
                    \(isThere ? "somebody has changed one of them since it was copied" : "nothing was kept there")
                    """)
            }
            summary.tables += 1
            summary.rows += given.rows
        }
        try connection.run("COMMIT")
        if !isThere { try connection.run("ANALYZE") }
    }

    private func telling(_ progress: inout Progress, _ body: (CopiedTable.Telling) throws -> TableDigest) throws -> TableDigest {
        var now = progress
        let digest = try body { rows, bytes in
            (now.rows, now.bytes) = (rows, progress.bytes + bytes)
            if rows.isMultiple(of: 100) { onProgress(now) }
        }
        progress.bytes += digest.bytes
        return digest
    }

    /// A copy of before has come to its end, and what follows has not.
    private func isCopied(_ db: Database, _ connection: PostgreSQLConnection) throws -> Bool {
        let statement = PostgreSQLStatement(name: "identity", sql: "SELECT identity FROM ledger")
        return try connection.run(statement).text(0, 0) == String.fetchOne(db, sql: "SELECT identity FROM ledger")
    }

    private func requireEmpty(_ tables: [CopiedTable], _ connection: PostgreSQLConnection, _ target: String) throws {
        for table in tables where !table.isSingle {
            let some = PostgreSQLStatement(name: "some_\(table.name)", sql: "SELECT EXISTS (SELECT 1 FROM \(table.readFrom))")
            guard try connection.run(some).integer(0, 0) == 0 else {
                throw LedgerError.refused(
                    "the ledger \(target) is not empty (it has rows in \(table.name)); name a database that no ledger has been in")
            }
        }
    }

    /// As planners make them, mailing by mailing; one that is pruned has no rows, and no parts any more.
    private func makePartitions(_ db: Database, _ connection: PostgreSQLConnection) throws {
        var months: [PostgreSQLPartitions.Month] = []
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT id, planned_count FROM mailing WHERE next_batch > 0 AND (pruned IS NULL OR pruning = 1) ORDER BY id
                """)
        let transaction = PostgreSQLTransaction(connection, isReading: false)
        while let row = try rows.next() {
            let text: String = row[0]
            guard let id = MailingID(text) else { throw SQLDamage("'\(text)' is no mailing's id") }
            if !months.contains(where: { $0.contains(id) }),
                let month = try transaction.rows(PostgreSQLPartitions.Month.query, [id.added]).next()
            {
                months.append(try PostgreSQLPartitions.Month(month))
                try connection.run(PostgreSQLPartitions.make(months[months.count - 1]))
            }
            if (row[1] as Int) >= PostgreSQLPartitions.large { try connection.run(PostgreSQLPartitions.make(id)) }
        }
    }
}
