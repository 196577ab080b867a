/// The limits that operators set at run time, as the workers see them.
package struct LimitBoard: Sendable {
    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// Puts up all limits that are set, in place of those that were up: none is missing in between.
    /// - Parameter overrides: by scope (`provider:NAME`), a limit as text or `none`.
    /// - Throws: `RedisError.void` when the feeder has not the duty any more.
    package func publishLimits(_ overrides: [String: String], fence: Fence) async throws(RedisError) {
        let reply = try await broker.redis.run(
            Scripts.limits, keys: [broker.keys.limits, broker.keys.fence],
            arguments: [.text(fence.text)] + overrides.flatMap { [.text($0.key), .text($0.value)] })
        if reply.int != 1 { throw .void }
    }

    /// The limits that are up, by scope; empty for none.
    package func limits() async throws(RedisError) -> [String: String] {
        let reply = try await broker.redis.send(["HGETALL", .text(broker.keys.limits)])
        guard let words = reply.array, words.count.isMultiple(of: 2) else { throw .unexpected("HGETALL: \(reply)") }
        var limits: [String: String] = [:]
        for index in stride(from: 0, to: words.count, by: 2) {
            guard let scope = words[index].text, let text = words[index + 1].text else { continue }
            limits[scope] = text
        }
        return limits
    }
}
