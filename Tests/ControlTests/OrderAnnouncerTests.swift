import Ledger
import Logging
import Model
import NIOPosix
import Policy
import Signing
import Synchronization
import TestServers
import Testing

@testable import Broker
@testable import Control

/// Orders reach the workers though no planner is at work.
@Suite struct OrderAnnouncerTests {
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let folder: TemporaryFolder
    private let ledger: SQLiteLedger
    private let server: RedisServer
    private let broker: Broker
    private let published: PublishedMailings
    private let control: Control
    private let ann: OrderActor
    private let id: MailingID

    init() async throws {
        folder = try TemporaryFolder()
        ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: quiet)
        server = try await RedisServer()
        broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket), timeout: .seconds(1)), prefix: "test", partitions: 2, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: quiet)
        published = PublishedMailings(broker)
        control = Control(ledger: ledger, broker: broker, logger: quiet)
        ann = try OrderActor("ann")
        var generator = SeededGenerator(seed: 1)
        id = MailingID(milliseconds: 1, using: &generator)
        try await ledger.create(
            id, mailing: Mailing(name: "x", channel: .email, provider: "p"), source: nil, origin: "", state: .scheduled, now: 1)
        var recipients = Recipients(width: 2)
        recipients.append(row: ["1", "p1@example.com"])
        try await ledger.appendPlan(id, batches: [PlannedBatch(number: 0, recipients: recipients)], exclusions: [], rowsRead: 1)
        try await ledger.finishPlan(id, now: 2)
        _ = try await ledger.dispatchBatches([(id, 1)], now: 3)
    }

    /// As a dispatcher does that has ended since.
    private func publish() async throws {
        let token = FencingToken(ledger: "l", number: 1)
        _ = try await EpochStore(broker).hold(token, time: .seconds(60))
        try await published.publish(
            [.init(id: id, definition: Mailing(name: "x", channel: .email, provider: "p"), state: .sending, speed: "")], fencingToken: token
        )
    }

    @Test func workersSeeAPauseASpeedAndAStopWithoutAPlanner() async throws {
        try await publish()
        let woken = try await broker.redis.send(["XLEN", .text(broker.keys.wake)]).int ?? 0
        #expect(try await control.carryOut(PauseMailing(id), by: ann) == OrderReach())
        #expect(try await published.controls(id) == .init(state: .paused, speed: ""))
        #expect(try await broker.redis.send(["XLEN", .text(broker.keys.wake)]).int == woken + 1)
        #expect(try await control.carryOut(SetSpeed(id, RateLimit("5/s")), by: ann).reach.unreported == nil)
        #expect(try await published.controls(id) == .init(state: .paused, speed: "5/s"))
        #expect(try await control.carryOut(ResumeMailing(id), by: ann).reach.unreported == nil)
        #expect(try await published.controls(id)?.state == .sending)
        #expect(try await control.carryOut(StopMailing(id), by: ann).reach.unreported == nil)
        #expect(try await published.controls(id)?.state == .stopped)
        guard case .known = try await published.definition(id) else { throw RedisError.closed }
        await broker.close()
    }

    /// It would stay for good, as no planner knows of it.
    @Test func aMailingThatIsNotPublishedIsNotMadeSo() async throws {
        #expect(try await control.carryOut(PauseMailing(id), by: ann).unreported == nil)
        #expect(try await published.all().isEmpty)
        await broker.close()
    }

    /// Whoever publishes last has published what holds, however two persons' orders fall together.
    @Test func whatIsPublishedInTheEndIsWhatTheLedgerHas() async throws {
        try await publish()
        for _ in 0..<10 {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    group.addTask { _ = try? await control.carryOut(PauseMailing(id), by: ann) }
                    group.addTask { _ = try? await control.carryOut(ResumeMailing(id), by: ann) }
                }
            }
            #expect(try await published.controls(id)?.state == ledger.mailing(id)?.state)
        }
        await broker.close()
    }

    @Test func workersAreToldWhoIsImportedAndWhoIsTakenOff() async throws {
        let keys = (0..<4).map { Suppression.Key(.email, "a\($0)@example.com") }
        var rows = keys.map { Suppression($0, reason: .imported, at: 1) }
        // It has expired.
        rows[3].expires = 2
        let list = RecentSuppressions(broker)
        let hasher = try AddressHasher(ledger: try await ledger.identity())
        let hashed = keys.map { hasher.text(of: $0.address) }
        // What is imported again is told of once.
        for _ in 0..<2 {
            let parts = Mutex([Array(rows[..<2]), Array(rows[2...])])
            let order = ImportSuppressions(file: "f", next: { parts.withLock { $0.isEmpty ? nil : $0.removeFirst() } })
            _ = try await control.carryOut(order, by: ann)
            #expect(try await list.read(after: "").entries.map(\.key.address) == Array(hashed[..<3]))
        }
        #expect(try await control.carryOut(RemoveSuppressions([keys[1]]), by: ann).count == 1)
        let last = try #require(try await list.read(after: "").entries.last)
        #expect(last.key.address == hashed[1] && last.isLifted)
        await broker.close()
    }

    @Test func anUnavailableRedisIsReported() async throws {
        server.stop()
        let reach = try await control.carryOut(PauseMailing(id), by: ann)
        #expect(reach.planner == nil && reach.unreported?.contains("cannot be reached") == true)
        #expect(try await ledger.mailing(id)?.state == .paused)
        await broker.close()
    }

    /// A planner that leads tells the workers only where it reaches Redis.
    @Test func whatThePlannerSaysOfRedisIsTold() async throws {
        _ = try await ledger.acquireLeadership(
            Leadership.planning, holder: "planner-1", for: .seconds(60), isHolderGone: false)
        try await ledger.setRedisProblem("Redis is gone")
        server.stop()
        let reach = try await control.carryOut(PauseMailing(id), by: ann)
        #expect(reach.planner == "planner-1" && reach.isRedisNamed)
        #expect(reach.problem == "Redis is gone" && reach.unreported != nil)
        await broker.close()
        let unnamed = try await Control(ledger: ledger, broker: nil, logger: quiet).carryOut(ResumeMailing(id), by: ann).reach
        #expect(!unnamed.isRedisNamed && unnamed.problem == "Redis is gone")
    }
}
