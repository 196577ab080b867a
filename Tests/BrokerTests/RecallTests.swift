import Model
import TestServers
import Testing

@testable import Broker

/// What a dispatcher takes back when it ends, and what it asks for after a loss.
@Suite(.timeLimit(.minutes(5)))
struct RecallTests {
    let fleet: TestFleet
    var queue: BatchQueue { fleet.queue }

    init() async throws { fleet = try await TestFleet() }

    @Test func whatNoWorkerHasIsTakenBackAndNothingElse() async throws {
        let epoch = try await fleet.begin()
        try await fleet.publish()
        let other = Lane(channel: .email, provider: "q")
        try await fleet.dispatch([fleet.batch(0), fleet.batch(1), fleet.batch(2)], epoch: epoch)
        try await fleet.dispatch([fleet.batch(3)], to: other, epoch: epoch)
        let lease = try #require(try await fleet.take().first)
        // One that was taken and is done has no part in it.
        let done = try #require(try await fleet.take().first)
        _ = try await queue.report(fleet.group(done, 0, .done, fleet.sent(0..<10)), of: done)
        #expect(try await queue.recall([fleet.id], epoch: epoch, fencingToken: fleet.token).map(\.batch.number).sorted() == [2, 3])
        #expect(try await queue.counts([fleet.lane])[0] == (1, 1))
        #expect(try await queue.lanes() == [fleet.lane])
        #expect(try await queue.start(lease, fleet.open(0..<1)) == .go)
        // A late command does not bring them back; the next dispatch does.
        #expect(try await fleet.dispatch([fleet.batch(2), fleet.batch(3)], epoch: epoch) == 0)
        #expect(try await fleet.dispatch([fleet.batch(2, dispatchNumber: 2)], epoch: epoch) == 1)
        #expect(try await queue.recall([MailingID(milliseconds: 1)], epoch: epoch, fencingToken: fleet.token).isEmpty)
    }

    @Test func onlyTheLeaderTakesBack() async throws {
        let epoch = try await fleet.begin()
        try await fleet.publish()
        try await fleet.dispatch([fleet.batch(0)], epoch: epoch)
        for (epoch, token) in [
            (epoch, FencingToken(ledger: "ledger", number: 2)), (Epoch(run: "other", ledger: "ledger"), fleet.token),
        ] {
            await #expect(throws: RedisError.epochEnded) { _ = try await queue.recall([fleet.id], epoch: epoch, fencingToken: token) }
        }
        #expect(try await fleet.entries() == 1)
    }

    @Test func theMarksTellWhoWasStarted() async throws {
        let lease = try await fleet.taken(try await fleet.begin())
        #expect(try await queue.start(lease, fleet.open(2..<5)) == .go)
        _ = try await queue.report(fleet.group(lease, 0, .open, fleet.sent(2..<3)), of: lease)
        let dispatches = [1, 2].map { Dispatch(batch: lease.batch.id, dispatchNumber: $0) }
        #expect(try await queue.started(dispatches) == [dispatches[0]: [2, 3, 4], dispatches[1]: []])
    }

    @Test func claimsAreToldUntilTheNextEpoch() async throws {
        _ = try await fleet.begin()
        let dispatches = Set((0..<3).map { Dispatch(batch: BatchID(mailing: fleet.id, number: $0), dispatchNumber: 7) })
        try await fleet.registry.claim(dispatches, by: "a")
        #expect(try await fleet.registry.claims(of: ["b", "a"]) == dispatches)
        #expect(try await fleet.registry.claims(of: ["b"]).isEmpty)
        // What is written there by another release is passed over.
        _ = try await fleet.broker.redis.send(["SET", .text(fleet.broker.keys.claims("b")), .text("x x/1/2 \(fleet.id)/1 \(fleet.id)/1/x")])
        #expect(try await fleet.registry.claims(of: ["b"]).isEmpty)
        _ = try await fleet.begin()
        #expect(try await fleet.registry.claims(of: ["a"]).isEmpty)
    }
}
