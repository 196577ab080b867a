import Model
import TestServers
import Testing

@testable import Broker

/// Who has a batch, who may go on with it, and what a successor knows of it.
@Suite(.timeLimit(.minutes(5)))
struct TakeoverTests {
    let fleet: TestFleet
    let epoch: Epoch
    var queue: BatchQueue { fleet.queue }
    var registry: WorkerRegistry { fleet.registry }

    init() async throws {
        fleet = try await TestFleet()
        epoch = try await fleet.begin()
    }

    private func registration(_ worker: String) async throws -> WorkerRegistry.Registration {
        try #require(try await registry.all().workers.first { $0.worker == worker })
    }

    @Test func aBatchIsLeftToItsWorkerForTheTimeOfItsLeaseAndNoLonger() async throws {
        let lease = try await fleet.taken(epoch)
        try await fleet.renew("a", isKnown: false)
        #expect(try await fleet.takeOver(try await registration("a")).isEmpty)
        let dead = try await fleet.dead("a")
        let next = try await fleet.takeOver(dead)
        #expect(next.map(\.holder.deliveries) == [2] && next.map(\.from) == ["a"] && next.map(\.isNew) == [false])
        #expect(try await queue.start(lease, fleet.open(0..<5)) == .lost)
        // A worker that comes back does not get it from one whose lease holds.
        try await fleet.renew("b", isKnown: false)
        #expect(try await fleet.takeOver(try await registration("b"), by: "a").isEmpty)
    }

    /// A clock of Redis that jumped took nothing from whoever has renewed since.
    @Test func aWorkerThatHasRenewedSinceItWasSeenKeepsItsBatches() async throws {
        _ = try await fleet.taken(epoch)
        let seen = try await fleet.dead("a")
        try await fleet.renew("a", lease: .milliseconds(1))
        try await eventually { try await !registration("a").isAlive }
        #expect(try await registration("a").text != seen.text)
        #expect(try await fleet.takeOver(seen).isEmpty)
        #expect(try await fleet.takeOver(try await registration("a")).count == 1)
    }

    @Test func onlyTheLanesThatTheRegistrationNamesAreLookedAt() async throws {
        try await fleet.publish()
        let lanes = ["x", "y", "z"].map { Lane(channel: .email, provider: $0) }
        for (number, lane) in lanes.enumerated() { try await fleet.dispatch([fleet.batch(number)], to: lane, epoch: epoch) }
        for lane in lanes.prefix(2) { #expect(try await fleet.take(from: lane).count == 1) }
        let named = try await fleet.broker.redis.send(["SMEMBERS", .text(fleet.broker.keys.workerLanes("a"))])
        #expect(Set(named.array?.compactMap(\.text) ?? []) == ["email:x", "email:y"])
        let dead = try await fleet.dead("a")
        // What another worker has is not touched, nor a lane that the registration does not name.
        _ = try await fleet.broker.redis.send(["SREM", .text(fleet.broker.keys.workerLanes("a")), "email:y"])
        #expect(try await fleet.takeOver(dead).map(\.lane) == [lanes[0]])
        #expect(try await registry.holders(of: ["a", "b", "c"]) == ["b"])
        #expect(try await queue.counts(lanes).map(\.pending) == [1, 1, 0])
    }

    @Test func severalWorkersShareWhatADeadOneHad() async throws {
        try await fleet.dispatch((0..<5).map { fleet.batch($0) }, epoch: epoch)
        #expect(try await fleet.take(count: 5).count == 5)
        let dead = try await fleet.dead("a")
        #expect(try await fleet.takeOver(dead, by: "b", count: 2).count == 2)
        #expect(try await registry.holders(of: ["a"]) == ["a"])
        #expect(try await fleet.hasConsumer("a"))
        #expect(try await fleet.takeOver(dead, by: "c", count: 9).count == 3)
        #expect(try await registry.holders(of: ["a"]).isEmpty)
        #expect(try await !fleet.hasConsumer("a"))
    }

    @Test func aSuccessorKnowsWhoIsDoneAndWhoMayHaveBeenReached() async throws {
        let first = try await fleet.taken(epoch)
        #expect(try await queue.start(first, fleet.open(0..<4)) == .go)
        #expect(try await queue.start(first, fleet.open(4..<8)) == .go)
        _ = try await queue.report(fleet.group(first, 0, .open, fleet.sent(1..<3)), of: first)
        try await queue.unmark(first, [6, 7])
        let second = try #require(try await fleet.takeOver(try await fleet.dead("a")).first)
        #expect(second.holder.deliveries == 2 && second.from == "a" && second.batch.id == first.batch.id)
        let marks = try #require(try await queue.marks(second))
        #expect(try await queue.marks(first) == nil)
        #expect(
            (0..<10).map { marks[$0] } == [
                .started, .done, .done, .started, .started, .started, .notStarted, .notStarted, .notStarted, .notStarted,
            ])
        // The first wakes: it may start nothing, take back nothing and close nothing; what it sent is told all the same.
        #expect(try await queue.start(first, fleet.open(6..<8)) == .lost)
        try await queue.unmark(first, Array(0..<8))
        _ = try await queue.report(fleet.group(first, 1, .done, fleet.sent(0..<1)), of: first)
        #expect(try await fleet.entries() == 1)
        let after = try #require(try await queue.marks(second))
        #expect(after[3] == .started && after[0] == .done)
        // Who is only listed is not done: a third worker would still send to them.
        let listed = [RecipientResult(index: 3, state: .uncertain, attempts: 0, at: 1, due: 1)]
        _ = try await queue.report(fleet.group(second, 0, .open, listed), of: second)
        #expect(try await queue.marks(second)?[3] == .started)
        _ = try await queue.report(fleet.group(second, 1, .released, []), of: second)
        #expect(try await fleet.entries() == 0)
        let groups = try await fleet.groups()
        #expect(groups.map(\.closing) == [.open, .open, .open, .released])
        #expect(groups.map(\.groups) == [1, 2, 3, 4])
        #expect(groups.map(\.provider) == ["p", "p", "p", "p"])
    }

    @Test func theDeadAreForgottenOnceTheyHaveNothing() async throws {
        let lease = try await fleet.taken(epoch)
        let dead = try await fleet.dead("a")
        // Too early: its batch is still there.
        try await registry.forget("a")
        #expect(try await registry.all().workers.map(\.worker) == ["a"])
        _ = try await queue.report(fleet.group(lease, 0, .done, fleet.sent(0..<10)), of: lease)
        #expect(try await fleet.takeOver(dead).isEmpty)
        // It has nothing any more; a minute after its lease it goes. Redis's clock does not wait for a test: its lease ends further back.
        try await registry.forget("a")
        #expect(try await registry.all().workers.map(\.worker) == ["a"])
        let old = dead.text.split(separator: " ").dropFirst().joined(separator: " ")
        let longAgo = try await fleet.broker.time() / 1000 - 61_000
        _ = try await fleet.broker.redis.send(["HSET", .text(fleet.broker.keys.workers), "a", .text("\(longAgo) \(old)")])
        try await registry.forget("a")
        #expect(try await registry.all().workers.isEmpty)
    }

    @Test func aWorkerThatLeftWithoutABatchIsNoHolder() async throws {
        let lease = try await fleet.taken(epoch)
        #expect(try await registry.holders(of: ["a"]) == ["a"])
        _ = try await queue.report(fleet.group(lease, 0, .done, fleet.sent(0..<10)), of: lease)
        // Its registration still names the lane.
        #expect(try await registry.holders(of: ["a"]).isEmpty)
        try await registry.clearLanes(of: "a")
        #expect(try await registry.holders(of: ["a"]).isEmpty)
    }

    /// A reply that brought a batch was lost, and the worker leaves before it has asked again: it knows of no batch and has one.
    @Test func aBatchThatALeavingWorkerDoesNotKnowOfIsTakenOver() async throws {
        try await fleet.dispatch([fleet.batch()], epoch: epoch)
        #expect(try await fleet.take().count == 1)
        try await registry.clearLanes(of: "a")
        #expect(try await fleet.takeOver(try await fleet.dead("a")).map(\.batch.id.number) == [0])
    }
}
