/// A standby that takes over lacks what was committed last, unless it is a synchronous one, and a server that is brought back to an earlier
/// moment lacks more. Both begin a new timeline (PostgreSQL, "Continuous Archiving and Point-in-Time Recovery", 26.3.6).
extension PostgreSQLConnection {
    /// The cluster, the database and the timeline; null on a standby.
    private static let standing = PostgreSQLStatement(
        name: "standing",
        sql: """
            SELECT (SELECT system_identifier FROM pg_control_system())::text || '/'
                || (SELECT oid FROM pg_database WHERE datname = current_database())::text || '/'
                || CASE WHEN pg_is_in_recovery() THEN NULL ELSE substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END
            """)
    private static let move = PostgreSQLStatement(
        name: "move",
        sql: """
            UPDATE ledger SET standing = $1, moved = CASE WHEN standing IS NOT NULL
                THEN coalesce(moved, commits + (SELECT coalesce(sum(w.commits), 0) FROM writer w)) END
            WHERE standing IS DISTINCT FROM $1
            """, types: [25])

    /// Has the ledger know on which server it stands, before the first write of a session: what was written before a change, and what is
    /// written after it, are told apart by that.
    func noteStanding() throws(PostgreSQLError) {
        guard !isStandingNoted else { return }
        let now: String?
        do throws(PostgreSQLError) {
            now = try run(Self.standing).text(0, 0)
            // A standby, which refuses the write; it may be promoted under this session.
            guard now != nil else { return }
        } catch {
            // A service that is like PostgreSQL may have no timelines.
            guard isOpen, error.kind == .permanent || error.kind == .denied else { throw error }
            now = nil
        }
        if let now { try run(Self.move, [.text(now)]) }
        standing = now
        isStandingNoted = true
    }
}
