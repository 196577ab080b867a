/// How full a stream is.
package struct StreamDepth: Sendable, Equatable {
    /// Entries in it.
    package var entries = 0
    /// Those of them that somebody of its consumer group has taken and not ended.
    package var pending = 0
    /// How long the oldest entry has been there; zero where there is none.
    package var age = Duration.zero

    /// Entries that nobody has taken.
    package var waiting: Int { max(0, entries - pending) }
}

extension RedisClient {
    /// Entries of streams, and those of them that a consumer has; no more than two numbers a stream travel.
    func counts(_ streams: [String], group: String) async throws(RedisError) -> [(entries: Int, pending: Int)] {
        let replies = try await pipeline(streams.flatMap { [["XLEN", .text($0)], ["XPENDING", .text($0), .text(group)]] })
        for case .error(let text) in replies where !text.hasPrefix("NOGROUP") { throw .command(text) }
        return streams.indices.map { place in
            (replies[2 * place].count, replies[2 * place + 1].array?.first?.count ?? 0)
        }
    }

    /// How full streams are, in one round trip that changes nothing; a stream or group that does not exist is empty.
    func depths(_ streams: [String], group: String) async throws(RedisError) -> [StreamDepth] {
        let replies = try await pipeline(
            streams.flatMap { stream -> [[RedisArgument]] in
                [
                    ["XLEN", .text(stream)], ["XPENDING", .text(stream), .text(group)],
                    ["XRANGE", .text(stream), "-", "+", "COUNT", "1"],
                ]
            } + [["TIME"]])
        for case .error(let text) in replies where !text.hasPrefix("NOGROUP") { throw .command(text) }
        let now = Duration.microseconds(replies.last?.time ?? 0)
        return streams.indices.map { place in
            let (length, pending, first) = (replies[3 * place], replies[3 * place + 1], replies[3 * place + 2])
            let oldest = first.array?.first?.array?.first?.text.flatMap { StreamID($0) }
            return StreamDepth(
                entries: length.count, pending: pending.array?.first?.count ?? 0,
                age: oldest.map { max(.zero, now - .milliseconds(Int64(clamping: $0.milliseconds))) } ?? .zero)
        }
    }
}
