package import Model

/// Addresses that were suppressed lately. A batch is checked against the ledger's list as it is dispatched; by these, what is in Redis or
/// with a worker already is checked once more before it starts. Nothing is asked of Redis for them while nobody is suppressed.
package struct RecentSuppressions: Sendable {
    /// A suppression as workers see it, or that there is none any more.
    package struct Entry: Sendable, Equatable {
        package let key: Suppression.Key
        /// Empty where it is lifted.
        package let reason: String
        /// When it was told of, in milliseconds since 1970 by the clock of Redis.
        package let at: Int64
        /// The suppression with this key was removed.
        package let isLifted: Bool

        package init(key: Suppression.Key, reason: String, at: Int64, isLifted: Bool = false) {
            (self.key, self.reason, self.at, self.isLifted) = (key, reason, at, isLifted)
        }
    }

    /// Entries that are kept at least.
    package static let kept = 100_000
    /// How long they are kept after the last one, in seconds.
    private static let time = 7 * 86_400
    /// Bytes of an address at most: what is longer is no address.
    private static let longest = 1_000
    private static let page = 1_000

    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// Tells workers of suppressions that the ledger has, and of those that it has no more.
    /// - Parameters:
    ///   - suppressions: those that it has; the last `kept` of them are told.
    ///   - lifted: keys of those that were removed, none of which is among the others.
    package func tell(_ suppressions: [Suppression], lifted: [Suppression.Key] = []) async throws(RedisError) {
        let added = suppressions.suffix(Self.kept).map { one -> [RedisArgument] in command(one.key) + ["r", .text(one.reason.rawValue)] }
        let removed = lifted.suffix(Self.kept).map { key -> [RedisArgument] in command(key) + ["x", "1"] }
        let entries = added + removed
        guard !entries.isEmpty else { return }
        let stream = RedisArgument.text(broker.keys.suppressed)
        for reply in try await broker.redis.pipeline(entries + [["EXPIRE", stream, RedisArgument(Self.time)]]) {
            if case .error(let text) = reply { throw .command(text) }
        }
    }

    private func command(_ key: Suppression.Key) -> [RedisArgument] {
        [
            "XADD", .text(broker.keys.suppressed), "MAXLEN", "~", RedisArgument(Self.kept), "*", "v", RedisArgument(WireVersion.current),
            "c", .text(key.channel.rawValue), "a", .text(key.address), "g", .text(key.category),
        ]
    }

    /// Reads what was told of behind a position.
    /// - Parameter position: the id of an entry; empty for the begin.
    /// - Returns: also the position behind the last of them. Entries that cannot be read are passed over.
    package func read(after position: String) async throws(RedisError) -> (entries: [Entry], position: String) {
        var (entries, end) = ([Entry](), position)
        while true {
            let reply = try await broker.redis.send([
                "XREAD", "COUNT", RedisArgument(Self.page), "STREAMS", .text(broker.keys.suppressed), .text(end.isEmpty ? "0" : end),
            ])
            let page = try StreamEntry.list(reply)
            entries += page.compactMap(Self.entry)
            end = page.last?.id ?? end
            if page.count < Self.page { return (entries, end) }
        }
    }

    private static func entry(_ entry: StreamEntry) -> Entry? {
        guard let id = StreamID(entry.id), let channel = Channel(rawValue: entry.text("c")) else { return nil }
        let (address, category) = (entry.text("a"), entry.text("g"))
        guard !address.isEmpty, address.utf8.count <= longest, category.utf8.count <= longest else { return nil }
        return Entry(
            key: Suppression.Key(channel, address, category: category), reason: String(entry.text("r").prefix(40)),
            at: Int64(clamping: id.milliseconds), isLifted: entry.text("x") == "1")
    }
}
