import Model

/// The keys of release 0.1, which had no hash tag, and entries without a version. They are treated like a lost Redis, except for
/// uncollected results, which are adopted.
package struct Release01: Sendable {
    private let broker: Broker
    private var prefix: String { broker.keys.prefix }

    package init(_ broker: Broker) { self.broker = broker }

    /// Whether a planner of that release has worked here.
    package func isPresent() async throws(RedisError) -> Bool {
        // A prefix with braces of its own gives both releases the same keys: what is there is this release's.
        guard prefix != broker.keys.tag else { return false }
        // Not in a cluster, which would reply MOVED: that release could not work there.
        return try await broker.redis.pipeline([["EXISTS", .text("\(prefix):epoch")]])[0].int == 1
    }

    /// Moves results that no collector has taken into this release's status streams.
    /// - Returns: how many groups of results.
    package func adoptResults() async throws(RedisError) -> Int {
        var adopted = 0
        for key in try await broker.redis.scan("\(prefix):status:*").joined() {
            while true {
                let reply = try await broker.redis.send(["XRANGE", .text(key), "-", "+", "COUNT", "100"])
                let entries = try StreamEntry.list(.array([.array([.string(Array(key.utf8)), reply])]))
                guard !entries.isEmpty else { break }
                for entry in entries {
                    let partition = Int(clamping: (Int64(entry.text("b")) ?? 0) % Int64(broker.partitions))
                    let fields = entry.fields.sorted { $0.key < $1.key }.flatMap { [RedisArgument.text($0.key), .bytes($0.value)] }
                    // Written twice, should we die between the two, changes nothing.
                    _ = try await broker.redis.send(["XADD", .text(broker.keys.status(max(0, partition))), "*"] + fields)
                    _ = try await broker.redis.send(["XDEL", .text(key), .text(entry.id)])
                    adopted += 1
                }
            }
        }
        return adopted
    }

    /// Removes what is left of it.
    package func remove() async throws(RedisError) {
        let kinds = [
            "fence", "noted", "workers", "limits", "pulses", "ready:*", "marks:*", "groups:*", "fed:*", "mailing:*", "status:*",
            "throttle:*", "turn:*", "pace:*", "epoch",
        ]
        for kind in kinds {
            for keys in try await broker.redis.scan("\(prefix):\(kind)") where !keys.isEmpty {
                _ = try await broker.redis.send(["UNLINK"] + keys.map { .text($0) })
            }
        }
    }
}
