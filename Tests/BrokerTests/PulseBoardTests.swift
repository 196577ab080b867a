import Broker
import Model
import NIOPosix
import TestServers
import Testing

@Suite struct PulseBoardTests {
    @Test func whoGivesASignIsSeenAndWhoEndsIsNot() async throws {
        let server = try await RedisServer()
        let broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 1, name: "t",
            group: MultiThreadedEventLoopGroup.singleton, logger: quiet)
        let board = PulseBoard(broker)
        var pulse = Pulse(role: .worker, version: "1", host: "h\"\\é", process: 7, started: 3, cpu: 1.5, memory: 4096)
        pulse.channels = [.email]
        pulse.mailings = ["m": Pulse.Share(waiting: 3, scope: "provider:p", interval: 0.5, isDown: true)]
        try await board.beat("b", pulse)
        try await board.beat("a", pulse)
        // One of another release, and one of long ago.
        _ = try await broker.redis.send(["HSET", "test:pulses", "c", "12 {\"role\":\"rower\"}", "d", "12 {}"])
        let signs = try await board.all()
        #expect(signs.map(\.name) == ["a", "b"])
        #expect(signs.allSatisfy { $0.pulse == pulse && $0.isAlive && $0.age < 60 })
        try await board.end("a")
        #expect(try await board.all().map(\.name) == ["b"])
        await broker.close()
    }
}
