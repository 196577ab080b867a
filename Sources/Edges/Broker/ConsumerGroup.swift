import Logging
import Model

/// Reads streams for the consumers of a group. An entry is with one consumer at a time, and stays in its stream until it is confirmed: one
/// that a consumer did not confirm before it ended comes again.
struct ConsumerGroup: Sendable {
    private let redis: RedisClient
    private let keys: Keys
    private let name: String
    private let streams: [String]
    /// A connection of its own, which reads may block.
    private let reader: RedisClient
    /// Makes a stream and its group where they are missing.
    private let restore: @Sendable (String) async throws(RedisError) -> Void

    init(
        _ broker: Broker, _ name: String, of streams: [String], reader: String,
        restore: @escaping @Sendable (String) async throws(RedisError) -> Void
    ) {
        redis = broker.redis
        keys = broker.keys
        self.name = name
        self.streams = streams
        self.reader = broker.redis.forBlocking(reader)
        self.restore = restore
    }

    func close() async { await reader.close() }

    /// The run id of the server that entries are read from: after its next start it may bring back what was confirmed.
    func serverRun() async throws(RedisError) -> String { try await reader.serverRun() }

    /// Reads new entries, `count` of each stream at most, waiting for the first at most `block`; nil does not wait.
    func read(consumer: String, count: Int, block: Duration?) async throws(RedisError) -> [StreamEntry] {
        do throws(RedisError) {
            return try await reader.readGroup(name, consumer: consumer, streams: streams, count: count, block: block)
        } catch {
            // UNBLOCKED: the stream went while we waited for it.
            guard case .command(let text) = error, text.hasPrefix("NOGROUP") || text.hasPrefix("UNBLOCKED") else { throw error }
            for stream in streams { try await restore(stream) }
            return try await reader.readGroup(name, consumer: consumer, streams: streams, count: count, block: block)
        }
    }

    /// Entries that this consumer read and did not confirm, before it was started again; `count` of each stream at most.
    func readUnconfirmed(consumer: String, count: Int) async throws(RedisError) -> [StreamEntry] {
        var entries: [StreamEntry] = []
        for stream in streams {
            try await restore(stream)
            let reply = try await redis.send([
                "XREADGROUP", "GROUP", .text(name), .text(consumer), "COUNT", RedisArgument(count), "STREAMS", .text(stream), "0",
            ])
            entries += try StreamEntry.list(reply)
        }
        return entries
    }

    /// Takes over entries that any consumer read and did not confirm for as long as `idle`: it died. `count` of each stream at most.
    func claimAbandoned(by consumer: String, idle: Duration, count: Int) async throws(RedisError) -> [StreamEntry] {
        var entries: [StreamEntry] = []
        for stream in streams {
            try await restore(stream)
            let reply = try await redis.send([
                "XAUTOCLAIM", .text(stream), .text(name), .text(consumer),
                RedisArgument(idle.nanoseconds / 1_000_000), "0-0", "COUNT", RedisArgument(count),
            ])
            guard let parts = reply.array, parts.count >= 2 else { throw .unexpected("XAUTOCLAIM: \(reply)") }
            entries += try StreamEntry.list(.array([.array([.string(Array(stream.utf8)), parts[1]])]))
        }
        return entries
    }

    /// Takes entries off their streams.
    /// - Parameters:
    ///   - ids: those of each stream.
    ///   - replay: copies are kept; nil for none.
    func confirm(_ ids: [String: [String]], replay: Replay? = nil) async throws(RedisError) {
        let copies = replay?.arguments ?? Replay.none
        let replies = try await redis.run(
            Scripts.confirm,
            calls: ids.map { stream, all in
                (
                    [stream, keys.replay(stream), keys.replayStanding(stream)],
                    [.text(name)] + (stream == keys.deadLetters ? Replay.none : copies) + all.map { .text($0) }
                )
            })
        for case .error(let text) in replies { throw .command(text) }
    }

    /// Makes a stream and a consumer group that reads it from its beginning, where they are missing.
    static func make(_ stream: String, _ group: String, on redis: RedisClient) async throws(RedisError) {
        // Asked first: a Redis without memory makes nothing, and a collector is what frees it.
        if case .array = try await redis.pipeline([["XPENDING", .text(stream), .text(group)]])[0] { return }
        do throws(RedisError) {
            _ = try await redis.send(["XGROUP", "CREATE", .text(stream), .text(group), "0", "MKSTREAM"])
        } catch {
            guard case .command(let text) = error, text.hasPrefix("BUSYGROUP") else { throw error }
        }
    }
}
