import Model
import TestServers
import Testing

@testable import Broker

/// Limits set at run time, between the dispatcher and the workers.
@Suite(.timeLimit(.minutes(5)))
struct PublishedLimitsTests {
    @Test func whatIsPublishedIsReplacedAsAWholeAndByTheLeaderAlone() async throws {
        let fleet = try await TestFleet()
        _ = try await fleet.begin()
        let published = PublishedLimits(fleet.broker)
        // None were published: that is another thing than no limits.
        #expect(try await published.limits() == nil)
        let first = ["provider:main": "5/s", "domain:ü \"x\"": "none"]
        try await published.publishLimits(first, fencingToken: fleet.token)
        #expect(try await published.limits() == first)
        let many = Dictionary(uniqueKeysWithValues: (0..<10_000).map { ("provider:\($0)", "\($0 + 1)/s") })
        try await published.publishLimits(many, fencingToken: fleet.token)
        #expect(try await published.limits() == many)
        // It stays, whatever epoch follows.
        #expect(try await fleet.broker.redis.send(["PTTL", .text(fleet.broker.keys.limits)]).int == -1)
        _ = try await fleet.begin()
        #expect(try await published.limits() == many)
        await #expect(throws: RedisError.epochEnded) {
            try await published.publishLimits([:], fencingToken: FencingToken(ledger: "ledger", number: 2))
        }
        #expect(try await published.limits() == many)
        try await published.publishLimits([:], fencingToken: fleet.token)
        #expect(try await published.limits() == [:])
    }

    @Test func nobodyIsQueuedAtTheRateOfALimitThatWasChanged() async throws {
        let fleet = try await TestFleet()
        _ = try await fleet.begin()
        let published = PublishedLimits(fleet.broker)
        try await published.publishLimits(["domain:a": "1/s", "domain:b": "1/s"], fencingToken: fleet.token)
        for scope in [LimitScope.domain("a"), .domain("b")] {
            _ = try await fleet.broker.redis.send(["SET", .text(fleet.broker.keys.queue(scope)), "1"])
        }
        try await published.publishLimits(["domain:a": "1/s", "domain:b": "2/s"], fencingToken: fleet.token)
        #expect(try await fleet.exists(fleet.broker.keys.queue(.domain("a"))))
        #expect(try await !fleet.exists(fleet.broker.keys.queue(.domain("b"))))
    }
}
