import FoundationEssentials
import Model

/// Reads the heartbeats of all processes again and again. What a process has of its mailings is read only when that has changed.
package struct HeartbeatReader: Sendable {
    private struct Known {
        var revision: Int
        var mailings: [String: Heartbeat.Share]
    }

    private let broker: Broker
    private var known: [String: Known] = [:]

    package init(_ broker: Broker) { self.broker = broker }

    /// All processes with a heartbeat within `HeartbeatStore.memory`, by name.
    package mutating func all() async throws(RedisError) -> [HeartbeatStore.Sign] {
        var signs = try await HeartbeatStore(broker).entries().compactMap(Self.sign)
        try await learn(signs)
        for place in signs.indices where signs[place].heartbeat.revision != nil {
            signs[place].heartbeat.mailings = known[signs[place].name]?.mailings ?? [:]
        }
        return signs.sorted { $0.name < $1.name }
    }

    private static func sign(_ entry: HeartbeatStore.Entry) -> HeartbeatStore.Sign? {
        guard entry.age <= HeartbeatStore.memory else { return nil }
        // A heartbeat of another release may have other fields.
        guard let heartbeat = try? JSONDecoder().decode(Heartbeat.self, from: Data(entry.text.utf8)), (try? heartbeat.check()) != nil
        else {
            DeadLetters.count(.heartbeat)
            return nil
        }
        return HeartbeatStore.Sign(name: entry.name, at: entry.at, age: entry.age, heartbeat: heartbeat)
    }

    /// Reads the mailings of processes that have another revision of them, and forgets processes that are gone.
    private mutating func learn(_ signs: [HeartbeatStore.Sign]) async throws(RedisError) {
        let names = Set(signs.map(\.name))
        known = known.filter { names.contains($0.key) }
        let changed = signs.filter { $0.heartbeat.revision != nil && $0.heartbeat.revision != known[$0.name]?.revision }.map(\.name)
        let replies = try await broker.redis.pipeline(changed.map { ["HGETALL", .text(broker.keys.heartbeatMailings($0))] })
        for (name, reply) in zip(changed, replies) {
            if case .error(let text) = reply { throw .command(text) }
            known[name] = Self.mailings(reply.array ?? [])
        }
    }

    /// Nil where the revision is missing: then all of them are.
    private static func mailings(_ words: [RESPValue]) -> Known? {
        var known = Known(revision: 0, mailings: [:])
        for place in stride(from: 0, to: words.count - 1, by: 2) {
            guard let mailing = words[place].text else { continue }
            if mailing.isEmpty {
                known.revision = words[place + 1].whole(in: WireLimit.time) ?? 0
            } else if let wire = words[place + 1].bytes, let share = try? Heartbeat.Share(wire: wire) {
                known.mailings[mailing] = share
            } else {
                DeadLetters.count(.heartbeat)
            }
        }
        return known.revision > 0 ? known : nil
    }
}

extension RESPValue {
    /// A whole number of a range; nil for any other.
    fileprivate func whole(in range: ClosedRange<Int64>) -> Int? { int.flatMap { range.contains($0) ? Int($0) : nil } }
}
