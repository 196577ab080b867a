import Broker
import Model
import NIOPosix
import TestServers
import Testing

@Suite struct StreamFillTests {
    @Test func everyStreamTellsWhatWaitsAndWhatIsTaken() async throws {
        let server = try await RedisServer()
        let broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 3, name: "t",
            group: MultiThreadedEventLoopGroup.singleton, logger: quiet)
        let (queue, status) = (BatchQueue(broker), StatusStreams(broker))
        #expect(
            try await status.fills().map { [Double($0.entries), Double($0.pending), $0.seconds] } == [[0, 0, 0], [0, 0, 0], [0, 0, 0]])
        #expect(try await queue.fills().map(\.channel) == Channel.allCases)
        #expect(try await queue.fills().allSatisfy { $0.fill.entries == 0 && $0.fill.pending == 0 && $0.fill.seconds == 0 })

        let now = try await broker.time() / 1000
        for age in [9_000, 5_000, 1_000] {
            _ = try await broker.redis.send(["XADD", "test:status:1", .text("\(now - Int64(age))-0"), "k", "?"])
            _ = try await broker.redis.send(["XADD", "test:ready:sms", .text("\(now - Int64(age))-0"), "k", "?"])
        }
        _ = try await status.read(consumer: "c", count: 3, block: nil)
        _ = try await broker.redis.send(["XGROUP", "CREATE", "test:ready:sms", "workers", "0"])
        _ = try await broker.redis.send(["XREADGROUP", "GROUP", "workers", "w", "COUNT", "2", "STREAMS", "test:ready:sms", ">"])

        let fills = try await status.fills()
        #expect(fills.map(\.entries) == [0, 3, 0] && fills.map(\.pending) == [0, 1, 0] && fills[1].waiting == 2)
        #expect((9..<60).contains(fills[1].seconds) && fills[0].seconds == 0)
        let lag = try await status.lag()
        #expect(lag.entries == [0, 3, 0] && (9..<60).contains(lag.seconds))
        let batches = try await queue.fills()
        #expect(batches.filter { $0.fill.entries > 0 }.map(\.channel) == [.sms])
        #expect(batches.first { $0.channel == .sms }.map { $0.fill.waiting == 1 && $0.fill.pending == 2 && $0.fill.seconds >= 9 } == true)
        await queue.close()
        await status.close()
        await broker.close()
    }

    @Test func whoMayNotReadIsTold() async throws {
        let server = try await RedisServer()
        let broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 1, name: "t",
            group: MultiThreadedEventLoopGroup.singleton, logger: quiet)
        _ = try await broker.redis.send(["ACL", "SETUSER", "default", "-xlen"])
        await #expect(throws: RedisError.self) { try await StatusStreams(broker).lag() }
        await broker.close()
    }
}
