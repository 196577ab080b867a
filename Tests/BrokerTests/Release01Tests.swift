import Model
import TestServers
import Testing

@testable import Broker

/// What release 0.1 left in a Redis.
@Suite(.timeLimit(.minutes(5)))
struct Release01Tests {
    let fleet: TestFleet
    let old: Release01
    var redis: RedisClient { fleet.broker.redis }

    init() async throws {
        fleet = try await TestFleet()
        old = Release01(fleet.broker)
    }

    private func fill() async throws {
        for key in ["epoch", "fence", "turn:domain:d"] { _ = try await redis.send(["SET", .text("test:\(key)"), "x"]) }
        for key in ["workers", "limits", "pulses", "fed:\(fleet.id)", "mailing:\(fleet.id)", "pace:provider:p"] {
            _ = try await redis.send(["HSET", .text("test:\(key)"), "a", "b"])
        }
        _ = try await redis.send(["XADD", "test:ready:email", "*", "k", "?"])
        for number in 0..<120 {
            let group = ResultGroup(
                Dispatch(batch: BatchID(mailing: fleet.id, number: number), dispatchNumber: 1), worker: "w", sequence: 0, closing: .open,
                results: fleet.sent(0..<2))
            // Without a version and a provider, as that release wrote them.
            let fields = group.fields.dropFirst(2)
            _ = try await redis.send(["XADD", .text("test:status:\(number % 7)"), "*"] + fields + ["f", "", "c", "0"])
        }
    }

    @Test func anEmptyRedisAndOneOfThisReleaseHaveNothingOfIt() async throws {
        #expect(try await !old.isPresent())
        let epoch = try await fleet.begin()
        _ = try await fleet.taken(epoch)
        #expect(try await !old.isPresent())
        #expect(try await old.adoptResults() == 0)
    }

    @Test func itIsRecognisedItsResultsAreAdoptedAndItsKeysRemoved() async throws {
        try await fill()
        // A reader of that release had taken some and confirmed none.
        _ = try await redis.send(["XGROUP", "CREATE", "test:status:1", "collectors", "0"])
        _ = try await redis.send(["XREADGROUP", "GROUP", "collectors", "c", "COUNT", "9", "STREAMS", "test:status:1", ">"])
        _ = try await redis.send(["SET", "other:epoch", "not ours"])
        #expect(try await old.isPresent())
        #expect(try await old.adoptResults() == 120)
        #expect(try await old.adoptResults() == 0)
        let epoch = try await fleet.begin()
        try await old.remove()
        #expect(try await !old.isPresent())
        let left = try await fleet.broker.redis.scan("*").joined().filter { !$0.hasPrefix("{test}:") }
        #expect(Set(left) == ["other:epoch"])
        // Those of this release are untouched, and the results can be read.
        #expect(try await fleet.epochs.hold(fleet.token, time: .seconds(60)).epoch == epoch)
        let groups = try await fleet.groups()
        #expect(Set(groups.map(\.batch.number)) == Set(0..<120))
        #expect(groups.allSatisfy { $0.results == fleet.sent(0..<2) && $0.closing == .open })
    }

    /// The keys of both releases have the same names then.
    @Test func aPrefixWithBracesOfItsOwnIsNotTakenForIt() async throws {
        let broker = TestFleet.broker(fleet.server, prefix: "{mine}x")
        let token = FencingToken(ledger: "ledger", number: 1)
        let found = try await EpochStore(broker).hold(token, time: .seconds(60))
        _ = try #require(try await EpochStore(broker).establish(after: found, fencingToken: token))
        #expect(try await !Release01(broker).isPresent())
    }
}
