import Logging
import Model
import NIOPosix
import Signing
import Sink
import TestServers
import Testing
import Text

@testable import Broker
@testable import Delivery

/// Whole workers between a real Redis and an SMTP server that takes everything and keeps count.
@Suite(.timeLimit(.minutes(5)))
struct WorkerTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let server: RedisServer
    private let broker: Broker
    private let sink: RunningSink
    private let token = FencingToken(ledger: "ledger", number: 1)
    private let id: MailingID
    private let lane: Lane
    private let url: String

    init() async throws {
        server = try await RedisServer()
        broker = Self.broker(server, logger)
        sink = try await SinkServer.start(configuration: SinkConfiguration(listeners: [.init(scheme: .smtp)]), logger: logger)
        url = "smtp://127.0.0.1:\(sink.port(.smtp) ?? 0)"
        lane = Lane(channel: .email, provider: url)
        var generator = SystemRandomNumberGenerator()
        id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
    }

    private static func broker(_ server: RedisServer, _ logger: Logger) -> Broker {
        Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 2, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: logger)
    }

    private func begin() async throws -> Epoch {
        let epochs = EpochStore(broker)
        let found = try await epochs.hold(token, time: .seconds(250))
        let epoch = try #require(try await epochs.establish(after: found, fencingToken: token))
        try await PublishedLimits(broker).publishLimits([:], fencingToken: token)
        try await publish(.sending)
        return epoch
    }

    private func publish(
        _ state: MailingState, _ tracking: MailingTracking? = nil, number: UInt32? = nil, by tracker: PublishedTracker? = nil,
        speed: String = ""
    ) async throws {
        var mailing = Mailing(name: "m", channel: .email, provider: url)
        mailing.from = "a@example.com"
        mailing.subject = .init(source: "s")
        mailing.text = .init(source: "t")
        mailing.tracking = tracking
        var publication = PublishedMailings.Publication(id: id, definition: mailing, number: number, state: state, speed: speed)
        publication.tracker = tracker
        try await PublishedMailings(broker).publish([publication], fencingToken: token)
    }

    private func dispatch(_ numbers: Range<Int>, to name: String = "p", lifetime: Int64 = 3_600_000, _ epoch: Epoch) async throws {
        let batches = numbers.map { number in
            var recipients = Recipients(width: 2)
            for index in 0..<10 { recipients.append(row: ["\(number)-\(index)", "\(name)\(number)-\(index)@example.com"]) }
            return DispatchedBatch(
                id: BatchID(mailing: id, number: number), dispatchNumber: 1, recipients: recipients.encoded(), count: 10, open: nil,
                expires: Clock.milliseconds() + lifetime, dispatched: Clock.milliseconds())
        }
        _ = try await BatchQueue(broker).dispatch(batches.map { ($0, lane) }, epoch: epoch, fencingToken: token)
    }

    /// Runs a worker for the time of `body`; who registers is admitted.
    private func working(
        _ name: String, tracker: WorkerConfiguration.Tracker? = nil, _ body: () async throws -> Void
    ) async throws {
        let own = Self.broker(server, logger)
        var configuration = WorkerConfiguration(id: name, hostname: "localhost")
        configuration.concurrency = 4
        configuration.lease = .seconds(250)
        configuration.tracker = tracker
        let worker = Worker(
            configuration: configuration, broker: own, group: .singletonMultiThreadedEventLoopGroup, logger: logger)
        let running = Task { try await worker.run() }
        try await eventually("\(name) is registered") {
            try await WorkerRegistry(broker).all().workers.contains { $0.worker == name }
        }
        try await WorkerRegistry(broker).admit([name])
        do { try await body() } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        try await running.value
        await own.close()
    }

    private func groups() async throws -> [ResultGroup] {
        let status = StatusStreams(broker)
        let entries = try await status.read(consumer: "c", count: 10_000, block: nil)
        try await status.confirm(entries)
        return entries.compactMap { if case .results(let group) = $0.payload { group } else { nil } }
    }

    @Test func whatIsInALaneIsSentOnceAndReported() async throws {
        let epoch = try await begin()
        var told: [ResultGroup] = []
        try await working("a") {
            for part in 0..<3 {
                try await dispatch(part * 10..<(part + 1) * 10, epoch)
                try await eventually("the lane is empty") {
                    told += try await groups()
                    return told.count { $0.closing == .done } == (part + 1) * 10
                }
            }
        }
        let results = told.flatMap { group in group.results.map { "\(group.batch.number)-\($0.index) \($0.state)" } }
        let expected = (0..<30).flatMap { batch in (0..<10).map { index in "\(batch)-\(index) sent" } }
        #expect(Set(results) == Set(expected) && results.count == 300)
        #expect(told.allSatisfy { $0.provider == lane.provider })
        #expect(sink.counts.accepted == 300)
        #expect(try await BatchQueue(broker).lanes().isEmpty)
        await sink.stop()
    }

    @Test func aMailingThatIsPausedGoesBackAndWhoStopsHasNothing() async throws {
        let epoch = try await begin()
        try await publish(.paused)
        try await dispatch(0..<3, epoch)
        var told: [ResultGroup] = []
        try await working("a") {
            try await eventually("all are given back") {
                told += try await groups()
                return told.count { $0.closing == .released } == 3
            }
        }
        #expect(told.flatMap(\.results).isEmpty && sink.counts.accepted == 0)
        #expect(try await WorkerRegistry(broker).holders(of: ["a"]).isEmpty)
        await sink.stop()
    }

    /// Nobody looks at each of the messages that wait for a limit: whoever follows what is published wakes them.
    @Test func whoWaitsForALimitBeyondALifetimeExpires() async throws {
        let epoch = try await begin()
        try await publish(.sending, speed: "1/h")
        var told: [ResultGroup] = []
        try await working("a") {
            try await dispatch(0..<2, lifetime: 2_000, epoch)
            try await eventually("each has a result", within: 40) {
                try await PublishedLimits(broker).publishLimits([:], fencingToken: token)
                told += try await groups()
                return told.count { $0.closing == .done } == 2
            }
        }
        let states = told.flatMap(\.results).map(\.state)
        #expect(states.count { $0 == .expired } == 20 - sink.counts.accepted && sink.counts.accepted <= 1 && states.count == 20)
        await sink.stop()
    }

    @Test func messagesWithLinksToTheTrackerWaitForTheMailingsNumber() async throws {
        let epoch = try await begin()
        try await publish(.sending, MailingTracking())
        try await dispatch(0..<1, epoch)
        let keys = try SigningKeys([1: Secret(String(repeating: "k", count: 32))])
        var told: [ResultGroup] = []
        try await working("a", tracker: .init(url: "https://t.example", keys: keys)) {
            try await eventually("the batch is taken") { try await WorkerRegistry(broker).holders(of: ["a"]).count == 1 }
            #expect(sink.counts.accepted == 0)
            try await publish(
                .sending, MailingTracking(), number: 7, by: PublishedTracker(url: "https://t.example", keys: keys.checkValues))
            try await eventually("it is sent") {
                told += try await groups()
                return told.contains { $0.closing == .done }
            }
        }
        #expect(sink.counts.accepted == 10)
        await sink.stop()
    }

    @Test func aWorkerWithoutTheTrackerAsksForAPauseOfAMailingThatNeedsIt() async throws {
        try await pausing(nil, by: nil, "this worker has no tracker.url")
    }

    /// Nobody would answer its links.
    @Test func aWorkerWhoseLinksNoTrackerKnowsAsksForAPause() async throws {
        func keys(_ letters: [Int: Character]) throws -> SigningKeys {
            try SigningKeys(letters.mapValues { Secret(String(repeating: $0, count: 32)) })
        }
        let planner = PublishedTracker(url: "https://t.example", keys: try keys([1: "k", 2: "l"]).checkValues)
        try await pausing(.init(url: "https://t.example", keys: keys([1: "k", 2: "x"])), by: planner, "another key has that number")
    }

    @Test func aWorkerThatLacksTheAddressOfTheSenderAsksForAPause() async throws {
        let keys = try SigningKeys([1: Secret(String(repeating: "k", count: 32))])
        let tracker = WorkerConfiguration.Tracker(url: "https://t.example", domains: ["a.example": "https://t.a.example"], keys: keys)
        let planner = PublishedTracker(url: "https://t.b.example", keys: keys.checkValues)
        try await pausing(tracker, by: planner, "its entry of tracker.domains for this sender, is https://t.b.example")
    }

    private func pausing(_ tracker: WorkerConfiguration.Tracker?, by planner: PublishedTracker?, _ why: String) async throws {
        let epoch = try await begin()
        try await publish(.sending, MailingTracking(), number: 7, by: planner)
        try await dispatch(0..<1, epoch)
        let status = StatusStreams(broker)
        var halts: [MailingHalt] = []
        try await working("a", tracker: tracker) {
            try await eventually("it asks") {
                let entries = try await status.read(consumer: "c", count: 1_000, block: nil)
                halts += entries.compactMap { if case .halt(id, let halt) = $0.payload { halt } else { nil } }
                return !halts.isEmpty
            }
        }
        #expect(halts[0].cause == .unsendable && halts[0].text.contains(why), "\(halts)")
        #expect(sink.counts.accepted == 0)
        await sink.stop()
    }

    @Test func whoIsSuppressedAfterTheDispatchIsNotStarted() async throws {
        let epoch = try await begin()
        try await dispatch(0..<2, epoch)
        // The ledger was asked about it when the batch was dispatched: it may be removed since.
        _ = try await broker.redis.send([
            "XADD", .text(broker.keys.suppressed), "1-1", "c", "email", "a", "p0-1@example.com", "g", "", "r", "manual",
        ])
        let now = Clock.milliseconds()
        func unsubscribed(_ name: String, _ category: String = "", _ channel: Channel = .email) -> Suppression {
            Suppression(Suppression.Key(channel, "\(name)@example.com", category: category), reason: .unsubscribe, at: now)
        }
        let list = RecentSuppressions(broker)
        try await list.tell([unsubscribed("p0-3"), unsubscribed("p0-4", "news"), unsubscribed("p0-5", "", .sms)], of: "ours")
        var told: [ResultGroup] = []
        try await working("a") {
            try await eventually("two are done") {
                told += try await groups()
                return told.count { $0.closing == .done } == 2
            }
            // What was read before counts for what comes later, and what is new is read.
            try await list.tell([unsubscribed("p2-0"), unsubscribed("p2-9"), unsubscribed("p4-0")], of: "ours")
            try await dispatch(2..<3, epoch)
            try await eventually("three are done") {
                told += try await groups()
                return told.count { $0.closing == .done } == 3
            }
            // Whoever is taken off the list again is sent to, though the worker knows of the suppression.
            try await list.tell([], lifted: [unsubscribed("p4-0").key], of: "ours")
            try await dispatch(4..<5, epoch)
            try await eventually("four are done") {
                told += try await groups()
                return told.count { $0.closing == .done } == 4
            }
            // The list begins anew.
            _ = try await broker.redis.send(["DEL", .text(broker.keys.suppressed)])
            _ = try await broker.redis.send([
                "XADD", .text(broker.keys.suppressed), "2-1", "c", "email", "a", "x", "g", "", "r", "manual",
            ])
            try await dispatch(3..<4, epoch)
            try await eventually("five are done") {
                told += try await groups()
                return told.count { $0.closing == .done } == 5
            }
        }
        let results = told.flatMap { group in group.results.map { ("\(group.batch.number)-\($0.index)", $0) } }
        let skipped = results.filter { $0.1.state == .skipped }
        #expect(skipped.map(\.0).sorted() == ["0-3", "2-0", "2-9"])
        #expect(skipped.allSatisfy { $0.1.response?.text == "unsubscribe, for all mailings, before it was started" })
        #expect(results.count == 50 && results.count { $0.1.state == .sent } == 47 && sink.counts.accepted == 47)
        await sink.stop()
    }

    /// The results of some batches of unknown users, once a worker is done with them.
    private func refused(_ batches: Range<Int>, by worker: String, _ epoch: Epoch) async throws -> [RecipientResult] {
        var told: [ResultGroup] = []
        try await working(worker) {
            try await dispatch(batches, to: "bounce", epoch)
            try await eventually("the batches are done") {
                told += try await groups()
                return told.count { $0.closing == .done } == batches.count
            }
        }
        return told.flatMap(\.results)
    }

    @Test func beforeAnybodyIsAcceptedTheWholeFleetFailsTen() async throws {
        let epoch = try await begin()
        let first = try await refused(0..<2, by: "a", epoch)
        #expect(first.count { $0.state == .failed } == 10)
        #expect(first.count { $0.state == .deferred && $0.doubt == .beforeAcceptance } == 10)
        #expect(try await refused(2..<4, by: "b", epoch).map(\.state) == Array(repeating: .deferred, count: 20))
        try await publish(.paused)
        try await publish(.sending)
        #expect(try await refused(4..<6, by: "c", epoch).count { $0.state == .failed } == 10)
        await sink.stop()
    }

    /// Its lease has expired, with one message done, one in flight and the rest not started.
    @Test func theBatchesOfADeadWorkerAreTakenOver() async throws {
        let epoch = try await begin()
        try await dispatch(0..<1, epoch)
        let queue = BatchQueue(broker)
        let lease = try #require(try await queue.take([.init(lane: lane, count: 1)], worker: "dead").first?.leases.first)
        #expect(try await queue.start(lease, (0..<2).map { OpenRecipient(index: $0, attempts: 0) }) == .go)
        let done = RecipientResult(index: 0, state: .sent, attempts: 1, at: Clock.milliseconds())
        _ = try await queue.report(
            ResultGroup(Dispatch(batch: lease.batch.id, dispatchNumber: 1), worker: "dead.1", sequence: 0, closing: .open, results: [done]),
            of: lease
        )
        _ = try await WorkerRegistry(broker).renew("dead", lease: .milliseconds(1), condition: .clean, losses: 0, isKnown: false)
        var told: [ResultGroup] = []
        try await working("a") {
            try await eventually("it is taken over and done") {
                told += try await groups()
                return told.contains { $0.closing == .done }
            }
        }
        let own = told.filter { $0.worker.hasPrefix("a.") }.flatMap(\.results)
        #expect(own.filter { $0.state == .uncertain }.map(\.index) == [1])
        #expect(own.filter { $0.state == .sent }.map(\.index).sorted() == Array(1..<10))
        #expect(sink.counts.accepted == 9)
        await sink.stop()
    }
}
