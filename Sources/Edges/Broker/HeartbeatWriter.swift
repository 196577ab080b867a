import FoundationEssentials
package import Model

/// Sends the heartbeats of one process. What a worker has of its mailings is sent only as far as it has changed since the heartbeat before,
/// so that thousands of mailings that wait cost nothing.
package struct HeartbeatWriter: Sendable {
    private let broker: Broker
    private let process: String
    /// What Redis has of the mailings, unless it has lost that.
    private var told: [String: Heartbeat.Share] = [:]
    /// Of `told`; nil where Redis may have something else.
    private var revision: Int?
    /// The highest revision so far. Other processes of the same name, before or after this one, have other revisions.
    private var last = Int.random(in: (1 << 20)...(1 << 50))

    /// - Parameter process: names it.
    package init(_ broker: Broker, process: String) {
        self.broker = broker
        self.process = process
    }

    package mutating func beat(_ heartbeat: Heartbeat) async throws(RedisError) {
        let changes = Self.changes(from: told, to: heartbeat.mailings)
        let known = told.isEmpty || heartbeat.mailings.isEmpty ? nil : revision
        revision = nil
        if let known {
            let next = changes.isEmpty ? known : last + 1
            last = max(last, next)
            if try await send(heartbeat, changes, after: known, as: next) {
                (told, revision) = (heartbeat.mailings, next)
                return
            }
        }
        last += 1
        _ = try await send(heartbeat, Self.changes(from: [:], to: heartbeat.mailings), after: nil, as: last)
        (told, revision) = (heartbeat.mailings, last)
    }

    /// - Parameter before: the revision that the changes follow; nil where they are all mailings.
    /// - Returns: false where Redis does not have that revision.
    private func send(
        _ heartbeat: Heartbeat, _ changes: [RedisArgument], after before: Int?, as revision: Int
    ) async throws(RedisError) -> Bool {
        var own = heartbeat
        own.revision = heartbeat.mailings.isEmpty ? nil : revision
        own.mailings = [:]
        guard let json = try? JSONEncoder().encode(own) else { return true }
        let reply = try await broker.redis.run(
            Scripts.heartbeat, keys: [broker.keys.heartbeats, broker.keys.heartbeatMailings(process)],
            arguments: [
                .text(process), .bytes([UInt8](json)), .text(before.map { "\($0)" } ?? ""), .text(own.revision.map { "\($0)" } ?? ""),
                RedisArgument(Int(HeartbeatStore.memory.components.seconds)),
            ] + changes)
        return reply.int == 1
    }

    /// A mailing and its wire form for each that differs; nothing for one that is no longer there.
    private static func changes(from before: [String: Heartbeat.Share], to now: [String: Heartbeat.Share]) -> [RedisArgument] {
        // Of one and the same dictionary this is known at once.
        if before == now { return [] }
        var changes: [RedisArgument] = []
        for (mailing, share) in now where before[mailing] != share { changes += [.text(mailing), .bytes(share.wire)] }
        for mailing in before.keys where now[mailing] == nil { changes += [.text(mailing), ""] }
        return changes
    }
}
