package import Logging
import Model
package import NIOCore

/// Everything that the roles do with Redis.
package struct Broker: Sendable {
    package let redis: RedisClient
    package let keys: Keys
    /// How many status streams there are; the same for the whole fleet.
    package let partitions: Int
    let logger: Logger
    /// Logs now and then that lanes have entries that cannot be read.
    let unreadable = SharedLine()

    /// - Parameters:
    ///   - name: shown by Redis in CLIENT LIST.
    ///   - partitions: status streams, from 1.
    package init(
        endpoint: RedisEndpoint, prefix: String, partitions: Int, name: String, group: any EventLoopGroup,
        logger: Logger
    ) {
        keys = Keys(prefix: prefix)
        redis = RedisClient(endpoint: endpoint, name: name, group: group, logger: logger, repair: KeyRepair(keys, logger))
        self.partitions = partitions
        self.logger = logger
    }

    /// Connects once, so that a wrong address or password, or another number of status streams than the fleet's, is known before work
    /// begins. The first role of a fleet sets that number.
    package func check() async throws(RedisError) {
        guard try await redis.send(["PING"]).text == "PONG" else { throw .unexpected("PING") }
        let replies = try await redis.pipeline([
            ["SET", .text(keys.partitions), RedisArgument(partitions), "NX"], ["GET", .text(keys.partitions)],
        ])
        // A Redis without memory takes no SET. A collector is what frees it, and must be able to start.
        let isKnown = replies[1].text != nil
        for case .error(let text) in replies where !(isKnown && UnfitServer.isOverloaded(text)) { throw .command(text) }
        try check(partitions: replies[1].text)
    }

    /// Sets the number of status streams again, as the dispatcher that leads knows it.
    package func setPartitions() async throws(RedisError) {
        _ = try await redis.send(["SET", .text(keys.partitions), RedisArgument(partitions)])
    }

    /// - Parameter here: the number of status streams that Redis knows; nil or empty where it knows none.
    func check(partitions here: String?) throws(RedisError) {
        guard let here = here.flatMap(Int.init), here != partitions else { return }
        throw .otherPartitions(here: here, ours: partitions)
    }

    /// The time by Redis's clock, in microseconds since 1970.
    package func time() async throws(RedisError) -> Int64 {
        let reply = try await redis.send(["TIME"])
        guard let time = reply.time else { throw .unexpected("TIME: \(reply)") }
        return time
    }

    /// The policy by which this Redis evicts keys when its memory is full: what it held would be lost, batch by batch. Nil where it
    /// refuses writes instead, as it must.
    package func evictionPolicy() async throws(RedisError) -> String? {
        let memory = try await redis.send(["INFO", "memory"]).text ?? ""
        return RedisServerInfo.value("maxmemory_policy", in: memory).flatMap { $0 == "noeviction" ? nil : $0 }
    }

    package func close() async {
        await redis.close()
    }
}

extension RedisClient {
    /// The names of keys that match a pattern, as Redis hands them out: about a thousand at a time.
    func scan(_ pattern: String) async throws(RedisError) -> [[String]] {
        var found: [[String]] = []
        var cursor = "0"
        repeat {
            let reply = try await send(["SCAN", .text(cursor), "MATCH", .text(pattern), "COUNT", "1000"])
            guard let parts = reply.array, parts.count == 2, let next = parts[0].text, let keys = parts[1].array else {
                throw .unexpected("SCAN: \(reply)")
            }
            cursor = next
            found.append(keys.compactMap(\.text))
        } while cursor != "0"
        return found
    }

    /// Reads new entries of streams for a consumer.
    func readGroup(
        _ group: String, consumer: String, streams: [String], count: Int, block: Duration?
    ) async throws(RedisError) -> [StreamEntry] {
        let head: [RedisArgument] = ["XREADGROUP", "GROUP", .text(group), .text(consumer), "COUNT", RedisArgument(count)]
        let wait: [RedisArgument] = block.map { ["BLOCK", RedisArgument(max(1, $0.nanoseconds / 1_000_000))] } ?? []
        let tail: [RedisArgument] = ["STREAMS"] + streams.map { .text($0) } + streams.map { _ in ">" }
        return try StreamEntry.list(await send(head + wait + tail, blocking: block ?? .zero))
    }
}

/// One entry of a stream, with its fields.
struct StreamEntry: Sendable {
    var stream: String
    var id: String
    var fields: [String: [UInt8]]

    func text(_ field: String) -> String { String(decoding: fields[field] ?? [], as: UTF8.self) }

    /// A field's whole number.
    func int(_ field: String, in range: ClosedRange<Int64>) throws(WireError) -> Int64 {
        guard let value = Int64(text(field)) else { throw WireError("field '\(field)' is no number") }
        guard range.contains(value) else { throw WireError("field '\(field)' is out of range: \(value)") }
        return value
    }

    /// The entries of a reply of XREADGROUP or XREAD.
    static func list(_ reply: RESPValue) throws(RedisError) -> [StreamEntry] {
        if case .null = reply { return [] }
        guard let streams = reply.array else { throw .unexpected("XREADGROUP: \(reply)") }
        var entries: [StreamEntry] = []
        for stream in streams {
            guard let pair = stream.array, pair.count == 2, let name = pair[0].text, let items = pair[1].array else {
                throw .unexpected("XREADGROUP")
            }
            for item in items {
                guard let parts = item.array, parts.count == 2, let id = parts[0].text else {
                    throw .unexpected("XREADGROUP")
                }
                // An entry that was deleted while it was pending has no fields.
                entries.append(StreamEntry(stream: name, id: id, fields: fields(parts[1])))
            }
        }
        return entries
    }

    private static func fields(_ value: RESPValue) -> [String: [UInt8]] {
        let words = value.array ?? []
        var fields: [String: [UInt8]] = [:]
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            if let name = words[index].text, let bytes = words[index + 1].bytes { fields[name] = bytes }
        }
        return fields
    }
}
