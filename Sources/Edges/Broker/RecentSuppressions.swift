package import Model
import Signing

/// Addresses that were suppressed lately. A batch is checked against the ledger's list as it is dispatched; by these, what is in Redis or
/// with a worker already is checked once more before it starts. Nothing is asked of Redis for them while nobody is suppressed.
///
/// No address is in the list, but a hash of it (`AddressHasher`): it outlives the erasure of a person by a week and more.
package struct RecentSuppressions: Sendable {
    /// A suppression as workers see it, or that there is none any more.
    package struct Entry: Sendable, Equatable {
        /// Its address is a hash; or an address, where an earlier release told of it.
        package let key: Suppression.Key
        /// The ledger by whose name the address was hashed; empty for none.
        package let ledger: String
        /// Empty where it is lifted.
        package let reason: String
        /// When it was told of, in milliseconds since 1970 by the clock of Redis.
        package let at: Int64
        /// The suppression with this key was removed.
        package let isLifted: Bool

        package init(key: Suppression.Key, ledger: String = "", reason: String, at: Int64, isLifted: Bool = false) {
            (self.key, self.ledger, self.reason, self.at, self.isLifted) = (key, ledger, reason, at, isLifted)
        }
    }

    /// Entries that are kept at least.
    package static let kept = 100_000
    /// How long they are kept after the last one, in seconds.
    private static let time = 7 * 86_400
    /// Bytes of an address at most: what is longer is no address.
    private static let longest = 1_000
    private static let page = 1_000

    let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// Tells workers of suppressions that the ledger has, and of those that it has no more.
    /// - Parameters:
    ///   - suppressions: those that it has; the last `kept` of them are told.
    ///   - lifted: keys of those that were removed, none of which is among the others.
    ///   - ledger: the identity of the ledger.
    package func tell(_ suppressions: [Suppression], lifted: [Suppression.Key] = [], of ledger: String) async throws(RedisError) {
        guard !suppressions.isEmpty || !lifted.isEmpty else { return }
        let hasher: AddressHasher
        do { hasher = try AddressHasher(ledger: ledger) } catch { throw .unexpected("no address can be hashed: the key \(error)") }
        func command(_ key: Suppression.Key, _ more: [RedisArgument]) -> [RedisArgument] {
            [
                "XADD", .text(broker.keys.suppressed), "MAXLEN", "~", RedisArgument(Self.kept), "*", "v",
                RedisArgument(WireVersion.current),
                "c", .text(key.channel.rawValue), "l", .text(ledger), "h", .text(hasher.text(of: key.address)), "g", .text(key.category),
            ] + more
        }
        let entries =
            suppressions.suffix(Self.kept).map { command($0.key, ["r", .text($0.reason.rawValue)]) }
            + lifted.suffix(Self.kept).map { command($0, ["x", "1"]) }
        guard try await !add(entries) else { return }
        try await broker.renumber(broker.keys.suppressed, by: broker.keys.suppressedAnew)
        guard try await add(entries) else { throw .unexpected("the list of suppressions takes no entry") }
    }

    /// - Returns: false where the stream takes no entry any more, as one with the highest id is in it.
    private func add(_ entries: [[RedisArgument]]) async throws(RedisError) -> Bool {
        let expiry: [RedisArgument] = ["EXPIRE", .text(broker.keys.suppressed), RedisArgument(Self.time)]
        for reply in try await broker.redis.pipeline(entries + [expiry]) {
            guard case .error(let text) = reply else { continue }
            if Broker.isExhausted(text) { return false }
            throw .command(text)
        }
        return true
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
        let (ledger, hash, category) = (entry.text("l"), entry.text("h"), entry.text("g"))
        let address = hash.isEmpty ? entry.text("a") : hash
        guard hash.isEmpty || AddressHasher.isHash(hash) && ledger.utf8.count <= longest else { return nil }
        guard !address.isEmpty, address.utf8.count <= longest, category.utf8.count <= longest else { return nil }
        return Entry(
            key: Suppression.Key(channel, address, category: category), ledger: hash.isEmpty ? "" : ledger,
            reason: String(entry.text("r").prefix(40)),
            at: Int64(clamping: id.milliseconds), isLifted: entry.text("x") == "1")
    }
}
