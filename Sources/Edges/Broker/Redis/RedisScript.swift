import Synchronization

/// A Lua script: sent once to each Redis, then called by its hash. Its header in `Scripts/` says KEYS, ARGV and returns.
package struct RedisScript: Sendable {
    let name: String
    let source: [UInt8]
    /// SHA-1 of the source, as Redis told it at the first load.
    private let hash = Shared()

    private final class Shared: Sendable {
        let value = Mutex<String?>(nil)
    }

    init(name: String, source: [UInt8]) {
        self.name = name
        self.source = source
    }

    func words(_ hash: String, keys: [String], arguments: [RedisArgument]) -> [RedisArgument] {
        ["EVALSHA", .text(hash), RedisArgument(keys.count)] + keys.map { .text($0) } + arguments
    }

    func hash(on redis: RedisClient, reload: Bool = false) async throws(RedisError) -> String {
        if !reload, let known = hash.value.withLock({ $0 }) { return known }
        guard let loaded = try await redis.send(["SCRIPT", "LOAD", .bytes(source)]).text else {
            throw .unexpected("SCRIPT LOAD of \(name) gave no hash")
        }
        hash.value.withLock { $0 = loaded }
        return loaded
    }
}

extension RedisClient {
    /// Runs a script once.
    package func run(
        _ script: RedisScript, keys: [String], arguments: [RedisArgument]
    ) async throws(RedisError) -> RESPValue {
        let reply = try await run(script, calls: [(keys, arguments)])[0]
        if case .error(let text) = reply { throw .command(text) }
        return reply
    }

    /// Runs a script several times in one piece, in order; loads it where Redis does not know it (a new or emptied one).
    /// - Parameter after: commands that follow in the same piece; their replies are not told.
    package func run(
        _ script: RedisScript, calls: [(keys: [String], arguments: [RedisArgument])], then after: [[RedisArgument]] = []
    ) async throws(RedisError) -> [RESPValue] {
        guard !calls.isEmpty else { return [] }
        var hash = try await script.hash(on: self)
        var replies = try await pipeline(
            calls.map { script.words(hash, keys: $0.keys, arguments: $0.arguments) } + after)
        replies.removeLast(after.count)
        let unknown = replies.indices.filter { if case .error(let text) = replies[$0] { text.hasPrefix("NOSCRIPT") } else { false } }
        guard !unknown.isEmpty else { return replies }
        hash = try await script.hash(on: self, reload: true)
        let again = try await pipeline(
            unknown.map { script.words(hash, keys: calls[$0].keys, arguments: calls[$0].arguments) } + after)
        for (index, reply) in zip(unknown, again) { replies[index] = reply }
        return replies
    }
}
