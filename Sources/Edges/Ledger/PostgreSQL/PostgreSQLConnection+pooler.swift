import CPQ

/// A pooler in between may have one session of the server serve many of ours by turns. What a session sets, prepares, locks and listens
/// for would be another's then: such a pooler is refused before anything is set.
extension PostgreSQLConnection {
    /// - Parameter connect: opens a second connection to the same server.
    /// - Throws: `LedgerError.refused` where the server's session is not ours alone. Where that cannot be found out it is taken for ours.
    func requireOwnSession(connect: () throws(PostgreSQLError) -> PostgreSQLConnection) throws {
        try Self.check(version: Int(PQserverVersion(connection)))
        // A server names its own process when a connection opens, and a pooler names something else.
        let own = try backend()
        guard own != Int64(PQbackendPID(connection)) else { return }
        guard let other = try? connect(), let theirs = try? other.backend() else { return }
        guard try theirs == own || backend() != own else { return }
        throw LedgerError.refused(
            """
            a pooler in front of the ledger's PostgreSQL server hands one session of the server to several connections, and the ledger \
            needs sessions of its own: set pool_mode = session for its database (pgbouncer), or name the server itself in ledger.url
            """)
    }

    /// The process of the server that answers at the moment. It is asked without a prepared statement, which the next one may not have.
    private func backend() throws(PostgreSQLError) -> Int64? {
        try check(answer(PQsendQueryParams(connection, "SELECT pg_backend_pid()", 0, nil, nil, nil, nil, 1))).integer(0, 0)
    }
}
