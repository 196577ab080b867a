import Model
import TestServers
import Testing

@testable import Broker

/// A Redis that was emptied or started again is not believed, and who leads.
@Suite(.timeLimit(.minutes(5)))
struct EpochTests {
    let fleet: TestFleet
    var queue: BatchQueue { fleet.queue }

    init() async throws { fleet = try await TestFleet(persists: true) }

    @Test(arguments: TestFleet.Loss.allCases)
    func aRedisThatIsNotTheOneItWasIsNotBelieved(how: TestFleet.Loss) async throws {
        let epoch = try await fleet.begin()
        let lease = try await fleet.taken(epoch)
        #expect(try await fleet.renew("a", isKnown: false).isKept)
        #expect(try await fleet.renew("a").isKept)
        let receipt = try #require(try await queue.report(fleet.group(lease, 0, .open, fleet.sent(0..<2)), of: lease))
        try await fleet.lose(how)
        #expect(try await fleet.entries() == (how == .emptied ? 0 : 1))
        #expect(try await queue.start(lease, fleet.open(0..<1)) == .lost)
        #expect(try await queue.marks(lease) == nil)
        // That it knows of no batch must not be taken for a batch that never came.
        await #expect(throws: RedisError.epochEnded) { _ = try await queue.dispatched([fleet.id], epoch: epoch) }
        // It has no say in who has a batch, and none in how many groups of results there were.
        let closing = try #require(try await queue.report(fleet.group(lease, 1, .released, fleet.sent(2..<3)), of: lease))
        let told = try await fleet.groups().filter { $0.sequence == 1 }
        #expect(told.map(\.closing) == [.open] && told.map(\.groups) == [0] && closing.id > receipt.id)
        await #expect(throws: RedisError.epochEnded) { try await fleet.dispatch([fleet.batch(1)], epoch: epoch) }
        let renewal = try await fleet.renew("a")
        #expect(!renewal.isKept && renewal.epoch == nil)
        // Not clean before it has noticed: the reply may have been lost.
        #expect(try await fleet.registry.all().workers.map(\.condition) == [.lost])
        #expect(try await !fleet.renew("a").isKept)
        #expect(try await fleet.status.offer([receipt]).count == 1)
        #expect(try await fleet.renew("a", losses: 1).isKept)
        #expect(try await fleet.registry.all().workers.map(\.condition) == [.clean])
        _ = try await fleet.epochs.hold(fleet.token, time: .seconds(300))
        let next = try await fleet.begin()
        #expect(next != epoch)
        #expect(try await fleet.entries() == 0)
        #expect(try await fleet.queue.lanes().isEmpty)
        #expect(try await fleet.status.lag().entries.reduce(0, +) == (how == .emptied ? 2 : 3))
        #expect(try await fleet.renew("a", losses: 1).epoch == next)
    }

    /// Taking, reclaiming and taking over, in a Redis that has all of it still, but is another run of the server.
    @Test func noPathGivesABatchOfAnOlderRun() async throws {
        let epoch = try await fleet.begin()
        try await fleet.publish()
        try await fleet.dispatch([fleet.batch(0), fleet.batch(1)], epoch: epoch)
        #expect(try await fleet.take().count == 1)
        let before = try await fleet.dead("a")
        try await fleet.lose(.restarted)
        #expect(try await queue.counts([fleet.lane])[0] == (2, 1))
        #expect(try await queue.take([.init(lane: fleet.lane, count: 9)], worker: "b").isEmpty)
        #expect(try await queue.reclaim(worker: "a", known: [:]).isEmpty)
        #expect(try await fleet.takeOver(before).isEmpty)
        // Nothing was moved by the questions.
        #expect(try await queue.counts([fleet.lane])[0] == (2, 1))
        #expect(try await fleet.registry.all().workers.map(\.condition) == [nil])
    }

    @Test func noPathGivesABatchOfAnEarlierEpoch() async throws {
        let epoch = try await fleet.begin()
        try await fleet.publish()
        try await fleet.dispatch([fleet.batch(0), fleet.batch(1)], epoch: epoch)
        let lease = try #require(try await fleet.take().first)
        let next = try await fleet.begin()
        let dead = try await fleet.dead("a")
        #expect(try await queue.take([.init(lane: fleet.lane, count: 9)], worker: "b").map(\.leases.count) == [0])
        #expect(try await queue.reclaim(worker: "a", known: [:]).isEmpty)
        #expect(try await fleet.takeOver(dead).isEmpty)
        #expect(try await queue.start(lease, fleet.open(0..<1)) == .lost)
        #expect(try await queue.marks(lease) == nil)
        try await queue.unmark(lease, [0])
        // A batch of the same number in the new epoch is another: the old lease has no part in it.
        try await fleet.publish()
        try await fleet.dispatch([fleet.batch(0, dispatchNumber: 2)], epoch: next)
        let second = try #require(try await fleet.take("b").first)
        #expect(second.epoch == next)
        _ = try await queue.report(fleet.group(lease, 0, .done, fleet.sent(0..<10)), of: lease)
        #expect(try await fleet.entries() == 1)
        #expect(try await queue.start(second, fleet.open(0..<1)) == .go)
    }

    @Test func ofTwoDispatchersTheLaterLeadsAndThatOfAnotherLedgerDoesNot() async throws {
        let epoch = try await fleet.begin()
        let later = FencingToken(ledger: "ledger", number: 2)
        #expect(try await fleet.epochs.ledger() == "ledger")
        #expect(try await fleet.epochs.hold(later, time: .seconds(300)).leadership == .held)
        #expect(try await fleet.epochs.hold(fleet.token, time: .seconds(300)).leadership == .lost)
        await #expect(throws: RedisError.epochEnded) { try await fleet.dispatch([fleet.batch()], epoch: epoch) }
        await #expect(throws: RedisError.epochEnded) { try await fleet.publish() }
        await #expect(throws: RedisError.epochEnded) { try await fleet.published.remove(fleet.id, fencingToken: fleet.token) }
        #expect(try await queue.dispatch([(fleet.batch(), fleet.lane)], epoch: epoch, fencingToken: later) == 1)
        let foreign = FencingToken(ledger: "other", number: 9)
        #expect(try await fleet.epochs.hold(foreign, time: .seconds(300)).leadership == .foreign)
        #expect(try await fleet.epochs.hold(later, time: .milliseconds(50)).leadership == .held)
        try await eventually("nobody leads") { try await fleet.epochs.hold(foreign, time: .seconds(300)).absent == "ledger" }
        // The batch may be with a worker.
        #expect(try await fleet.epochs.hasWork())
        #expect(try await fleet.epochs.hold(foreign, time: .seconds(300)).leadership == .foreign)
        #expect(try await fleet.epochs.hold(foreign, time: .milliseconds(50), after: "x").leadership == .foreign)
        #expect(try await fleet.epochs.hold(foreign, time: .seconds(300), after: "ledger").leadership == .held)
        // Who leads continues, also before it has told of commits of its own. It leaves after 50 ms.
        #expect(try await fleet.epochs.hold(foreign, time: .milliseconds(50)).leadership == .held)
        // Where the epoch has ended, what it had is still there.
        _ = try await fleet.epochs.note(commits: 1, of: "third")
        try await fleet.epochs.distrust(ledger: "ledger")
        try await eventually("nobody leads again") { try await fleet.epochs.hold(foreign, time: .milliseconds(1)).absent == "third" }
    }

    @Test func anEpochIsBegunOnlyOnWhatWasFound() async throws {
        let found = try await fleet.epochs.hold(fleet.token, time: .seconds(300))
        #expect(found.epoch == nil)
        let epoch = try #require(try await fleet.epochs.establish(after: found, fencingToken: fleet.token))
        #expect(epoch.isOf(run: found.run, ledger: "ledger") && !epoch.isOf(run: found.run, ledger: "other"))
        #expect(try await fleet.epochs.establish(after: found, fencingToken: fleet.token) == nil)
        #expect(try await fleet.epochs.hold(fleet.token, time: .seconds(300)).epoch == epoch)
        try await fleet.lose(.restarted)
        // It was begun in a run of the server that has ended.
        let after = try await fleet.epochs.hold(fleet.token, time: .seconds(300))
        #expect(after.epoch == epoch && after.run != found.run)
        let stale = EpochStore.Snapshot(leadership: .held, epoch: epoch, run: found.run)
        #expect(try await fleet.epochs.establish(after: stale, fencingToken: fleet.token) == nil)
        #expect(try await fleet.epochs.establish(after: after, fencingToken: fleet.token) != nil)
    }

    @Test func aNewEpochHasNothingOfTheOldOneButResultsAndLimits() async throws {
        let epoch = try await fleet.begin()
        let lease = try await fleet.taken(epoch)
        try await fleet.renew("a", isKnown: false)
        try await fleet.registry.admit(["a"])
        #expect(try await queue.start(lease, fleet.open(0..<3)) == .go)
        _ = try await queue.report(fleet.group(lease, 0, .open, fleet.sent(0..<2)), of: lease)
        try await PublishedLimits(fleet.broker).publishLimits(["provider:p": "5/s"], fencingToken: fleet.token)
        _ = try await fleet.begin()
        let left = Set(try await fleet.broker.redis.scan("*").joined())
        let keys = fleet.broker.keys
        #expect(
            left == [
                keys.epoch, keys.leader, keys.partitions, keys.workers, keys.limits, keys.wake, keys.demand, keys.status(0), keys.status(1),
                keys.status(2), keys.reached(fleet.id), keys.deadLetters,
            ])
        #expect(try await !fleet.renew("a").isAdmitted)
    }
}
