import Foundation
import Model
import NIOPosix
import TestServers
import Testing
import Text

@testable import Broker

/// The whole protocol on a Redis in cluster mode, as a user who may touch keys of one hash tag alone.
@Suite(.timeLimit(.minutes(5)))
struct ClusterTests {
    private let server: RedisServer
    private let broker: Broker
    private let status: StatusStreams
    private let first = Self.mailing(1)
    private let second = Self.mailing(2)
    private let fencingToken = FencingToken(ledger: "ledger", number: 1)
    private let lanes = [Lane(channel: .email, provider: "main"), Lane(channel: .sms, provider: "https://gateway.example")]

    private var queue: BatchQueue { BatchQueue(broker) }
    private var workers: WorkerRegistry { WorkerRegistry(broker) }
    private var epochs: EpochStore { EpochStore(broker) }

    init() async throws {
        server = try await RedisServer.cluster(["--user", "flotilla", "on", ">pass", "~{test}:*", "+@all"])
        broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket), username: "flotilla", password: Secret("pass")), prefix: "test",
            partitions: 3, name: "test", group: .singletonMultiThreadedEventLoopGroup, logger: quiet)
        status = StatusStreams(broker)
        try await broker.check()
    }

    private static func mailing(_ seed: UInt64) -> MailingID {
        var generator = SeededGenerator(seed: seed)
        return MailingID(milliseconds: 1_796_112_000_000, using: &generator)
    }

    private func batch(_ mailing: MailingID, _ number: Int) -> DispatchedBatch {
        DispatchedBatch(
            id: BatchID(mailing: mailing, number: number), dispatchNumber: 1, recipients: Array("[]".utf8), count: 3, open: nil, expires: 5,
            dispatched: 7)
    }

    private func results(
        _ lease: BatchLease, _ sequence: Int, _ closing: ResultGroup.Closing, _ indexes: Range<Int>
    ) -> ResultGroup {
        ResultGroup(
            Dispatch(batch: lease.batch.id, dispatchNumber: 1), worker: "\(lease.holder.worker).\(lease.holder.deliveries)",
            sequence: sequence,
            closing: closing,
            results: indexes.map { RecipientResult(index: $0, state: .sent, attempts: 1, at: 1_000_000) })
    }

    @Test func everyScriptRuns() async throws {
        let epoch = try await lead()
        let lease = try await dispatch(epoch)
        let heir = try await loseAndTakeOver(lease)
        try await recall(epoch)
        try await collect(heir)
        try await lookForLostKeys()
        try await limit()
        try await keepUnreadable()
        let event = TrackedEvent(.open, mailing: 1, batch: 0, index: 0, time: 1)
        #expect(try await EventStreams(broker).append([EventBatch(source: 1, sequence: 0, events: [event]).encoded()], to: 1))
        try await broker.renumber(broker.keys.events(1), by: broker.keys.eventsAnew(1))
        #expect(try await ReplayStreams(broker).putBack(ledger: "ledger", standing: "1 1 1") == 0)
        let questions = QuestionStore(broker)
        #expect(try await questions.answer([1: [NumberedAnswer(1, .gone)]], []) == 1)
        await questions.close()

        let cached = try server.cli("INFO", "memory").split(whereSeparator: \.isNewline).first { $0.hasPrefix("number_of_cached_scripts:") }
        #expect(cached == "number_of_cached_scripts:\(ScriptKeyTests.names.count)", "scripts that no step above has run")
        let keys = try server.cli("KEYS", "*").split(separator: "\n")
        #expect(keys.count > 10 && keys.allSatisfy { $0.hasPrefix("{test}:") }, "\(keys)")
        await status.close()
        await broker.close()
    }

    /// The dispatcher leads, admits two workers, and publishes.
    private func lead() async throws -> Epoch {
        let found = try await epochs.hold(fencingToken, time: .seconds(300))
        let epoch = try #require(try await epochs.establish(after: found, fencingToken: fencingToken))
        _ = try await workers.renew("a", lease: .seconds(300), condition: .clean, losses: 0, isKnown: false)
        try await workers.admit(["a", "b"])
        #expect(try await workers.renew("a", lease: .seconds(300), condition: .clean, losses: 0, isKnown: true).isAdmitted)
        try await PublishedMailings(broker).publish(
            [first, second].map {
                .init(id: $0, definition: Mailing(name: "m", channel: .email, provider: "main"), state: .sending, speed: "")
            }, fencingToken: fencingToken)
        try await PublishedLimits(broker).publishLimits(["provider:main": "5/s", "channel:sms": "none"], fencingToken: fencingToken)
        #expect(try await PublishedMailings(broker).order(first, state: .sending, speed: ""))
        #expect(try await queue.mayFail(3, of: first, most: 2) == 2)
        return epoch
    }

    /// Dispatches batches of two mailings to two lanes, each mailing and lane with keys of its own; a worker takes them.
    /// - Returns: the lease of the first batch.
    private func dispatch(_ epoch: Epoch) async throws -> BatchLease {
        let batches = [(batch(first, 0), lanes[0]), (batch(first, 1), lanes[1]), (batch(second, 0), lanes[0])]
        #expect(try await queue.dispatch(batches.map { (batch: $0.0, lane: $0.1) }, epoch: epoch, fencingToken: fencingToken) == 3)
        #expect(try await queue.dispatched([first, second], epoch: epoch) == [first: [0: 1, 1: 1], second: [0: 1]])
        let other = Dispatch(batch: BatchID(mailing: second, number: 9), dispatchNumber: 1)
        #expect(try await queue.withdraw(other, epoch: epoch, fencingToken: fencingToken))
        let taken = try await queue.take(lanes.map { .init(lane: $0, count: 5) }, worker: "a")
        #expect(taken.map(\.leases.count) == [2, 1])
        // Its registration is lost and made again.
        _ = try server.cli("DEL", broker.keys.workerLanes("a"))
        #expect(try await queue.inspect(lanes, lease: .seconds(10)) == nil)
        #expect(try await queue.reclaim(worker: "a", known: [:]).count == 3)
        return try #require(taken.first?.leases.first)
    }

    /// One worker starts a batch and loses it to the other one, which closes it.
    /// - Returns: the lease of the other one.
    private func loseAndTakeOver(_ lease: BatchLease) async throws -> BatchLease {
        let everybody = (0..<3).map { OpenRecipient(index: $0, attempts: 0) }
        #expect(try await queue.start(lease, everybody) == .go)
        try await queue.unmark(lease, [2])
        #expect(try await queue.report(results(lease, 0, .open, 0..<1), of: lease) != nil)
        _ = try await workers.renew("a", lease: .zero, condition: .clean, losses: 0, isKnown: true)
        let dead = try #require(try await workers.all().workers.first { $0.worker == "a" })
        let over = try await queue.takeOver(dead, worker: "b", count: 10)
        #expect(over.count == 3 && over.allSatisfy { $0.from == "a" && $0.holder.deliveries == 2 })
        let heir = try #require(over.first { $0.batch.id == lease.batch.id })
        let marks = try #require(try await queue.marks(heir))
        #expect((0..<3).map { marks[$0] } == [.done, .started, .notStarted])
        #expect(try await queue.report(results(heir, 0, .done, 1..<3), of: heir) != nil)
        try await workers.forget("a")
        try await workers.clearLanes(of: "b")
        return heir
    }

    /// The dispatcher takes back what no worker has.
    private func recall(_ epoch: Epoch) async throws {
        #expect(
            try await queue.dispatch([(batch: batch(first, 5), lane: lanes[0])], epoch: epoch, fencingToken: fencingToken) == 1)
        #expect(try await queue.recall([first, second], epoch: epoch, fencingToken: fencingToken).map(\.batch.number) == [5])
    }

    /// The collector takes the results, which ends the dispatch.
    private func collect(_ heir: BatchLease) async throws {
        let entries = try await status.read(consumer: "c", count: 100, block: .milliseconds(20))
        #expect(entries.count == 2)
        try await status.confirm(entries, over: [Dispatch(batch: heir.batch.id, dispatchNumber: 1)])
        #expect(try await queue.dispatchedCounts([heir.batch.id.mailing]) == [2])
    }

    /// What looks for keys that are lost, and for an older ledger.
    private func lookForLostKeys() async throws {
        #expect(try await queue.inspect(lanes, lease: .seconds(10)) == nil)
        _ = try await queue.entries(lanes)
        _ = try await queue.fullness(lanes)
        #expect(try await queue.lacking([(second, 100)]) == [second])
        _ = try await PublishedMailings(broker).altered([first: .init(state: .sending, speed: "")])
        _ = try server.cli("DEL", broker.keys.status(0))
        _ = try await status.read(consumer: "c", count: 100, block: .milliseconds(20))
        #expect(try await !epochs.distrust(ledger: "another"))
        _ = try await epochs.note(commits: 7, of: "ledger")
        #expect(try await epochs.reached([first, second]) == [first: 5, second: 0])
        _ = try await queue.inside([lanes[0]])
    }

    /// Limits, adaptive rates and heartbeats.
    private func limit() async throws {
        let throttle = Throttle(broker)
        let scopes = [LimitScope.provider("main"), .mailing("\(first)")].map { Throttle.ScopeLimit($0, interval: 1000, burst: 1) }
        _ = try await throttle.reserve(3, in: scopes, horizon: .milliseconds(200))
        _ = try await throttle.turn(3, in: .domain("d"), interval: 1_000_000)
        let rates = AdaptiveRateStore(broker, interval: 1, backoff: 60_000_000)
        _ = try await rates.observe(.provider("main"), answered: 1, throttled: 0, started: 1)
        let judged = try await eventually { try await rates.observe(.provider("main"), answered: 1, throttled: 1, started: 1).case }
        #expect(try await rates.steer(.provider("main"), judged, state: "s", interval: 5))
        var heartbeats = HeartbeatWriter(broker, process: "a")
        var heartbeat = Heartbeat(role: .worker, version: "1", host: "h", process: 1, started: 1, cpu: 0, memory: 0)
        heartbeat.mailings = ["m": .init(waiting: 1)]
        for _ in 0..<2 { try await heartbeats.beat(heartbeat) }
        #expect(try await HeartbeatStore(broker).all().map(\.heartbeat.mailings) == [heartbeat.mailings])
        try await HeartbeatStore(broker).forget()
        try await PublishedMailings(broker).remove(second, fencingToken: fencingToken)
    }

    /// Entries that cannot be read, and a key of a wrong type.
    private func keepUnreadable() async throws {
        _ = try await broker.redis.send(["XADD", .text(broker.keys.status(0)), "*", "v", "x"])
        let unreadable = try await status.read(consumer: "c", count: 100, block: .seconds(1))
        #expect(unreadable.contains { $0.letter != nil })
        try await status.confirm(unreadable)
        try await DeadLetters(broker).keep("1-1", of: lanes[0], why: "a test", isRemoved: false)
        _ = try server.cli("SET", broker.keys.heartbeats, "x")
        await #expect(throws: RedisError.self) { try await HeartbeatStore(broker).all() }
        #expect(try await HeartbeatStore(broker).all().isEmpty)
    }

    /// Of whatever prefix: two keys of one Flotilla share a slot.
    @Test(arguments: ["flotilla", "a-b", "{mail}", "mail{ing}s"])
    func allKeysOfAPrefixShareASlot(prefix: String) throws {
        let keys = Keys(prefix: prefix)
        let names = [keys.epoch, keys.lane(lanes[0]), keys.dispatched(first), keys.throttle(.domain("{x}")), keys.workerLanes("}{")]
        let slots =
            try names
            .map { try server.cli("CLUSTER", "KEYSLOT", $0) }
        #expect(Set(slots).count == 1, "\(slots)")
    }
}
