import Authentication
import Broker

/// What Redis says of itself, and what of that does not do for a conveyor.
struct RedisFacts {
    private let text: String
    /// How far its clock is ahead of ours, in milliseconds.
    private let difference: Int64?

    /// Milliseconds by which clocks may differ: leases are seconds long.
    private static let mostDifference: Int64 = 1000

    init(_ text: String, difference: Int64?) {
        self.text = text
        self.difference = difference
    }

    private func value(_ name: String) -> String? { RedisServerInfo.value(name, in: text) }

    private func number(_ name: String) -> Int64? { value(name).flatMap { Int64($0) } }

    func findings(at place: String) -> [Finding] {
        [.ok("Redis", "\(place): version \(value("redis_version") ?? "unknown")")] + memory + persistence + clock
    }

    private var memory: [Finding] {
        let policy = value("maxmemory_policy") ?? "unknown"
        guard policy == "noeviction" else {
            return [
                .fault(
                    "Redis", "maxmemory-policy is \(policy)", why: "Redis would remove batches and results when memory is short",
                    do: "CONFIG SET maxmemory-policy noeviction, and the same in redis.conf")
            ]
        }
        guard let used = number("used_memory"), let most = number("maxmemory"), most > 0 else {
            return [
                .warning(
                    "Redis", "maxmemory is not set", why: "Redis is killed where the machine's memory ends, instead of refusing",
                    do: "set maxmemory to some 70 % of the machine's memory")
            ]
        }
        // Without a product, which could be too large.
        guard used > most / 10 * 8 else { return [.ok("Redis", "\(used >> 20) of \(most >> 20) MB are used, and nothing is evicted")] }
        return [
            .warning("Redis", "\(used >> 20) of \(most >> 20) MB are used", why: "a full Redis takes no more work", do: "raise maxmemory")
        ]
    }

    private var persistence: [Finding] {
        if value("rdb_last_bgsave_status") == "err" || value("aof_last_write_status") == "err" {
            return [
                .fault("Redis", "the last save failed", why: "Redis refuses writes then", do: "see Redis's log, and make room on its disk")
            ]
        }
        guard value("aof_enabled") != "1" else { return [.ok("Redis", "it keeps an append-only file")] }
        return [
            .warning(
                "Redis", "there is no append-only file", why: "after a crash of Redis more deliveries are uncertain (docs/reliability.md)",
                do: "appendonly yes, appendfsync everysec")
        ]
    }

    private var clock: [Finding] {
        guard let difference else { return [] }
        guard difference.magnitude > UInt64(Self.mostDifference) else { return [.ok("clock", "it agrees with that of Redis")] }
        return [
            .warning(
                "clock", "the clock of Redis is \(difference.magnitude) ms \(difference > 0 ? "ahead of" : "behind") ours",
                why: "schedules, leases and signatures rest on clocks", do: "run chrony or systemd-timesyncd on both machines")
        ]
    }
}
