import Broker
import Model
import NIOPosix
import TestServers
import Testing

@Suite struct HeartbeatStoreTests {
    @Test func whoGivesASignIsSeenAndWhoEndsIsNot() async throws {
        let server = try await RedisServer()
        let broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 1, name: "t",
            group: MultiThreadedEventLoopGroup.singleton, logger: quiet)
        let board = HeartbeatStore(broker)
        var heartbeat = Heartbeat(role: .worker, version: "1", host: "h\"\\é", process: 7, started: 3, cpu: 1.5, memory: 4096)
        heartbeat.channels = [.email]
        heartbeat.mailings = [
            "m": Heartbeat.Share(waiting: 3, scope: .provider("p \"q\" \u{9b}"), interval: 0.5, isDown: true),
            "n \"mailings\":{}": Heartbeat.Share(interval: 1e-7, pause: 1e11), "o": Heartbeat.Share(),
        ]
        heartbeat.mailings["o"]?.exhausted = "connections=20"
        try await board.beat("b", heartbeat)
        try await board.beat("a", heartbeat)
        // One of another release, and some of long ago.
        let now = try await broker.time() / 1000
        _ = try await broker.redis.send([
            "HSET", "{test}:heartbeats", "c", .text("\(now) {\"role\":\"rower\"}"), "d", "12 {}", "e", "noise", "f",
            .text("\(Int64.min) {}"),
        ])
        let signs = try await board.all()
        #expect(signs.map(\.name) == ["a", "b"])
        #expect(signs.allSatisfy { $0.heartbeat == heartbeat && $0.isAlive == ($0.age < HeartbeatStore.longest) && $0.age < 60 })
        try await board.end("a")
        #expect(try await board.all().map(\.name) == ["b"])
        #expect(try await broker.redis.send(["HLEN", "{test}:heartbeats"]).int == 5, "who looks changes nothing")
        try await board.forget()
        try await board.forget()
        #expect(try await broker.redis.send(["HKEYS", "{test}:heartbeats"]).array?.compactMap(\.text).sorted() == ["b", "c"])
        await broker.close()
    }
}
