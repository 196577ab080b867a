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

/// Losses of Redis, whole or of single keys, and the epochs that follow them.
extension DispatcherTests {
    /// Whoever cannot ask Redis learns it too.
    @Test func theLedgerSaysWhyRedisCannotBeUsed() async throws {
        try await plan(4)
        try await dispatching {
            try await eventually("it is published") { try await !PublishedMailings(broker).all().isEmpty }
            _ = try await broker.redis.send(["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"])
            try await eventually("the policy is named") { try await ledger.redisProblem()?.contains("allkeys-lru") == true }
            _ = try await broker.redis.send(["CONFIG", "SET", "maxmemory-policy", "noeviction"])
            try await eventually("nothing blocks it") { try await ledger.redisProblem() == nil }
            server.stop()
            try await eventually("Redis is named") { try await ledger.redisProblem() != nil }
            try await server.start()
            try await eventually("nothing blocks it again", within: 60) { try await ledger.redisProblem() == nil }
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

    @Test func aRedisThatEvictsKeysIsNotUsedUntilItStops() async throws {
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
        let before = EpochManager(
            broker: broker, notes: ledger, fencingToken: token, lease: .seconds(10), isAlone: true, clocks: .system,
            boot: "boot")
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
            clocks: .system,
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

    /// It does not say any more whose it was.
    @Test func aRedisThatLostItsDataIsNotTakenFromTheLedgerThatHadIt() async throws {
        func manager(_ ledger: String, _ store: SQLiteLedger) -> EpochManager {
            EpochManager(
                broker: broker, notes: store, fencingToken: FencingToken(ledger: ledger, number: 1), lease: .seconds(10), isAlone: false,
                clocks: .system)
        }
        func isForeign(_ manager: EpochManager) async throws -> Bool {
            if case .foreign = try await manager.look() { true } else { false }
        }
        let other = try SQLiteLedger.open(folder.path("other.sqlite"), logger: logger)
        let (first, waiting, new) = (manager("a", ledger), manager("b", other), manager("c", other))
        #expect(try await !isForeign(first))
        _ = try await first.begin()
        #expect(try await isForeign(waiting))
        _ = try await broker.redis.send(["FLUSHALL"])
        // One that has stood by knows that it was another's.
        #expect(try await isForeign(waiting))
        // To one that starts the workers say so, and what they report again.
        let registry = WorkerRegistry(broker)
        _ = try await registry.renew("w", lease: .seconds(250), condition: .busy, losses: 1, isKnown: false)
        #expect(try await isForeign(new))
        _ = try await registry.renew("w", lease: .seconds(250), condition: .clean, losses: 1, isKnown: false)
        _ = try await broker.redis.send(["XADD", .text(broker.keys.status(0)), "*", "v", "1"])
        #expect(try await isForeign(new))
        // The one that had it takes it again.
        #expect(try await !isForeign(first))
        for manager in [new, waiting] { #expect(try await isForeign(manager)) }
        for manager in [first, waiting, new] { await manager.close() }
    }

    @Test func theEpochManagerBeginsAnEpochAdmitsWorkersAndNoticesALoss() async throws {
        let manager = EpochManager(broker: broker, notes: ledger, fencingToken: token, lease: .seconds(10), isAlone: true, clocks: .system)
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
        #expect(await manager.workerCount == 1)
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
