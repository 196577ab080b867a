import Model

/// The limits that operators set at run time, as the workers see them.
package struct PublishedLimits: Sendable {
    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// Replaces the published limits in one step. The queue of a scope whose limit has changed is dropped, for it has the old rate.
    /// - Parameter overrides: by scope (`provider:NAME`), a limit as text or `none`.
    /// - Throws: `RedisError.epochEnded` when another dispatcher leads.
    package func publishLimits(_ overrides: [String: String], fencingToken: FencingToken) async throws(RedisError) {
        let before = try await limits() ?? [:]
        let changed = Set(before.keys).union(overrides.keys).filter { before[$0] != overrides[$0] }
        // A name of another release that is no scope has no queue.
        let queues = changed.compactMap { LimitScope($0) }.map(broker.keys.queue)
        let reply = try await broker.redis.run(
            Scripts.limits, keys: [broker.keys.limits, broker.keys.leader, broker.keys.wake] + queues,
            arguments: [.text(fencingToken.text), .text(Self.marker), "1"] + overrides.flatMap { [.text($0.key), .text($0.value)] })
        if reply.int != 1 { throw .epochEnded }
    }

    /// A marker that tells a Redis without limits from one that has lost them.
    private static let marker = ""

    /// The published limits, by scope; nil where the dispatcher has not published any set yet.
    package func limits() async throws(RedisError) -> [String: String]? {
        let reply = try await broker.redis.send(["HGETALL", .text(broker.keys.limits)])
        guard let words = reply.array, words.count.isMultiple(of: 2) else { throw .unexpected("HGETALL: \(reply)") }
        var limits: [String: String] = [:]
        for index in stride(from: 0, to: words.count, by: 2) {
            guard let scope = words[index].text, let text = words[index + 1].text else { continue }
            limits[scope] = text
        }
        guard limits.removeValue(forKey: Self.marker) != nil else { return nil }
        return limits
    }
}
