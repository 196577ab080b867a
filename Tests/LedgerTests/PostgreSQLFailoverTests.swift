import Foundation
import Logging
import Model
import TestServers
import Testing

@testable import Ledger

/// A standby takes the place of a primary that is gone, and the ledger's URL names both.
@Suite(.timeLimit(.minutes(3))) struct PostgreSQLFailoverTests {
    private let quiet = Logger(label: "test")

    @Test func aStandbyThatLacksACommitIsKnownToBeOlder() async throws {
        let primary = try await OwnPostgreSQL()
        let standby = try await primary.standby()
        let ledger = try SQLLedger.open(postgreSQL: primary.url(or: standby), logger: quiet, sessions: 1)
        try await Example.plan(ledger, batches: [2, 2, 2, 2])
        _ = try await ledger.dispatchBatches([(Example.id(), 1)], now: Example.start)
        let before = try await ledger.write(groups: [], events: [], letters: [], now: Example.start).standing
        try await primary.wait(for: standby)
        try await standby.stopFollowing()
        _ = try await ledger.dispatchBatches([(Example.id(), 1)], now: Example.start)
        // What Redis was told.
        let known = try await ledger.commits()
        try await primary.stop(SIGQUIT)
        try standby.run("SELECT pg_promote()")
        // It is asked before it is written to, and after.
        #expect(try await ledger.copyMark().commits == known - 1)
        _ = try await ledger.dispatchBatches([(Example.id(), 1)], now: Example.start)
        let mark = try await ledger.copyMark()
        #expect(mark.isMoved && mark.commits == known - 1)
        // By another standing collectors know that what they wrote last may be missing.
        let standing = try await ledger.write(groups: [], events: [], letters: [], now: Example.start).standing
        #expect(standing != nil && standing != before && standing == mark.standing)
        #expect(try await ledger.commits() < known)
    }

    /// A name, or a pooler, may lead to a standby before it is promoted.
    @Test func aSessionFromBeforeThePromotionNotesIt() async throws {
        let primary = try await OwnPostgreSQL()
        let standby = try await primary.standby()
        let ledger = try SQLLedger.open(postgreSQL: primary.url(), logger: quiet, sessions: 1)
        try await Example.plan(ledger, batches: [2])
        try await primary.wait(for: standby)
        var options = PostgreSQLSession.Options()
        options.retryTime = .milliseconds(10)
        options.notesMoves = true
        let session = PostgreSQLSession(url: standby.url(), name: "test", number: 0, options: options)
        let write: @Sendable (any SQLTransaction) throws -> Bool = { db in
            try db.run("UPDATE ledger SET commits = commits + 1")
            return try db.isMoved()
        }
        await #expect(throws: LedgerError.self) { _ = try await session.run("test", .sideBySide, write).get() }
        try await primary.stop(SIGQUIT)
        try standby.run("SELECT pg_promote()")
        #expect(try await session.run("test", .sideBySide, write).get())
    }

    /// What was committed is on the standby, and what was not is done once.
    @Test func aSynchronousStandbyLosesNothing() async throws {
        let primary = try await OwnPostgreSQL()
        try PostgreSQLConnection(url: primary.url()).run(
            "CREATE TABLE ledger (n bigint); CREATE TABLE writer (slot bigint PRIMARY KEY, commits bigint, changes bigint, token bigint)")
        let standby = try await primary.standby()
        try primary.run("ALTER SYSTEM SET synchronous_standby_names = '*'")
        try primary.run("SELECT pg_reload_conf()")
        let session = PostgreSQLSession(
            url: primary.url(or: standby), name: "test", number: 0, options: .init(connectTime: .seconds(2), retryTime: .seconds(60)))
        async let written: Int = {
            for number in 0..<400 {
                try await session.run("test", .sideBySide) { db in
                    try db.run("INSERT INTO ledger VALUES (?)", [number])
                    try db.run("SELECT pg_sleep(0.002)")
                }.get()
            }
            return 400
        }()
        try await eventually("a part is written") { standby.holds("(SELECT count(*) > 50 FROM ledger)") }
        try await primary.stop(SIGQUIT)
        try standby.run("SELECT pg_promote()")
        #expect(try await written == 400)
        let found = try await session.run("test", nil) { db in
            try [db.one(Int.self, "SELECT count(*) FROM ledger"), db.one(Int.self, "SELECT count(DISTINCT n) FROM ledger")]
        }.get()
        #expect(found == [400, 400])
    }

    @Test func bothHostsAreNamedInErrorsAsTheURLHasThem() throws {
        let address = try PostgreSQLAddress(url: "postgres://ann:s3cret@db1:5433,db2:5434/l?target_session_attrs=read-write")
        #expect(address.name == "postgres://ann@db1:5433,db2:5434/l")
        #expect(try PostgreSQLAddress(url: "postgres://db1,db2:6432/l").name == "postgres://db1,db2:6432/l")
        #expect(try PostgreSQLAddress(url: "postgres://db1,db2/l?port=6432").name == "postgres://db1:6432,db2:6432/l")
        #expect(try PostgreSQLAddress(url: "postgres:///l?host=/run/a,/run/b").name == "postgres:///l?host=/run/a,/run/b")
    }
}
