import Model
import TestServers
import Testing

@testable import Broker

/// A single key of Redis goes, by hand or by eviction, while its workers live: what hides what was sent ends the epoch, and the rest is
/// made again.
@Suite(.timeLimit(.minutes(2)))
struct LostKeyTests {
    private let fleet: TestFleet

    init() async throws { fleet = try await TestFleet() }

    private func delete(_ key: String) async throws { #expect(try await fleet.broker.redis.send(["DEL", .text(key)]).int == 1) }

    /// The epoch has ended, and each worker finds its lease gone.
    private func expectEnd(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        #expect(try await !fleet.exists(fleet.broker.keys.epoch), sourceLocation: sourceLocation)
        #expect(try await !fleet.renew("a").isKept, sourceLocation: sourceLocation)
    }

    @Test func aLaneThatIsLostIsNotMadeAgainUnderTheBatchesOfWorkers() async throws {
        let epoch = try await fleet.begin()
        try await fleet.renew("a", isKnown: false)
        _ = try await fleet.taken(epoch)
        try await delete(fleet.broker.keys.lane(fleet.lane))
        await #expect(throws: RedisError.epochEnded) { try await fleet.dispatch([fleet.batch(1)], epoch: epoch) }
        try await expectEnd()
    }

    @Test func aLaneThatIsLostIsFoundWithoutANewBatch() async throws {
        let epoch = try await fleet.begin()
        try await fleet.renew("a", isKnown: false)
        _ = try await fleet.taken(epoch)
        #expect(try await fleet.queue.inspect([fleet.lane], lease: .seconds(10)) == nil)
        try await delete(fleet.broker.keys.lane(fleet.lane))
        #expect(try await fleet.queue.inspect([fleet.lane], lease: .seconds(10)) == fleet.lane)
        try await expectEnd()
    }

    @Test func theNameOfALaneIsMadeAgain() async throws {
        let epoch = try await fleet.begin()
        _ = try await fleet.taken(epoch)
        try await delete(fleet.broker.keys.lanes)
        #expect(try await fleet.queue.inspect([fleet.lane], lease: .seconds(10)) == nil)
        #expect(try await fleet.queue.lanes() == [fleet.lane])
    }

    @Test func aWorkerWhoseRegistrationsAreLostIsFoundAgainWithItsBatches() async throws {
        let epoch = try await fleet.begin()
        _ = try await fleet.taken(epoch)
        try await delete(fleet.broker.keys.workerLanes("a"))
        _ = try await fleet.queue.inspect([fleet.lane], lease: .milliseconds(1))
        let dead = try await eventually("the lease of a worker has expired") {
            try await fleet.registry.all().workers.first { $0.worker == "a" && !$0.isAlive }
        }
        #expect(try await fleet.takeOver(dead).map(\.batch.id.number) == [0])
    }

    @Test func withoutTheListOfDispatchedBatchesNothingStarts() async throws {
        let epoch = try await fleet.begin()
        try await fleet.renew("a", isKnown: false)
        let lease = try await fleet.taken(epoch)
        try await delete(fleet.broker.keys.dispatched(fleet.id))
        #expect(try await fleet.queue.start(lease, fleet.open(0..<3)) == .lost)
        try await expectEnd()
    }

    @Test func whereMarksAreLostEverybodyMayHaveBeenStarted() async throws {
        let epoch = try await fleet.begin()
        let lease = try await fleet.taken(epoch)
        #expect(try await fleet.queue.start(lease, fleet.open(0..<3)) == .go)
        _ = try await fleet.queue.report(fleet.group(lease, 0, .open, fleet.sent(0..<2)), of: lease)
        try await delete(fleet.broker.keys.marks(lease.batch.id, 1))
        let marks = try #require(try await fleet.queue.marks(lease))
        #expect((0..<10).allSatisfy { marks[$0] == .started })
        try await delete(fleet.broker.keys.marks(lease.batch.id, 1))
        // What is known from here on counts again.
        _ = try await fleet.queue.report(fleet.group(lease, 1, .open, fleet.sent(2..<3)), of: lease)
        try await fleet.queue.unmark(lease, [7])
        let later = try #require(try await fleet.queue.marks(lease))
        #expect(later[2] == .done && later[7] == .notStarted && later[0] == .started && later[9] == .started)
    }

    @Test func aMailingThatIsNotPublishedAnyMoreHalts() async throws {
        let epoch = try await fleet.begin()
        let lease = try await fleet.taken(epoch)
        try await delete(fleet.broker.keys.mailing(fleet.id))
        #expect(try await fleet.published.altered([fleet.id: .init(state: .sending, speed: "")]) == [fleet.id])
        #expect(try await fleet.queue.start(lease, fleet.open(0..<3)) == .halted(.paused))
        try await fleet.publish()
        #expect(try await fleet.published.altered([fleet.id: .init(state: .sending, speed: "")]).isEmpty)
        #expect(try await fleet.queue.start(lease, fleet.open(0..<3)) == .go)
    }

    @Test func resultsThatAreLostAreNotTakenForConfirmed() async throws {
        let epoch = try await fleet.begin()
        try await fleet.renew("a", isKnown: false)
        let lease = try await fleet.taken(epoch)
        let receipt = try #require(try await fleet.queue.report(fleet.group(lease, 0, .open, fleet.sent(0..<2)), of: lease))
        try await delete(fleet.broker.keys.status(receipt.partition))
        var unconfirmed = UnconfirmedProbe(receipt)
        unconfirmed.confirm(try await fleet.status.oldest())
        #expect(!unconfirmed.isConfirmed)
        // The next report, or a collector, finds that the stream is gone.
        _ = try await fleet.queue.report(fleet.group(lease, 1, .open, fleet.sent(2..<3)), of: lease)
        try await expectEnd()
    }

    @Test func aCollectorThatFindsNoStreamEndsTheEpoch() async throws {
        _ = try await fleet.begin()
        try await fleet.renew("a", isKnown: false)
        #expect(try await fleet.groups().isEmpty)
        try await delete(fleet.broker.keys.status(1))
        #expect(try await fleet.groups().isEmpty)
        try await expectEnd()
    }

    @Test func whatSaysHowFarTheLedgerHasComeOnlyGrows() async throws {
        #expect(try await fleet.epochs.commits(of: "ledger") == nil)
        for (number, known) in [(3, 3), (2, 3), (9, 9)] as [(Int64, Int64)] {
            _ = try await fleet.epochs.note(commits: number, of: "ledger")
            #expect(try await fleet.epochs.commits(of: "ledger") == known)
        }
        #expect(try await fleet.epochs.commits(of: "another") == nil)
    }

    @Test func howFarAMailingWasDispatchedIsKeptOverEpochs() async throws {
        let epoch = try await fleet.begin()
        try await fleet.dispatch([fleet.batch(0), fleet.batch(4), fleet.batch(2)], epoch: epoch)
        _ = try await fleet.begin()
        #expect(try await fleet.epochs.reached([fleet.id]) == [fleet.id: 4])
        try await fleet.published.remove(fleet.id, fencingToken: fleet.token)
        #expect(try await fleet.epochs.reached([fleet.id]).isEmpty)
    }
}

/// A receipt as a worker keeps it.
private struct UnconfirmedProbe {
    let receipt: Receipt
    private(set) var isConfirmed = false

    init(_ receipt: Receipt) { self.receipt = receipt }

    mutating func confirm(_ oldest: [StreamID?]) { isConfirmed = oldest[receipt.partition].map { $0 > receipt.id } ?? true }
}
