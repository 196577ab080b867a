import Foundation
import TestServers
import Testing

/// Another program writes to the keys of a fleet at work, one value of each kind, and of a wrong type: the fleet continues by itself.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ForeignValueTests {
    @Test func aFleetOutlivesWhateverIsWrittenToItsKeys() async throws {
        let fleet = try await Fleet(3000, extra: "batch_size: 20\nspeed: 60/s\n", environment: ["FLOTILLA_WORKER_LEASE": "5s"])
        try fleet.start("collector", "worker-1", "worker-2", "planner")
        try await eventually("some have arrived") { try fleet.sink.lines().count > 50 }
        let (redis, tag) = (fleet.redis, "{flotilla}")
        func keys(_ pattern: String) throws -> [String] {
            try redis.cli("--raw", "KEYS", "\(tag):\(pattern)").split(separator: "\n").map(String.init)
        }
        for pattern in ["dispatched:*", "workers", "mailing:*", "rate:*"] {
            for key in try keys(pattern) {
                for field in try redis.cli("--raw", "HKEYS", key).split(separator: "\n") where field != "definition" {
                    _ = try redis.cli("HSET", key, String(field), "garbage")
                }
            }
        }
        for pattern in ["reached:*", "throttle:*", "marks:*", "leader", "epoch", "commits"] {
            for key in try keys(pattern) { _ = try redis.cli("SET", key, "garbage") }
        }
        for pattern in ["limits", "workers", "lane:*", "status:0", "demand", "wake", "dead", "lanes", "dispatched:*", "epoch"] {
            for key in try keys(pattern) {
                _ = try redis.cli("DEL", key)
                _ = try redis.cli(pattern == "limits" ? "LPUSH" : "SET", key, "garbage")
            }
        }
        try await fleet.speed("1000/s")
        try await fleet.state("sent", within: 60)
        try await fleet.endAll()
        #expect(Set(try fleet.sink.arrived()).count == 3000)
        let doubled = try fleet.doubled()
        #expect(try fleet.listed().isSuperset(of: doubled))
    }
}
