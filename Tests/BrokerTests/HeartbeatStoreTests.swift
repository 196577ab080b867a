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
        let store = HeartbeatStore(broker)
        var heartbeat = Heartbeat(role: .worker, version: "1", host: "h\"\\é", process: 7, started: 3, cpu: 1.5, memory: 4096)
        heartbeat.channels = [.email]
        heartbeat.mailings = [
            "m": Heartbeat.Share(waiting: 3, scope: .provider("p \"q\" \u{9b}"), interval: 0.5, isDown: true),
            "n \"mailings\":{}": Heartbeat.Share(interval: 1e-7, pause: 1e11), "o": Heartbeat.Share(),
        ]
        heartbeat.mailings["o"]?.exhausted = "connections=20"
        try await store.beat("b", heartbeat)
        try await store.beat("a", heartbeat)
        // One of another release, and some of long ago.
        let now = try await broker.time() / 1000
        _ = try await broker.redis.send([
            "HSET", "{test}:heartbeats", "c", .text("\(now) {\"role\":\"rower\"}"), "d", "12 {}", "e", "noise", "f",
            .text("\(Int64.min) {}"),
        ])
        let signs = try await store.all()
        #expect(signs.map(\.name) == ["a", "b"])
        #expect(signs.allSatisfy { $0.heartbeat == heartbeat && $0.isAlive == ($0.age < HeartbeatStore.longest) && $0.age < 60 })
        try await store.end("a")
        #expect(try await store.all().map(\.name) == ["b"])
        #expect(try await broker.redis.send(["HLEN", "{test}:heartbeats"]).int == 5, "who looks changes nothing")
        try await store.forget()
        try await store.forget()
        #expect(try await broker.redis.send(["HKEYS", "{test}:heartbeats"]).array?.compactMap(\.text).sorted() == ["b", "c"])
        await broker.close()
    }
}
