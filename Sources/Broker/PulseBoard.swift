import FoundationEssentials
package import Model

/// The signs of life of all processes of a fleet, for people to see: nothing is decided by them.
package struct PulseBoard: Sendable {
    /// A process as it was last heard of.
    package struct Sign: Sendable, Equatable {
        /// Names the process.
        package var name: String
        /// When that was, in milliseconds of Redis's clock, and seconds since then.
        package var at: Int64
        package var age: Double
        package var pulse: Pulse

        /// It gave a sign within the time that several need.
        package var isAlive: Bool { age < PulseBoard.longest }
    }

    /// How often a process gives a sign.
    package static let interval = Duration.seconds(1)
    /// Seconds without one after which a process is lost.
    package static let longest = 5.0
    /// Seconds after which it is forgotten.
    package static let memory = 600.0

    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    package func beat(_ name: String, _ pulse: Pulse) async throws(RedisError) {
        guard let text = try? JSONEncoder().encode(pulse) else { return }
        _ = try await broker.redis.run(
            Scripts.pulse, keys: [broker.keys.pulses], arguments: [.text(name), .text(String(decoding: text, as: UTF8.self))])
    }

    /// A process ends in good order: it is not missed.
    package func end(_ name: String) async throws(RedisError) {
        _ = try await broker.redis.send(["HDEL", .text(broker.keys.pulses), .text(name)])
    }

    /// All that are known, by name; those who were lost long ago are forgotten.
    package func all() async throws(RedisError) -> [Sign] {
        let replies = try await broker.redis.pipeline([["HGETALL", .text(broker.keys.pulses)], ["TIME"]])
        for case .error(let text) in replies { throw .command(text) }
        guard let words = replies[0].array, let now = replies[1].time.map({ $0 / 1000 }) else { throw .unexpected("pulses: \(replies)") }
        var signs: [Sign] = []
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            guard let name = words[index].text, let value = words[index + 1].text, let space = value.firstIndex(of: " "),
                let at = Int64(value[..<space]),
                // One of another release may say other things.
                let pulse = try? JSONDecoder().decode(Pulse.self, from: Data(value[value.index(after: space)...].utf8))
            else { continue }
            let age = Double(max(0, now - at)) / 1000
            if age > Self.memory { try await end(name) } else { signs.append(Sign(name: name, at: at, age: age, pulse: pulse)) }
        }
        return signs.sorted { $0.name < $1.name }
    }
}
