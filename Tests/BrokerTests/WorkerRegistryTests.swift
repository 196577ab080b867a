import Model
import TestServers
import Testing

@testable import Broker

/// Workers register, are admitted, and agree on how many status streams there are.
@Suite(.timeLimit(.minutes(5)))
struct WorkerRegistryTests {
    let fleet: TestFleet

    init() async throws { fleet = try await TestFleet() }

    @Test func aWorkerIsAdmittedUntilItsLeaseHasExpired() async throws {
        _ = try await fleet.begin()
        #expect(try await !fleet.renew("a", isKnown: false).isAdmitted)
        try await fleet.registry.admit(["a"])
        #expect(try await fleet.renew("a").isAdmitted)
        _ = try await fleet.dead("a")
        // The dispatcher may have given it up meanwhile.
        #expect(try await !fleet.renew("a").isAdmitted)
        #expect(try await fleet.registry.all().workers.map(\.isAlive) == [true])
    }

    @Test func aRegistrationSaysWhatTheWorkerSaid() async throws {
        _ = try await fleet.begin()
        for (worker, condition) in [("a", .clean), ("b", .busy), ("c", .doubt)] as [(String, WorkerRegistry.Condition)] {
            try await fleet.renew(worker, condition, isKnown: false)
        }
        let all = try await fleet.registry.all()
        let now = try await fleet.broker.time() / 1000
        #expect(all.workers.sorted { $0.worker < $1.worker }.map(\.condition) == [.clean, .busy, .doubt])
        #expect(all.now <= UInt64(now))
    }

    @Test func theFirstSetsTheNumberOfStatusStreamsAndAnotherNumberIsRefused() async throws {
        try await fleet.broker.check()
        try await fleet.broker.check()
        let other = TestFleet.broker(fleet.server, partitions: 4)
        do {
            try await other.check()
            Issue.record("two numbers of status streams")
        } catch {
            #expect(error == .otherPartitions(here: 3, ours: 4))
            #expect(error.description.contains("collector.partitions to 3"))
            #expect(!error.isPassing)
        }
        // Another prefix is another fleet.
        try await TestFleet.broker(fleet.server, partitions: 4, prefix: "another").check()
        // A worker that came while the number was not known yet is refused when it renews its lease.
        _ = try await fleet.begin()
        await #expect(throws: RedisError.otherPartitions(here: 3, ours: 4)) {
            _ = try await WorkerRegistry(other).renew("x", lease: .seconds(60), condition: .clean, losses: 0, isKnown: false)
        }
        _ = try await fleet.broker.redis.send(["FLUSHALL"])
        try await other.check()
        await #expect(throws: RedisError.otherPartitions(here: 4, ours: 3)) { try await fleet.broker.check() }
    }
}
