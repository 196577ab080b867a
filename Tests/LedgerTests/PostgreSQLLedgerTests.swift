import Logging
import Model
import Synchronization
import TestServers
import Testing

@testable import Ledger

/// What a ledger on a server meets that one in a file does not.
@Suite struct PostgreSQLLedgerTests {
    private let quiet = Logger(label: "test")

    private func session(_ url: String, retryTime: Duration = .seconds(5)) -> PostgreSQLSession {
        PostgreSQLSession(url: url, name: "test", number: 0, options: PostgreSQLSession.Options(retryTime: retryTime))
    }

    @Test func ofManyThatOpenANewLedgerAllSucceed() async throws {
        let url = try await PostgreSQLServer.shared.database()
        let identities = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<6 {
                group.addTask { @concurrent [quiet] in
                    try await SQLLedger.open(postgreSQL: url, logger: quiet, sessions: 1).identity()
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(identities.count == 1 && identities.first?.count == 16)
    }

    @Test func anotherProgramsDatabaseIsLeftAlone() async throws {
        let url = try await PostgreSQLServer.shared.database()
        let connection = try PostgreSQLConnection(url: url)
        try connection.run("CREATE TABLE customers (id bigint)")
        let error = #expect(throws: LedgerError.self) { try SQLLedger.open(postgreSQL: url, logger: quiet) }
        guard case .foreign = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(throws: PostgreSQLError.self) { try connection.run("SELECT * FROM flotilla_migration") }
    }

    @Test func aNewerLedgerIsLeftAlone() async throws {
        let url = try await Engine.postgreSQL(TemporaryFolder())
        let connection = try PostgreSQLConnection(url: url)
        try connection.run("INSERT INTO flotilla_migration (name) VALUES ('99 later')")
        let error = #expect(throws: LedgerError.self) { try SQLLedger.open(postgreSQL: url, logger: quiet) }
        let made = #expect(throws: LedgerError.self) { try SQLLedger.make(PostgreSQLAddress(url: url)) }
        guard case .newer(_, ["99 later"]) = error, case .newer = made else {
            Issue.record("\(String(describing: error)), \(String(describing: made))")
            return
        }
    }

    @Test func anOldServerIsRefused() throws {
        let error = #expect(throws: LedgerError.self) { try PostgreSQLConnection.check(version: 140_012) }
        #expect("\(String(describing: error))".contains("has version 14, and 15 or later"))
        try PostgreSQLConnection.check(version: 150_000)
    }

    @Test func aServerThatIsAwayIsNamedWithoutThePassword() throws {
        var options = PostgreSQLSession.Options()
        options.connectTime = .seconds(1)
        let error = #expect(throws: LedgerError.self) {
            try SQLLedger.open(postgreSQL: "postgres://ann:s3cret@127.0.0.1:1/ledger", logger: quiet, options: options)
        }
        guard case .unreachable("postgres://ann@127.0.0.1:1/ledger", _) = error, let error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!"\(error)".contains("s3cret"))
    }

    @Test func aWriteGoesOnAfterItsConnectionIsCut() async throws {
        let url = try await PostgreSQLServer.shared.database()
        try PostgreSQLConnection(url: url).run(
            "CREATE TABLE ledger (n bigint); CREATE TABLE writer (slot bigint PRIMARY KEY, commits bigint, changes bigint, token bigint)")
        let session = session(url)
        let tries = Meeting()
        let result = await session.run("test", .sideBySide) { db in
            try db.run("INSERT INTO ledger VALUES (?)", [7])
            if tries.count.add(1, ordering: .relaxed).newValue < 3 { try db.run("SELECT pg_terminate_backend(pg_backend_pid())") }
            return try db.one(Int.self, "SELECT count(*) FROM ledger")
        }
        #expect(try result.get() == 1 && tries.count.load(ordering: .relaxed) == 3)
    }

    @Test func ofTwoThatWaitForEachOtherBothSucceed() async throws {
        let url = try await PostgreSQLServer.shared.database()
        let tables =
            "CREATE TABLE ledger (id bigint, n bigint); "
            + "CREATE TABLE writer (slot bigint PRIMARY KEY, commits bigint, changes bigint, token bigint)"
        try PostgreSQLConnection(url: url).run(tables + "; INSERT INTO ledger VALUES (1, 0), (2, 0)")
        let (first, second) = (session(url), session(url))
        let meeting = Meeting()
        async let one = Self.change(first, [1, 2], meeting)
        async let other = Self.change(second, [2, 1], meeting)
        try await one.get()
        try await other.get()
        let sum = await first.run("test", nil) { db in try db.all(Int.self, "SELECT n FROM ledger") }
        #expect(try sum.get() == [2, 2])
    }

    private final class Meeting: Sendable {
        let count = Atomic(0)
    }

    private static func change(_ session: PostgreSQLSession, _ ids: [Int], _ meeting: Meeting) async -> Result<Void, LedgerError> {
        await session.run("test", .sideBySide) { db in
            for id in ids {
                try db.run("UPDATE ledger SET n = n + 1 WHERE id = ?", [id])
                // Both have a row that the other wants.
                meeting.count.add(1, ordering: .relaxed)
                while meeting.count.load(ordering: .relaxed) < 2 { try db.run("SELECT pg_sleep(0.01)") }
            }
        }
    }

    @Test func theServerTellsWhetherALostTransactionWasCommitted() async throws {
        let connection = try PostgreSQLConnection(url: try await PostgreSQLServer.shared.database())
        try connection.run("CREATE TABLE t (n bigint)")
        for (end, status) in [("COMMIT", "committed"), ("ROLLBACK", "aborted")] {
            try connection.run("BEGIN; INSERT INTO t VALUES (1)")
            let id = try #require(try connection.transactionID())
            #expect(try connection.status(ofTransaction: id) == "in progress")
            try connection.run(end)
            #expect(try connection.status(ofTransaction: id) == status)
        }
        #expect(try connection.transactionID() == nil)
        #expect(try connection.status(ofTransaction: "123456789") == nil)
    }

    @Test func parametersAreNumberedAsSQLiteCounts() {
        let numbered = PostgreSQLConnection.numbered("SELECT ?, '?', ?7, ?, ?1 FROM t WHERE a = ?")
        #expect(numbered == "SELECT $1, '?', $7, $8, $1 FROM t WHERE a = $9")
    }

    @Test func sumsAreReadWhole() async throws {
        let connection = try PostgreSQLConnection(url: try await PostgreSQLServer.shared.database())
        for number: Int64 in [0, 1, -1, 9999, 10_000, -10_000, 123_456_789, 4_000_000_000_000, .max, .min] {
            let rows = try connection.run(PostgreSQLStatement(name: "n\(number)", sql: "SELECT (\(number))::numeric"))
            #expect(try rows.integer(0, 0) == number)
        }
        for text in ["0.5", "9223372036854775808", "NaN", "1e30"] {
            let rows = try connection.run(PostgreSQLStatement(name: text, sql: "SELECT '\(text)'::numeric"))
            #expect(throws: PostgreSQLError.self) { try rows.integer(0, 0) }
        }
    }

    /// The one says nothing, the other writes.
    @Test func theCommitsOfOthersAreTold() async throws {
        let folder = try TemporaryFolder()
        let url = try await Engine.postgreSQL(folder)
        let (ledger, other) = (
            try SQLLedger.open(postgreSQL: url, logger: quiet, sessions: 1), try SQLLedger.open(postgreSQL: url, logger: quiet, sessions: 1)
        )
        let signal = WakeSignal()
        let subscription = ledger.wake(signal)
        let otherSubscription = other.wake(WakeSignal())
        for text in ["5/s", "6/s"] {
            try await other.setLimit(.channel(.email), text, now: 1)
            #expect(await signal.wait(atMost: .seconds(10)))
        }
        subscription.cancel()
        otherSubscription.cancel()
    }

    /// Of plain results, tables, indexes and what a day of vacuum would take away included.
    @Test func aDeliveryTakesAFewBytes() async throws {
        let folder = try TemporaryFolder()
        let url = try await Engine.postgreSQL(folder)
        let ledger = try SQLLedger.open(postgreSQL: url, logger: quiet, sessions: 1)
        let size = PostgreSQLStatement(
            name: "size",
            sql: "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
        let connection = try PostgreSQLConnection(url: url)
        let before = try #require(try connection.run(size).integer(0, 0))
        try await Example.plan(ledger, batches: Array(repeating: 500, count: 20))
        let taken = try await ledger.dispatchBatches([(Example.id(), 20)], now: Example.start)
        for part in 0..<5 {
            let groups = taken.map { batch in
                resultGroup(
                    batch: batch.id.number, sequence: part, closing: part == 4 ? .done : .open, groups: part == 4 ? 5 : 0,
                    (part * 100..<part * 100 + 100).map { sent($0) })
            }
            _ = try await ledger.write(groups: groups, events: [], now: Example.start)
        }
        #expect(try await ledger.progress(Example.id())?[.sent] == 10_000)
        let after = try #require(try connection.run(size).integer(0, 0))
        #expect((after - before) / 10_000 <= 120, "\((after - before) / 10_000) bytes")
        #expect(try await ledger.recount(Example.id()) == [])
    }

    /// Results of one mailing from several collectors at once, some of them twice.
    @Test func collectorsWriteSideBySide() async throws {
        let folder = try TemporaryFolder()
        let url = try await Engine.postgreSQL(folder)
        let ledger = try SQLLedger.open(postgreSQL: url, logger: quiet, sessions: 4)
        let id = Example.id()
        try await Example.plan(ledger, batches: Array(repeating: 20, count: 12))
        let taken = try await ledger.dispatchBatches([(id, 12)], now: Example.start)
        #expect(taken.count == 12)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for collector in 0..<4 {
                group.addTask {
                    var generator = SeededGenerator(seed: UInt64(collector))
                    for part in Array(0..<4).shuffled(using: &generator) where part != collector || collector == 0 {
                        let groups = (0..<12).shuffled(using: &generator).map { batch in
                            resultGroup(
                                batch: batch, sequence: part, closing: part == 3 ? .done : .open, groups: part == 3 ? 4 : 0,
                                (part * 5..<part * 5 + 5).map { $0 % 5 == 4 ? failed($0) : sent($0) })
                        }
                        _ = try await ledger.write(groups: groups, events: [], now: Example.start)
                    }
                }
            }
            try await group.waitForAll()
        }
        let progress = try #require(try await ledger.progress(id))
        #expect(progress[.sent] == 192 && progress[.failed] == 48 && progress.dispatched == 0)
        #expect(try await ledger.recount(id) == [])
        #expect(try await ledger.complete([id], now: Example.start) == [id])
    }
}
