import Foundation
package import Logging

extension SQLLedger {
    /// Opens a ledger in a PostgreSQL database, and brings the tables of an older one forward. It blocks until the server has answered.
    /// - Parameters:
    ///   - sessions: connections that it holds, at most; one more where it waits for changes.
    ///   - willMake: called where there are no tables, before they are made; nil: none are made.
    /// - Throws: `LedgerError`: `missing`, `unreachable`, `denied` with the right that is needed, `refused` for a server that is too old,
    ///   `foreign`, `newer`.
    package static func open(
        _ address: PostgreSQLAddress, logger: Logger, sessions: Int = 4, willMake: (() -> Void)? = nil
    ) throws(LedgerError) -> SQLLedger {
        try open(address, logger: logger, sessions: sessions, options: PostgreSQLSession.Options(), willMake: willMake)
    }

    /// The same by a URL that libpq takes; where there are no tables, they are made.
    package static func open(postgreSQL url: String, logger: Logger, sessions: Int = 4) throws(LedgerError) -> SQLLedger {
        try open(PostgreSQLAddress(url: url), logger: logger, sessions: sessions, willMake: {})
    }

    static func open(
        postgreSQL url: String, logger: Logger, sessions: Int = 4, options: PostgreSQLSession.Options
    ) throws(LedgerError) -> SQLLedger {
        try open(PostgreSQLAddress(url: url), logger: logger, sessions: sessions, options: options, willMake: {})
    }

    private static func open(
        _ address: PostgreSQLAddress, logger: Logger, sessions: Int, options: PostgreSQLSession.Options, willMake: (() -> Void)?
    ) throws(LedgerError) -> SQLLedger {
        let (found, now, schema) = try prepare(address, options, willMake: willMake)
        var pinned = options
        pinned.schema = schema
        if found > 0, found < now { logger.notice("the ledger \(address.name) was of version \(found), and is now of version \(now)") }
        return SQLLedger(
            PostgreSQLEngine(url: address.url, name: address.name, sessions: sessions, options: pinned, logger: logger))
    }

    /// Makes a new ledger where there is none.
    /// - Returns: its version.
    /// - Throws: `LedgerError`: `refused` where there is one.
    package static func make(_ address: PostgreSQLAddress) throws(LedgerError) -> Int {
        var isNew = false
        let (found, now, _) = try prepare(address, PostgreSQLSession.Options(), migrates: false) { isNew = true }
        guard isNew else { throw .refused("there is a ledger in \(address.name) already (version \(found)); nothing was changed") }
        return now
    }

    /// Brings the tables of an older ledger forward to those of this release. Others wait meanwhile.
    /// - Returns: its version before, and now.
    package static func migrate(_ address: PostgreSQLAddress) throws(LedgerError) -> (from: Int, to: Int) {
        let (from, to, _) = try prepare(address, PostgreSQLSession.Options(), willMake: nil)
        return (from, to)
    }

    /// Whether the database of an address has no ledger.
    /// - Throws: `LedgerError` where it cannot be asked.
    package static func isMissing(_ address: PostgreSQLAddress) throws(LedgerError) -> Bool {
        try LedgerError.mapping(postgreSQL: address.name, operation: "opening") {
            let (connection, _) = try connect(address)
            return try PostgreSQLSchema.known(connection) == nil
        }
    }

    /// How many migrations a ledger has, and how many this release has. Nothing is changed.
    /// - Throws: `LedgerError`: `missing`, `unreachable`, `denied`, `refused`, `newer`.
    package static func migrations(of address: PostgreSQLAddress, within time: Duration) throws(LedgerError) -> (made: Int, all: Int) {
        try LedgerError.mapping(postgreSQL: address.name, operation: "reading the version") {
            let (connection, _) = try connect(address, connectTime: time, statementTime: time)
            guard let known = try PostgreSQLSchema.known(connection) else { throw LedgerError.missing(path: address.name) }
            let all = PostgreSQLSchema.migrations.count
            return (all - (try PostgreSQLSchema.pending(known, path: address.name).count), all)
        }
    }

    /// Opens a session of the server's that is ours alone. It waits for a place on a server that is full of connections.
    /// - Returns: it, and the schema that it sees.
    static func connect(
        _ address: PostgreSQLAddress, connectTime: Duration = .seconds(10), statementTime: Duration = .seconds(60)
    ) throws -> (PostgreSQLConnection, schema: String) {
        let deadline = ContinuousClock.now + PostgreSQLSession.Options().retryTime
        while true {
            do {
                return try connectOnce(address, connectTime, statementTime)
            } catch let error as PostgreSQLError where error.isOfFullServer && ContinuousClock.now < deadline {
                // Others' sessions end all the time. What is wrong otherwise is said at once.
                usleep(100_000)
            }
        }
    }

    private static func connectOnce(
        _ address: PostgreSQLAddress, _ connectTime: Duration, _ statementTime: Duration
    ) throws -> (PostgreSQLConnection, schema: String) {
        let connection = try PostgreSQLConnection(url: address.url, connectTime: connectTime, statementTime: statementTime)
        try connection.requireOwnSession { () throws(PostgreSQLError) in
            // A pooler whose sessions are all in use has it wait.
            try PostgreSQLConnection(url: address.url, connectTime: .seconds(2), statementTime: .seconds(1))
        }
        return (connection, try connection.prepareSession())
    }

    /// Makes sure that there is a ledger of this release.
    /// - Returns: the version that was found, 0 for none, that of now, and the schema that it is in.
    private static func prepare(
        _ address: PostgreSQLAddress, _ options: PostgreSQLSession.Options, migrates: Bool = true, willMake: (() -> Void)?
    ) throws(LedgerError) -> (from: Int, to: Int, schema: String) {
        try LedgerError.mapping(postgreSQL: address.name, operation: "opening") {
            let (connection, schema) = try connect(
                address, connectTime: options.connectTime, statementTime: options.statementTime)
            let known = try PostgreSQLSchema.known(connection)
            if known == nil {
                try PostgreSQLSchema.requireFree(connection, path: address.name)
                guard let willMake else { throw LedgerError.missing(path: address.name) }
                willMake()
            } else if let known {
                // A newer release's is refused, also where nothing is to be changed.
                _ = try PostgreSQLSchema.pending(known, path: address.name)
            }
            if known == nil || migrates { try PostgreSQLSchema.migrate(connection, path: address.name) }
            return (known?.count ?? 0, PostgreSQLSchema.migrations.count, schema)
        }
    }
}
