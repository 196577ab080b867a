package import Model

/// The heartbeats of all processes of a fleet. They are for people: nothing depends on them.
package struct HeartbeatStore: Sendable {
    /// The last heartbeat of a process.
    package struct Sign: Sendable, Equatable {
        /// Names the process.
        package var name: String
        /// When that was, in milliseconds of Redis's clock, and the time since then.
        package var at: Int64
        package var age: Duration
        package var heartbeat: Heartbeat

        /// Its last heartbeat is recent.
        package var isAlive: Bool { age < HeartbeatStore.longest }
    }

    /// A heartbeat as Redis has it.
    struct Entry {
        var name: String
        /// As in `Sign`; one without a time is as old as can be.
        var at: Int64
        var age: Duration
        var text: Substring
    }

    /// How often a process sends its heartbeat: one with a thousand mailings looks at each of them.
    package static func interval(mailings: Int) -> Duration { min(.seconds(1) + .milliseconds(2) * mailings, .seconds(3)) }
    /// The time without a heartbeat after which a process is lost.
    package static let longest = Duration.seconds(5)
    /// The time after which it is forgotten.
    package static let memory = Duration.seconds(600)

    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// A process ends in good order, and so is not lost.
    package func end(_ name: String) async throws(RedisError) {
        let replies = try await broker.redis.pipeline([
            ["HDEL", .text(broker.keys.heartbeats), .text(name)], ["DEL", .text(broker.keys.heartbeatMailings(name))],
        ])
        for case .error(let text) in replies { throw .command(text) }
    }

    /// All processes with a heartbeat within `memory`, by name.
    package func all() async throws(RedisError) -> [Sign] {
        var reader = HeartbeatReader(broker)
        return try await reader.all()
    }

    /// Removes processes that were lost longer ago than `memory`, of any release.
    package func forget() async throws(RedisError) {
        let old = try await entries().filter { $0.age > Self.memory }.map { RedisArgument.text($0.name) }
        if !old.isEmpty { _ = try await broker.redis.send(["HDEL", .text(broker.keys.heartbeats)] + old) }
    }

    func entries() async throws(RedisError) -> [Entry] {
        let replies = try await broker.redis.pipeline([["HGETALL", .text(broker.keys.heartbeats)], ["TIME"]])
        for case .error(let text) in replies { throw .command(text) }
        guard let words = replies[0].array, let now = replies[1].time.map({ $0 / 1000 }) else {
            throw .unexpected("heartbeats: \(replies)")
        }
        return stride(from: 0, to: words.count - 1, by: 2).map { index in
            let parts = (words[index + 1].text ?? "").split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            let at = Int64(parts[0]).map { min(max(0, $0), WireLimit.time.upperBound) } ?? 0
            return Entry(
                name: words[index].text ?? "", at: at, age: .milliseconds(max(0, now - at)), text: parts.dropFirst().first ?? "")
        }
    }
}
