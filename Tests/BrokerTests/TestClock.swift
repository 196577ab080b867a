import TestServers

@testable import Broker

/// A clock that a test sets, in place of Redis's own: how fast the machine is changes nothing.
struct TestClock {
    private static let key = "test-clock"
    private let redis: RedisClient

    init(_ broker: Broker) { redis = broker.redis }

    /// Sets the time, in microseconds since 1970.
    func set(_ time: Int64) async throws { _ = try await redis.send(["SET", .text(Self.key), RedisArgument(time)]) }

    /// The script with this clock: its `TIME` says what was set. All on the first line, so that errors keep their line.
    static func timed(_ script: RedisScript) -> RedisScript {
        let prelude = """
            local server = redis; \
            local function clock() local now = tonumber(server.call('GET', '\(key)')); \
            return { string.format('%.0f', math.floor(now / 1000000)), string.format('%.0f', now % 1000000) } end; \
            local redis = setmetatable({ call = function(command, ...) \
            if command == 'TIME' then return clock() end return server.call(command, ...) end }, { __index = server }); 
            """
        return RedisScript(name: "timed \(script.name)", source: Array(prelude.utf8) + script.source)
    }
}
