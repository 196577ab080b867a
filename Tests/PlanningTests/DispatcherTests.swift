import Foundation
import GRDB
import Ledger
import Logging
import Model
import NIOPosix
import ServiceLifecycle
import TestServers
import Testing

@testable import Broker
@testable import Planning

/// The dispatcher and its epoch manager, on a real Redis and a real ledger.
@Suite(.timeLimit(.minutes(5)))
struct DispatcherTests {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let server: RedisServer
    let broker: Broker
    let folder: TemporaryFolder
    let ledger: SQLiteLedger
    let status: StatusStreams
    let token = FencingToken(ledger: "ledger", number: 1)
    let id: MailingID
    let lane = Lane(channel: .email, provider: "relay")
    let tracker = PublishedTracker(url: "https://t.example", keys: [1: "check"])

    init() async throws {
        server = try await RedisServer()
        broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 2, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: logger)
        folder = try TemporaryFolder()
        var options = SQLiteLedger.Options()
        options.overwriteLook = .zero
        ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: logger, options: options)
        status = StatusStreams(broker)
        var generator = SystemRandomNumberGenerator()
        id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
    }

    /// A mailing that is being sent, with so many batches of two.
    func plan(
        _ batches: Int, uncertain: Mailing.UncertainPolicy = .redeliver, tracking: MailingTracking? = nil, of other: MailingID? = nil
    ) async throws {
        let id = other ?? id
        let now = Clock.milliseconds()
        var mailing = Mailing(name: "m", channel: .email, provider: "relay")
        mailing.uncertain = uncertain
        mailing.tracking = tracking
        try await ledger.create(id, mailing: mailing, source: nil, origin: "", state: .collecting, now: now)
        let planned = (0..<batches).map { number in
            var recipients = Recipients(width: 2)
            for index in 0..<2 { recipients.append(row: ["\(number)-\(index)", "p\(number)-\(index)@example.com"]) }
            return PlannedBatch(number: number, recipients: recipients)
        }
        try await ledger.appendPlan(id, batches: planned, exclusions: [], rowsRead: 2 * batches)
        try await ledger.finishPlan(id, now: now)
    }

    /// Runs a dispatcher for the time of `body`.
    func dispatching(
        _ token: FencingToken? = nil, window: Int = 8, from other: SQLiteLedger? = nil, _ body: () async throws -> Void
    ) async throws {
        var configuration = Dispatcher.Configuration(window: window, workerLease: .seconds(10))
        configuration.tracker = { [tracker] _ in tracker }
        let dispatcher = Dispatcher(
            configuration, broker: broker, ledger: other ?? ledger, fencingToken: token ?? self.token, logger: logger)
        let running = Task { try await dispatcher.run() }
        defer { running.cancel() }
        try await body()
        running.cancel()
        try await running.value
    }

    func take(_ count: Int = 100) async throws -> [BatchLease] {
        try await BatchQueue(broker).take([.init(lane: lane, count: count)], worker: "w").flatMap(\.leases)
    }

    /// Takes a number of batches as they come.
    func takeAll(_ count: Int) async throws -> [BatchLease] {
        var leases: [BatchLease] = []
        try await eventually("\(count) batches are dispatched") {
            leases += try await take()
            return leases.count >= count
        }
        return leases
    }

    func report(_ lease: BatchLease, sent: [Int] = [0, 1], _ closing: ResultGroup.Closing = .done, sequence: Int = 0) async throws {
        let results = sent.map {
            RecipientResult(
                index: $0, state: .sent, attempts: 1, at: Clock.milliseconds(),
                response: ProviderResponse(action: .accept, stage: .response, code: 250, text: "Ok"))
        }
        let group = ResultGroup(
            Dispatch(batch: lease.batch.id, dispatchNumber: lease.batch.dispatchNumber), worker: "w.1", provider: lane.provider,
            sequence: sequence,
            closing: closing, results: results)
        _ = try await BatchQueue(broker).report(group, of: lease)
    }

    /// What a collector does, once.
    func collect() async throws {
        let entries = try await status.read(consumer: "c", count: 1_000, block: nil)
        guard !entries.isEmpty else { return }
        let groups = entries.compactMap { entry in if case .results(let group) = entry.payload { group } else { nil } }
        let summary = try await ledger.write(groups: groups, events: [], now: Clock.milliseconds())
        try await status.confirm(entries, over: summary.over)
    }

    /// Another program writes to what is published.
    @Test func lostPublicationsAreWrittenAgain() async throws {
        try await plan(20)
        let key = RedisArgument.text(broker.keys.mailing(id))
        try await dispatching {
            try await eventually("it is published") { try await broker.redis.send(["HGET", key, "state"]).text == "sending" }
            for change in [["HSET", key, "state", "garbage"], ["HSET", key, "speed", "fast"], ["HDEL", key, "definition"]] {
                let before = try await PublishedMailings(broker).controls(id)
                _ = try await broker.redis.send(change)
                try await eventually("it is as it was") {
                    guard case .known = try await PublishedMailings(broker).definition(id) else { return false }
                    return try await PublishedMailings(broker).controls(id) == before
                }
            }
            _ = try await broker.redis.send(["HSET", .text(broker.keys.limits), "provider:relay", "1/h"])
            try await eventually("the limits are as they were") { try await PublishedLimits(broker).limits() == [:] }
            _ = try await broker.redis.send(["SET", .text(broker.keys.partitions), "77"])
            try await eventually("the partitions are as they were") {
                try await broker.redis.send(["GET", .text(broker.keys.partitions)]).text == "2"
            }
        }
    }

    /// Links to the tracker have no room for an id.
    @Test(arguments: [true, false]) func aMailingWithLinksToTheTrackerIsPublishedWithItsNumber(_ isTracked: Bool) async throws {
        try await plan(1, tracking: isTracked ? MailingTracking() : nil)
        let number = try #require(try await ledger.number(of: id))
        try await dispatching {
            try await eventually("it is published") {
                guard case .known(let definition) = try await PublishedMailings(broker).definition(id) else { return false }
                return definition.number == (isTracked ? number : nil) && definition.tracker == (isTracked ? tracker : nil)
            }
        }
    }

    @Test func aMailingThatCannotBeReadIsPausedAlone() async throws {
        try await plan(4)
        let file = try DatabaseQueue(path: folder.path("ledger.sqlite"))
        try await file.write { db in try db.execute(sql: "UPDATE mailing SET definition = '{'") }
        try file.close()
        try await dispatching {
            try await eventually("it is paused") { try await ledger.unreadableMailings(limit: 9).map(\.state) == ["paused"] }
        }
    }

    /// Its channel is one that this release does not know, either.
    @Test func aMailingOfANewerReleaseIsLeftToItsDispatcher() async throws {
        var generator = SystemRandomNumberGenerator()
        let newer = MailingID(milliseconds: Clock.milliseconds() - 1, using: &generator)
        try await plan(4, of: newer)
        try await plan(4)
        let file = try DatabaseQueue(path: folder.path("ledger.sqlite"))
        try await file.write { db in
            let changes = "channel = 'pigeon', definition = json_set(definition, '$.version', 4, '$.channel', 'pigeon')"
            try db.execute(sql: "UPDATE mailing SET \(changes) WHERE id = ?", arguments: [newer.description])
        }
        try file.close()
        try await dispatching {
            for lease in try await takeAll(4) {
                #expect(lease.batch.id.mailing == id)
                try await report(lease)
            }
            try await collect()
            try await eventually("the other is complete") { try await ledger.mailing(id)?.state == .sent }
        }
        let left = try await ledger.unreadableMailings(limit: 9)
        #expect(left.map(\.state) == ["sending"] && left.allSatisfy(\.isNewer))
    }

    @Test func aMailingIsPublishedDispatchedAndComplete() async throws {
        try await plan(20)
        try await dispatching {
            var done = 0
            try await eventually("all are through", within: 120) {
                for lease in try await take() {
                    try await report(lease)
                    done += 1
                }
                // Never more than the window and a few of the mailing's own.
                let entries = try await BatchQueue(broker).counts([lane])[0].entries
                #expect(entries <= 9)
                try await collect()
                return try await ledger.mailing(id)?.state == .sent
            }
            #expect(done == 20)
            try await eventually("nothing is left of it") {
                let published = try await PublishedMailings(broker).all()
                let lanes = try await BatchQueue(broker).lanes()
                return published.isEmpty && lanes.isEmpty
            }
            #expect(try await ledger.progress(id)?[.sent] == 40)
        }
    }

    @Test func aStateThatChangesIsPublished() async throws {
        try await plan(2)
        try await dispatching {
            try await eventually("it is published") { try await PublishedMailings(broker).controls(id)?.state == .sending }
            _ = try await ledger.setState(id, to: .paused, from: [.sending], reason: .none, now: Clock.milliseconds())
            try await eventually("the pause is published") { try await PublishedMailings(broker).controls(id)?.state == .paused }
        }
    }

    /// It ended between the mark in the ledger and the dispatch: nobody can have worked on that.
    @Test func aDispatchThatDidNotReachRedisIsMadeAgain() async throws {
        try await dispatching {
            try await eventually("an epoch is begun") { try await broker.redis.send(["EXISTS", .text(broker.keys.epoch)]).int == 1 }
        }
        try await plan(3)
        let lost = try await ledger.dispatchBatches([(id, 2)], now: Clock.milliseconds())
        #expect(lost.map(\.dispatchNumber) == [1, 1])
        try await dispatching(FencingToken(ledger: "ledger", number: 2)) {
            let leases = try await takeAll(3)
            let numbers = Dictionary(uniqueKeysWithValues: leases.map { ($0.batch.id.number, $0.batch.dispatchNumber) })
            #expect(numbers == [0: 2, 1: 2, 2: 1])
            // The command may have been on its way all the time.
            let late = try await BatchQueue(broker).dispatch(
                lost.map { ($0, lane) }, epoch: leases[0].epoch, fencingToken: FencingToken(ledger: "ledger", number: 2))
            #expect(late == 0)
        }
        #expect(try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 10).isEmpty)
    }

    /// Whatever happens to Redis before the next start, nobody in what no worker had is uncertain.
    @Test func atAStopInGoodOrderWhatNoWorkerHasIsTakenBack() async throws {
        try await plan(3, uncertain: .hold)
        let dispatcher = Dispatcher(
            .init(window: 8, workerLease: .seconds(10)), broker: broker, ledger: ledger, fencingToken: token, logger: logger)
        let group = ServiceGroup(services: [dispatcher], logger: logger)
        let running = Task { try await group.run() }
        var leases: [BatchLease] = []
        try await eventually("one is taken") {
            leases += try await take(1)
            return leases.count == 1
        }
        try await eventually("the others are ready") { try await BatchQueue(broker).counts([lane])[0].entries == 3 }
        await group.triggerGracefulShutdown()
        try await running.value
        #expect(try await ledger.openDispatches(of: [id])[id, default: []].map(\.number) == [leases[0].batch.id.number])
        #expect(try await BatchQueue(broker).counts([lane])[0] == (1, 1))
        // The worker, which stops after it, has the rest of its batch to give back.
        try await report(leases[0], sent: [0], .released)
        try await collect()
        #expect(try await ledger.openDispatches(of: [id])[id, default: []].isEmpty)
        _ = try await broker.redis.send(["FLUSHALL"])
        try await dispatching(FencingToken(ledger: "ledger", number: 2)) {
            let again = try await takeAll(3)
            #expect(again.allSatisfy { $0.batch.dispatchNumber == 2 })
        }
        #expect(try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 10).isEmpty)
    }

    /// What a private Redis knew that has ended is noted beside the ledger, and the next one knows it.
    @Test func whatARedisThatHasEndedHadDispatchedIsKnownToTheNext() async throws {
        try await plan(6)
        let copy = folder.path("copy.sqlite")
        try await dispatching(window: 1) {
            _ = try LedgerBackup.make(of: folder.path("ledger.sqlite"), to: copy)
            try await report(takeAll(1)[0])
            try await collect()
            try await report(takeAll(1)[0])
            try await collect()
            _ = try await takeAll(1)
        }
        let reached = try await EpochStore(broker).reached([id])
        #expect((reached[id] ?? 0) >= 2)
        try await ledger.note(reached: reached)
        let path = folder.path("ledger.sqlite")
        try ledger.close()
        for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
        try FileManager.default.moveItem(atPath: copy, toPath: path)
        _ = try await broker.redis.send(["FLUSHALL"])
        let older = try SQLiteLedger.open(path, logger: logger)
        try await dispatching(window: 8, from: older) { _ = try await takeAll(6) }
        // What was never dispatched is not in doubt.
        let listed = Set(try await older.uncertain(id, onlyHeld: false, after: nil, limit: 100).map(\.batch))
        #expect(listed == Set(0...(reached[id] ?? 0)) && !listed.contains(5))
        #expect(try await older.note()?.reached == nil)
    }
}
