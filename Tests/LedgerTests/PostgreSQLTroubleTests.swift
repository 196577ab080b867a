import Foundation
import Logging
import Model
import Synchronization
import TestServers
import Testing

@testable import Ledger

/// A server that goes away and comes back: calls fail in words meanwhile, and go on afterwards without opening the ledger again.
@Suite(.timeLimit(.minutes(5))) struct PostgreSQLTroubleTests {
    private let quiet = Logger(label: "test")

    private func options(retryTime: Duration) -> PostgreSQLSession.Options {
        PostgreSQLSession.Options(connectTime: .seconds(2), statementTime: .seconds(1), retryTime: retryTime)
    }

    private func fails(_ ledger: SQLLedger) async -> LedgerError? {
        do throws(LedgerError) {
            try await ledger.setLimit(.channel(.email), "5/s", now: 1)
            return nil
        } catch {
            return error
        }
    }

    @Test func aServerThatIsStoppedIsSaidToBeAndGoesOn() async throws {
        let server = try await OwnPostgreSQL()
        let ledger = try SQLLedger.open(postgreSQL: server.url(), logger: quiet, sessions: 1, options: options(retryTime: .zero))
        #expect(await fails(ledger) == nil)
        try server.signalAll(SIGSTOP)
        let error = await fails(ledger)
        #expect(error.map { "\($0)" }?.contains("has not answered for 2 seconds") == true, "\(String(describing: error))")
        #expect(ledger.problem != nil)
        try server.signalAll(SIGCONT)
        try await eventually("it goes on") { await self.fails(ledger) == nil }
        #expect(ledger.problem == nil)
    }

    @Test func aServerThatIsBackIsSaidToBe() async throws {
        let server = try await OwnPostgreSQL()
        let log = KeptLog()
        let ledger = try SQLLedger.open(
            postgreSQL: server.url(), logger: log.logger(.notice), sessions: 1,
            options: options(retryTime: .zero))
        #expect(await fails(ledger) == nil)
        try await server.stop()
        try await eventually("it is away") { if case .unreachable? = await self.fails(ledger) { true } else { false } }
        try await server.start()
        try await eventually("it goes on") { await self.fails(ledger) == nil }
        #expect(await fails(ledger) == nil)
        #expect(log.lines.filter { $0.contains("is back after ") }.count == 1, "\(log.lines)")
    }

    /// The server's process ends while it commits: nobody knows whether it did.
    @Test func aCommitWhoseAnswerIsLostIsSaidToBeDonePerhaps() async throws {
        let server = try await OwnPostgreSQL()
        try server.run(
            """
            CREATE TABLE ledger (n bigint); CREATE TABLE writer (slot bigint PRIMARY KEY, commits bigint, changes bigint, token bigint);
            CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
                EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'kill -9 ' || pg_backend_pid()); RETURN NULL;
            END$$;
            CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON ledger DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut()
            """)
        let session = PostgreSQLSession(url: server.url(), name: "test", number: 0, options: options(retryTime: .zero))
        let result = await session.run("test", .sideBySide) { db in try db.run("INSERT INTO ledger VALUES (1)") }
        #expect(throws: LedgerError.self) { try result.get() }
        #expect("\(result)".contains(LedgerError.mayBeDone), "\(result)")
        // One that came to no commit was not done.
        let none = await session.run("test", .sideBySide) { db in
            try db.run("INSERT INTO writer SELECT pg_backend_pid(), 1, 1, 1 WHERE pg_terminate_backend(pg_backend_pid())")
        }
        #expect(!"\(none)".contains(LedgerError.mayBeDone), "\(none)")
    }

    @Test func nothingIsLostAndNothingTwiceWhileTheServerCrashesAgainAndAgain() async throws {
        let server = try await OwnPostgreSQL(options: ["fsync=on"])
        try PostgreSQLConnection(url: server.url()).run(
            "CREATE TABLE ledger (n bigint); CREATE TABLE writer (slot bigint PRIMARY KEY, commits bigint, changes bigint, token bigint)")
        let session = PostgreSQLSession(
            url: server.url(), name: "test", number: 0, options: .init(connectTime: .seconds(2), retryTime: .seconds(60)))
        let tries = Tries()
        async let written: Int = {
            var count = 0
            for number in 0..<400 {
                count += try await session.run("test", .sideBySide) { db in
                    tries.count.add(1, ordering: .relaxed)
                    try db.run("INSERT INTO ledger VALUES (?)", [number])
                    try db.run("SELECT pg_sleep(0.002)")
                    return 1
                }.get()
            }
            return count
        }()
        for signal in [SIGQUIT, SIGINT, SIGQUIT] {
            // Stops fall at any moment of the writes; which one does not matter.
            let before = tries.count.load(ordering: .relaxed)
            try await eventually("more is written") { tries.count.load(ordering: .relaxed) >= before + 40 }
            try await server.stop(signal)
            try await server.start()
        }
        #expect(try await written == 400)
        let found = try await session.run("test", nil) { db in
            try [db.one(Int.self, "SELECT count(*) FROM ledger"), db.one(Int.self, "SELECT count(DISTINCT n) FROM ledger")]
        }.get()
        #expect(found == [400, 400])
    }

    @Test func aPasswordThatChangesIsReadAgain() async throws {
        let server = try await OwnPostgreSQL()
        let folder = try TemporaryFolder()
        func write(_ password: String) throws {
            let file = try folder.write("127.0.0.1:\(server.port):*:flotilla:\(password)\n", to: "pgpass")
            chmod(file, 0o600)
        }
        try write(OwnPostgreSQL.password)
        let ledger = try SQLLedger.open(
            postgreSQL: server.url(password: nil, "passfile=\(folder.path("pgpass"))"), logger: quiet, sessions: 1,
            options: options(retryTime: .zero))
        #expect(await fails(ledger) == nil)
        try server.run(
            "ALTER ROLE flotilla PASSWORD 'another'; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_port > 0")
        try await eventually("it is refused") { if case .denied? = await self.fails(ledger) { true } else { false } }
        try write("another")
        try await eventually("it goes on") { await self.fails(ledger) == nil }
    }

    @Test func aServerWithoutAPlaceIsWaitedFor() async throws {
        let server = try await OwnPostgreSQL(options: ["max_connections=4", "superuser_reserved_connections=1", "max_wal_senders=0"])
        try server.run("CREATE ROLE app LOGIN PASSWORD 'word'; GRANT CREATE ON SCHEMA public TO app")
        let url = server.url(user: "app", password: "word")
        let ledger = try SQLLedger.open(postgreSQL: url, logger: quiet, sessions: 1, options: options(retryTime: .zero))
        var others: [PostgreSQLConnection] = []
        while others.count < 4 {
            do throws(PostgreSQLError) { others.append(try PostgreSQLConnection(url: url)) } catch { break }
        }
        let error = await fails(ledger)
        #expect(error.map { "\($0)" }?.contains("connection") == true, "\(String(describing: error))")
        others.removeAll()
        try await eventually("it goes on") { await self.fails(ledger) == nil }
    }

    @Test func openingWaitsForAPlace() async throws {
        let server = try await OwnPostgreSQL(options: ["max_connections=4", "superuser_reserved_connections=1", "max_wal_senders=0"])
        try server.run("CREATE ROLE app LOGIN PASSWORD 'word'; GRANT CREATE ON SCHEMA public TO app")
        let url = server.url(user: "app", password: "word")
        var others: [PostgreSQLConnection] = []
        var refused: PostgreSQLError?
        while others.count < 5, refused == nil {
            do throws(PostgreSQLError) { others.append(try PostgreSQLConnection(url: url)) } catch { refused = error }
        }
        #expect(refused?.isOfFullServer == true, "\(String(describing: refused))")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { @concurrent [quiet] in _ = try SQLLedger.open(postgreSQL: url, logger: quiet, sessions: 1) }
            others.removeAll()
            try await group.waitForAll()
        }
        #expect(!PostgreSQLError(kind: .denied, detail: "too many connections for role").isOfFullServer)
    }

    @Test func aStatementThatTakesTooLongIsEndedAndTriedAgain() async throws {
        let server = try await OwnPostgreSQL()
        let ledger = try SQLLedger.open(postgreSQL: server.url(), logger: quiet, sessions: 1, options: options(retryTime: .zero))
        #expect(await fails(ledger) == nil)
        let other = try PostgreSQLConnection(url: server.url())
        try other.run("BEGIN; LOCK TABLE limit_override")
        guard case .unreachable(_, let detail)? = await fails(ledger), detail.contains("statement timeout") else {
            Issue.record("\(String(describing: ledger.problem))")
            return
        }
        try other.run("ROLLBACK")
        #expect(await fails(ledger) == nil)
        #expect(ledger.problem == nil)
    }

    /// The server has no room for a table; a trigger says so in its place. `loadtest/postgres-faults` fills a real disk.
    @Test func aServerWithoutRoomIsSaidToBeFullAndGoesOn() async throws {
        let server = try await OwnPostgreSQL()
        let ledger = try SQLLedger.open(postgreSQL: server.url(), logger: quiet, sessions: 1, options: options(retryTime: .zero))
        #expect(await fails(ledger) == nil)
        try server.run(
            """
            CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
                RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100';
            END$$;
            CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON limit_override EXECUTE FUNCTION full_disk()
            """)
        guard case .full(_, let detail)? = await fails(ledger), detail.contains("No space left on device") else {
            Issue.record("\(String(describing: ledger.problem))")
            return
        }
        #expect(ledger.problem != nil)
        try server.run("DROP TRIGGER full_disk ON limit_override")
        #expect(await fails(ledger) == nil)
        #expect(ledger.problem == nil)
    }

    /// A pooler has one code for everything, and a server without room for its log has that of a full disk, of which it dies.
    @Test func whatEndsTheSessionMayPass() {
        let kinds = ["08P01", "53100"].flatMap { code in
            [false, true].map { PostgreSQLError(sqlState: code, detail: "", isLast: $0).kind }
        }
        #expect(kinds == [.permanent, .transient, .full, .transient])
    }

    @Test func aSessionThatLostItsStatementsPreparesThemAgain() async throws {
        let url = try await PostgreSQLServer.shared.database()
        try PostgreSQLConnection(url: url).run(
            "CREATE TABLE ledger (n bigint); CREATE TABLE writer (slot bigint PRIMARY KEY, commits bigint, changes bigint, token bigint)")
        let session = PostgreSQLSession(url: url, name: "test", number: 0, options: .init())
        for count in 1...2 {
            let found = await session.run("test", .sideBySide) { db in
                try db.run("INSERT INTO ledger VALUES (?)", [count])
                return try db.one(Int.self, "SELECT count(*) FROM ledger")
            }
            #expect(try found.get() == count)
            // A pooler does so between two sessions.
            _ = await session.run("test", nil) { db in try db.run("DEALLOCATE ALL") }
        }
    }

    /// The commits that Redis is told of stay below those that the server before may have had.
    @Test func aServerThatTakesTheLedgersPlaceIsNoticedBeforeAnythingIsWritten() async throws {
        let folder = try TemporaryFolder()
        let url = try await Engine.postgreSQL(folder)
        func open() throws -> SQLLedger { try SQLLedger.open(postgreSQL: url, logger: quiet, sessions: 1) }
        let ledger = try open()
        try await Example.plan(ledger, batches: [2, 2, 2])
        _ = try await ledger.dispatchBatches([(Example.id(), 1)], now: Example.start)
        let mark = try await ledger.copyMark()
        #expect(mark.commits == 1 && !mark.isMoved)
        try PostgreSQLConnection(url: url).run("UPDATE ledger SET standing = 'before'")
        let other = try open()
        _ = try await other.dispatchBatches([(Example.id(), 1)], now: Example.start)
        let moved = try await other.copyMark()
        #expect(moved.commits == 1 && moved.isMoved)
        #expect(try await ledger.commits() == 1)
        _ = try await other.acceptCopy(nil, commits: 1, now: Example.start)
        let settled = try await ledger.copyMark()
        #expect(settled.commits > 2 && !settled.isMoved)
        _ = try await open().dispatchBatches([(Example.id(), 1)], now: Example.start)
        #expect(try await ledger.commits() == settled.commits + 1)
    }
}

/// How often a transaction was tried.
private final class Tries: Sendable {
    let count = Atomic(0)
}
