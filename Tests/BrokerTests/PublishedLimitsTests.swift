import NIOPosix
import TestServers
import Testing

@testable import Broker

/// Limits set at run time, between the dispatcher and the workers.
@Suite(.timeLimit(.minutes(5)))
struct LimitBoardTests {
    @Test func whatIsUpIsReplacedAsAWholeAndByTheFeederAlone() async throws {
        let server = try await RedisServer()
        let broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 3, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: quiet)
        let fencingToken = FencingToken(ledger: "ledger", number: 1)
        _ = try await begin(broker, fencingToken)
        let board = PublishedLimits(broker)
        // None were put up: that is another thing than none.
        #expect(try await board.limits() == nil)
        let first = ["provider:main": "5/s", "domain:ü \"x\"": "none"]
        try await board.publishLimits(first, fencingToken: fencingToken)
        #expect(try await board.limits() == first)
        let many = Dictionary(uniqueKeysWithValues: (0..<10_000).map { ("provider:\($0)", "\($0 + 1)/s") })
        try await board.publishLimits(many, fencingToken: fencingToken)
        #expect(try await board.limits() == many)
        // It stays, whatever epoch follows.
        #expect(try await broker.redis.send(["PTTL", "test:limits"]).int == -1)
        _ = try await begin(broker, fencingToken)
        #expect(try await board.limits() == many)
        await #expect(throws: RedisError.void) {
            try await board.publishLimits([:], fencingToken: FencingToken(ledger: "ledger", number: 2))
        }
        #expect(try await board.limits() == many)
        try await board.publishLimits([:], fencingToken: fencingToken)
        #expect(try await board.limits() == [:])
        server.stop()
    }
}
