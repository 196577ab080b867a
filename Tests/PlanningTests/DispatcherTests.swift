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
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let server: RedisServer
    private let broker: Broker
    private let folder: TemporaryFolder
    private let ledger: SQLiteLedger
    private let status: StatusStreams
    private let token = FencingToken(ledger: "ledger", number: 1)
    private let id: MailingID
    private let lane = Lane(channel: .email, provider: "relay")

    init() async throws {
        server = try await RedisServer()
        broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 2, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: logger)
        folder = try TemporaryFolder()
        ledger = try SQLiteLedger.open(folder.path("ledger.sqlite"), logger: logger)
        status = StatusStreams(broker)
        var generator = SystemRandomNumberGenerator()
        id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
    }

    /// A mailing that is being sent, with so many batches of two.
    private func plan(_ batches: Int, uncertain: Mailing.UncertainPolicy = .redeliver, of other: MailingID? = nil) async throws {
        let id = other ?? id
        let now = Clock.milliseconds()
        try await ledger.create(
            id, mailing: Mailing(name: "m", channel: .email, provider: "relay", uncertain: uncertain), source: nil, origin: "",
            state: .collecting, now: now)
        let planned = (0..<batches).map { number in
            var recipients = Recipients(width: 2)
            for index in 0..<2 { recipients.append(row: ["\(number)-\(index)", "p\(number)-\(index)@example.com"]) }
            return PlannedBatch(number: number, recipients: recipients)
        }
        try await ledger.appendPlan(id, batches: planned, exclusions: [], rowsRead: 2 * batches)
        try await ledger.finishPlan(id, now: now)
    }

    /// Runs a dispatcher for the time of `body`.
    private func dispatching(
        _ token: FencingToken? = nil, window: Int = 8, from other: SQLiteLedger? = nil, _ body: () async throws -> Void
    ) async throws {
        let dispatcher = Dispatcher(
            .init(window: window, workerLease: .seconds(10)), broker: broker, ledger: other ?? ledger, fencingToken: token ?? self.token,
            logger: logger)
        let running = Task { try await dispatcher.run() }
        defer { running.cancel() }
        try await body()
        running.cancel()
        try await running.value
    }

    private func take(_ count: Int = 100) async throws -> [BatchLease] {
        try await BatchQueue(broker).take([.init(lane: lane, count: count)], worker: "w").flatMap(\.leases)
    }

    /// Takes a number of batches as they come.
    private func takeAll(_ count: Int) async throws -> [BatchLease] {
        var leases: [BatchLease] = []
        try await eventually("\(count) batches are dispatched") {
            leases += try await take()
            return leases.count >= count
        }
        return leases
    }

    private func report(_ lease: BatchLease, sent: [Int] = [0, 1], _ closing: ResultGroup.Closing = .done, sequence: Int = 0) async throws {
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
    private func collect() async throws {
        let entries = try await status.read(consumer: "c", count: 1_000, block: nil)
        guard !entries.isEmpty else { return }
        let groups = entries.compactMap { entry in if case .results(let group) = entry.payload { group } else { nil } }
        let summary = try await ledger.write(groups: groups, events: [], now: Clock.milliseconds())
        try await status.confirm(entries, over: summary.over)
    }

    /// Another program writes to what is published.
    @Test func whatIsPublishedIsMended() async throws {
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

    /// Also those learn it who cannot ask Redis.
    @Test func theLedgerSaysWhatHoldsRedisUp() async throws {
        try await plan(4)
        try await dispatching {
            try await eventually("it is published") { try await !PublishedMailings(broker).all().isEmpty }
            _ = try await broker.redis.send(["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"])
            try await eventually("the policy is named") { try await ledger.redisProblem()?.contains("allkeys-lru") == true }
            _ = try await broker.redis.send(["CONFIG", "SET", "maxmemory-policy", "noeviction"])
            try await eventually("nothing holds it up") { try await ledger.redisProblem() == nil }
            server.stop()
            try await eventually("Redis is named") { try await ledger.redisProblem() != nil }
            try await server.start()
            try await eventually("nothing holds it up again", within: 60) { try await ledger.redisProblem() == nil }
        }
    }

    /// An epoch that this dispatcher did not begin is no epoch, though it has the form of one.
    @Test func anEpochThatWasAlteredIsOver() async throws {
        try await plan(4)
        try await dispatching {
            _ = try await takeAll(1)
            let epoch = try #require(try await broker.redis.send(["GET", .text(broker.keys.epoch)]).text)
            _ = try await broker.redis.send(["SET", .text(broker.keys.epoch), .text(epoch + "x")])
            try await eventually("another has begun") {
                let now = try await broker.redis.send(["GET", .text(broker.keys.epoch)]).text
                return now != nil && now != epoch && now != epoch + "x"
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
            let changes = "channel = 'pigeon', definition = json_set(definition, '$.version', 2, '$.channel', 'pigeon')"
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

    @Test func afterALossWhatIsNotKnownToBeSentIsDispatchedAgain() async throws {
        try await plan(2)
        try await dispatching {
            let before = try await takeAll(2)
            try await report(before[0])
            try await report(before[1], sent: [0], .open)
            try await collect()
            _ = try await broker.redis.send(["FLUSHALL"])
            // No worker was ever registered: there is nobody to wait for.
            let after = try await takeAll(1)
            #expect(after.map(\.batch.id) == [before[1].batch.id] && after.map(\.batch.dispatchNumber) == [2])
            #expect(after[0].epoch != before[0].epoch && after[0].batch.open?.map(\.index) == [1])
            try await report(after[0], sent: [1])
            try await eventually("it is complete") {
                try await collect()
                return try await ledger.mailing(id)?.state == .sent
            }
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

    @Test func aRedisThatBeginsToThrowKeysAwayIsNotUsedUntilItStops() async throws {
        try await plan(2)
        try await dispatching {
            let before = try await takeAll(2)
            _ = try server.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
            try await eventually("the epoch has ended") { try await EpochStore(broker).hold(token, time: .seconds(250)).epoch == nil }
            #expect(try await BatchQueue(broker).start(before[0], [OpenRecipient(index: 0, attempts: 0)]) == .lost)
            _ = try server.cli("CONFIG", "SET", "maxmemory-policy", "noeviction")
            #expect(try await takeAll(2).allSatisfy { $0.batch.dispatchNumber == 2 })
        }
        #expect(try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 10).isEmpty)
    }

    /// A worker has died with Redis. Those who live tell what they had, and only the others' batches are in doubt.
    @Test func whatALivingWorkerHadIsNotInDoubt() async throws {
        try await plan(2)
        let registry = WorkerRegistry(broker)
        func renew(_ worker: String, losses: Int) async throws -> WorkerRegistry.Renewal {
            try await registry.renew(worker, lease: .seconds(250), condition: .clean, losses: losses, isKnown: losses > 0)
        }
        try await dispatching {
            for worker in ["w", "dead"] { try await eventually("\(worker) is admitted") { try await renew(worker, losses: 0).isAdmitted } }
            let leases = try await takeAll(2)
            _ = try await broker.redis.send(["FLUSHALL"])
            let own = Dispatch(batch: leases[0].batch.id, dispatchNumber: 1)
            try await registry.claim([own], by: "w")
            // It notices each loss that it is told of: the dispatcher may ask it once more.
            var losses = 1
            try await eventually("they are given up", within: 60) {
                if try await !renew("w", losses: losses).isKept { losses += 1 }
                return try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 10).count == 2
            }
            let listed = try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 10)
            #expect(Set(listed.map(\.batch)) == [leases[1].batch.id.number])
            #expect(listed.allSatisfy { $0.listing.why.contains("dead did not come back") })
        }
    }

    /// The process was killed with its private Redis, which has its file still: whose messages had been started is known.
    @Test(arguments: [("boot", 1), ("another", 4), ("", 4)])
    func theMarksOfOurOwnRedisAreBelievedUntilTheMachineIsStartedAgain(boot: String, listed: Int) async throws {
        try await plan(2)
        let queue = BatchQueue(broker)
        let before = EpochManager(broker: broker, notes: ledger, fencingToken: token, lease: .seconds(10), isAlone: true, boot: "boot")
        _ = try await before.look()
        let epoch = try #require(try await before.begin())
        _ = try await WorkerRegistry(broker).renew("old", lease: .seconds(250), condition: .clean, losses: 0, isKnown: false)
        _ = try await before.look()
        let batches = try await ledger.dispatchBatches([(id, 2)], now: Clock.milliseconds())
        let definition = try #require(try await ledger.mailing(id)).mailing
        try await PublishedMailings(broker).publish(
            [.init(id: id, definition: definition, state: .sending, speed: "")], fencingToken: token)
        _ = try await queue.dispatch(batches.map { ($0, lane) }, epoch: epoch, fencingToken: token)
        let lease = try #require(try await queue.take([.init(lane: lane, count: 1)], worker: "old").first?.leases.first)
        #expect(try await queue.start(lease, [OpenRecipient(index: 1, attempts: 0)]) == .go)
        await before.close()
        // What another run of the server looks like.
        let old = "run:" + epoch.text.split(separator: ":").dropFirst().joined(separator: ":")
        _ = try await broker.redis.send(["SET", .text(broker.keys.epoch), .text(old)])
        _ = try await broker.redis.send(["DEL", .text(broker.keys.workers)])
        let note = try #require(try await ledger.epochNote())
        try await ledger.setEpochNote(EpochNote(epoch: old, boot: boot.isEmpty ? "" : "boot", workers: note.workers))
        let after = EpochManager(
            broker: broker, notes: ledger, fencingToken: FencingToken(ledger: "ledger", number: 2), lease: .seconds(10), isAlone: true,
            boot: boot == "another" ? "another" : "boot")
        guard case .lost(let loss) = try await after.look() else {
            Issue.record("another run is believed")
            return
        }
        #expect(loss == .init(wait: nil, missing: ["old"]))
        let dispatches = batches.map { Dispatch(batch: $0.id, dispatchNumber: 1) }
        let started = try await after.started(dispatches)
        #expect(try await ledger.giveUp(dispatches, why: "x", started: started, now: Clock.milliseconds()).listed == listed)
        await after.close()
    }

    @Test(arguments: ["lanes", "mailing", "limits", "dispatched", "lane"])
    func aKeyThatIsLostIsMissedAndNobodyIsListed(which: String) async throws {
        try await plan(3)
        try await dispatching {
            let before = try await takeAll(3)
            try await report(before[0])
            let keys = broker.keys
            let key = [
                "lanes": keys.lanes, "mailing": keys.mailing(id), "limits": keys.limits, "dispatched": keys.dispatched(id),
                "lane": keys.lane(lane),
            ][which]
            #expect(try await broker.redis.send(["DEL", .text(try #require(key))]).int == 1)
            if ["dispatched", "lane"].contains(which) {
                // The batches come again; what was reported is not among them.
                try await collect()
                let after = try await takeAll(2)
                #expect(after.allSatisfy { $0.batch.dispatchNumber == 2 && $0.epoch != before[0].epoch })
                for lease in after { try await report(lease) }
            } else {
                try await eventually("it is there again") { try await broker.redis.send(["EXISTS", .text(try #require(key))]).int == 1 }
                for lease in before.dropFirst() { try await report(lease) }
            }
            try await eventually("it is complete") {
                try await collect()
                return try await ledger.mailing(id)?.state == .sent
            }
        }
        #expect(try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 10).isEmpty)
    }

    /// The server is the same, and so workers still seem to have nothing in flight.
    @Test func afterALostEpochEveryWorkerSaysAnewWhereItStands() async throws {
        try await plan(2)
        let (registry, epochs) = (WorkerRegistry(broker), EpochStore(broker))
        func renew(losses: Int, isKnown: Bool = true) async throws -> WorkerRegistry.Renewal {
            try await registry.renew("w", lease: .seconds(250), condition: .clean, losses: losses, isKnown: isKnown)
        }
        try await dispatching {
            try await eventually("it is admitted") { try await renew(losses: 1, isKnown: false).isAdmitted }
            let leases = try await takeAll(2)
            #expect(try await broker.redis.send(["DEL", .text(broker.keys.epoch)]).int == 1)
            try await eventually("its lease is lost") { try await !renew(losses: 1).isKept }
            #expect(try await epochs.hold(token, time: .seconds(250)).epoch == nil)
            let again = try await eventually("all is told") {
                _ = try await renew(losses: 2)
                return try await take().first
            }
            #expect(again.batch.dispatchNumber == 2 && again.epoch != leases[0].epoch)
        }
    }

    @Test func aLedgerThatIsNotThereSendsNothing() async throws {
        try await plan(2)
        try await dispatching {
            let before = try await takeAll(2)
            for end in ["", "-wal", "-shm"] { #expect(rename(folder.path("ledger.sqlite\(end)"), folder.path("away\(end)")) == 0) }
            try await eventually("workers start nothing more") {
                try await BatchQueue(broker).start(before[0], [OpenRecipient(index: 0, attempts: 0)]) == .lost
            }
            for end in ["", "-wal", "-shm"] { #expect(rename(folder.path("away\(end)"), folder.path("ledger.sqlite\(end)")) == 0) }
            #expect(try await takeAll(2).count == 2)
        }
    }

    @Test func anOlderCopyOfTheLedgerSendsToNobodyTwiceUnlisted() async throws {
        try await plan(4)
        let copy = folder.path("copy.sqlite")
        try await dispatching(window: 1) {
            let first = try await takeAll(1)
            _ = try LedgerBackup.make(of: folder.path("ledger.sqlite"), to: copy)
            try await report(first[0])
            try await collect()
            // Dispatched and sent after the copy was made.
            let second = try await takeAll(1)
            try await report(second[0])
            try await collect()
        }
        let older = try SQLiteLedger.open(copy, logger: logger)
        try await dispatching(window: 8, from: older) {
            let leases = try await takeAll(4)
            #expect(Set(leases.map(\.batch.id.number)) == [0, 1, 2, 3])
        }
        // Of the third and fourth batch the third may have been dispatched before the end.
        let listed = try await older.uncertain(id, onlyHeld: false, after: nil, limit: 100)
        #expect(Set(listed.map(\.batch)).isSuperset(of: [0, 1]) && !listed.map(\.batch).contains(3))
    }

    @Test func anOlderCopyThatIsWrittenIntoTheOpenLedgerSendsToNobodyTwiceUnlisted() async throws {
        try await plan(4)
        let (path, copy) = (folder.path("ledger.sqlite"), folder.path("copy.sqlite"))
        try await dispatching(window: 1) {
            let first = try await takeAll(1)
            _ = try LedgerBackup.make(of: path, to: copy)
            try await report(first[0])
            try await collect()
            // Dispatched and sent after the copy was made.
            let second = try await takeAll(1)
            try await report(second[0])
            try await collect()
            _ = try await takeAll(1)
            let shell = try ServerProcess("sqlite3", [path, ".timeout 5000", ".restore \(copy)"], package: "sqlite3")
            #expect(shell.wait() == 0)
            #expect(try await takeAll(1).map(\.batch.id.number) == [0])
        }
        let listed = try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 100)
        #expect(Set(listed.map(\.batch)).isSuperset(of: [0, 1]) && !listed.map(\.batch).contains(3))
    }

    @Test func aDispatcherThatWasReplacedDispatchesNothing() async throws {
        let later = FencingToken(ledger: "ledger", number: 2)
        #expect(try await EpochStore(broker).hold(later, time: .seconds(250)).leadership == .held)
        try await plan(2)
        let manager = EpochManager(broker: broker, notes: ledger, fencingToken: token, lease: .seconds(10), isAlone: true)
        guard case .deposed = try await manager.look() else {
            Issue.record("it leads")
            return
        }
        let foreign = EpochManager(
            broker: broker, notes: ledger, fencingToken: FencingToken(ledger: "x", number: 9), lease: .seconds(10), isAlone: true)
        guard case .foreign = try await foreign.look() else {
            Issue.record("two ledgers")
            return
        }
        await manager.close()
        await foreign.close()
    }

    /// Its planner may be started again, its workers are at work, and its results wait for its collector.
    @Test func theWorkOfAnotherLedgerIsLeftAloneThoughNobodyLeads() async throws {
        try await plan(4)
        try await dispatching(window: 1) { _ = try await takeAll(1) }
        let manager = EpochManager(
            broker: broker, notes: ledger, fencingToken: FencingToken(ledger: "x", number: 9), lease: .seconds(10), isAlone: false)
        try await EpochStore(broker).release(token)
        guard case .foreign = try await manager.look() else {
            Issue.record("it takes what is another's")
            return
        }
        await manager.close()
    }

    @Test func theEpochManagerBeginsAnEpochAdmitsWorkersAndNoticesALoss() async throws {
        let manager = EpochManager(broker: broker, notes: ledger, fencingToken: token, lease: .seconds(10), isAlone: true)
        let registry = WorkerRegistry(broker)
        guard case .lost(let first) = try await manager.look() else {
            Issue.record("an empty Redis is believed")
            return
        }
        #expect(first == .init(wait: nil, missing: nil))
        let epoch = try #require(try await manager.begin())
        #expect(try await !registry.renew("a", lease: .seconds(250), condition: .clean, losses: 0, isKnown: false).isAdmitted)
        guard case .steady(epoch) = try await manager.look() else {
            Issue.record("its own epoch is not believed")
            return
        }
        #expect(try await registry.renew("a", lease: .seconds(250), condition: .clean, losses: 0, isKnown: true).isAdmitted)
        #expect(await manager.crew == 1)
        _ = try await broker.redis.send(["FLUSHALL"])
        guard case .lost(let loss) = try await manager.look() else {
            Issue.record("a loss is not noticed")
            return
        }
        #expect(loss.wait == .lost(1))
        // The worker tells that it has noticed, and then that it is clean.
        for losses in 0...1 {
            _ = try await registry.renew("a", lease: .seconds(250), condition: .clean, losses: losses, isKnown: true)
            guard case .lost(let loss) = try await manager.look() else { continue }
            #expect(loss == (losses == 0 ? .init(wait: .busy(1)) : .init(wait: nil, missing: [])))
        }
        let next = try #require(try await manager.begin())
        #expect(next != epoch)
        #expect(try await registry.renew("a", lease: .seconds(250), condition: .clean, losses: 1, isKnown: true).isAdmitted)
        await manager.close()
    }

    /// A fleet of release 0.1 stopped with this Redis; its results wait in it.
    @Test func aRedisOfRelease01IsTreatedLikeALostOneLessTheResultsInIt() async throws {
        try await plan(2)
        let old = try await ledger.dispatchBatches([(id, 2)], now: Clock.milliseconds())
        let group = ResultGroup(
            Dispatch(batch: old[0].id, dispatchNumber: 1), worker: "w", sequence: 0, closing: .open,
            results: [
                RecipientResult(
                    index: 0, state: .sent, attempts: 1, at: Clock.milliseconds(),
                    response: ProviderResponse(action: .accept, stage: .response, code: 250, text: "Ok"))
            ])
        _ = try await broker.redis.send(["SET", "test:epoch", "run:ledger:x"])
        _ = try await broker.redis.send(["XADD", "test:status:0", "*"] + group.fields.dropFirst(2) + ["f", "", "c", "0"])
        let alone = Dispatcher(
            .init(window: 8, workerLease: .seconds(10), isAlone: true), broker: broker, ledger: ledger, fencingToken: token, logger: logger)
        let running = Task { try await alone.run() }
        var leases: [BatchLease] = []
        try await eventually("both are dispatched again") {
            try await collect()
            leases += try await take()
            return leases.count >= 2
        }
        running.cancel()
        try await running.value
        #expect(leases.map(\.batch.dispatchNumber) == [2, 2])
        #expect(leases.first { $0.batch.id == old[0].id }?.batch.open?.map(\.index) == [1])
        // Of the others it is not known who worked on them.
        #expect(try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 10).count == 3)
        try await eventually("nothing of that release is left") { try await broker.redis.send(["EXISTS", "test:epoch"]).int == 0 }
    }
}
