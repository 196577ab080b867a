import Model
import TestServers
import Testing

@testable import Broker

@Suite(.timeLimit(.minutes(5))) struct StreamDepthTests {
    @Test func everyStreamTellsWhatWaitsAndWhatIsTaken() async throws {
        let fleet = try await TestFleet()
        let (redis, keys) = (fleet.broker.redis, fleet.broker.keys)
        let lane = Lane(channel: .sms, provider: "p")
        let empty = Lane(channel: .sms, provider: "q")
        #expect(try await fleet.status.depths() == [StreamDepth](repeating: StreamDepth(), count: 3))
        #expect(try await fleet.queue.depths([lane, empty]) == [StreamDepth(), StreamDepth()])

        let now = try await fleet.broker.time() / 1000
        for age in [9_000, 5_000, 1_000] as [Int64] {
            _ = try await redis.send(["XADD", .text(keys.status(1)), .text("\(now - age)-0"), "k", "?"])
            _ = try await redis.send(["XADD", .text(keys.lane(lane)), .text("\(now - age)-0"), "k", "?"])
        }
        _ = try await fleet.status.read(consumer: "c", count: 3, block: nil)
        _ = try await redis.send(["XGROUP", "CREATE", .text(keys.lane(lane)), "workers", "0"])
        _ = try await redis.send(["XREADGROUP", "GROUP", "workers", "w", "COUNT", "2", "STREAMS", .text(keys.lane(lane)), ">"])

        let depths = try await fleet.status.depths()
        #expect(depths.map(\.entries) == [0, 3, 0] && depths.map(\.pending) == [0, 1, 0] && depths[1].waiting == 2)
        // Later than they are, if the machine was slow.
        #expect(depths[1].age >= .seconds(9) && depths[0].age == .zero)
        let lag = try await fleet.status.lag()
        #expect(lag.entries == [0, 3, 0] && lag.age >= .seconds(9))
        let lanes = try await fleet.queue.depths([empty, lane])
        #expect(lanes[0] == StreamDepth())
        #expect(lanes[1].waiting == 1 && lanes[1].pending == 2 && lanes[1].age >= .seconds(9))
        #expect(try await fleet.queue.counts([empty, lane]).map(\.pending) == [0, 2])
    }

    @Test func whoMayNotReadIsTold() async throws {
        let fleet = try await TestFleet()
        _ = try await fleet.broker.redis.send(["ACL", "SETUSER", "default", "-xlen"])
        await #expect(throws: RedisError.self) { try await fleet.status.lag() }
        await #expect(throws: RedisError.self) { try await fleet.queue.counts([fleet.lane]) }
    }
}
