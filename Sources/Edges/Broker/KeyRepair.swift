import Logging
import Model
import Synchronization

/// Removes keys of ours that another program has overwritten with values of another type. Every command that meets one fails, and would
/// fail for ever; a removed key is handled like a lost one.
final class KeyRepair: Sendable {
    private let keys: Keys
    private let logger: Logger
    /// One search at a time.
    private let isAtWork = Atomic<Bool>(false)

    init(_ keys: Keys, _ logger: Logger) {
        self.keys = keys
        self.logger = logger
    }

    /// Whether a reply says that a key is of a wrong type.
    static func isNeeded(after replies: [RESPValue]) -> Bool {
        replies.contains { if case .error(let text) = $0 { text.contains("WRONGTYPE") } else { false } }
    }

    /// Looks at all keys of ours, and removes those of a wrong type.
    func run(on redis: RedisClient) async {
        guard !isAtWork.exchange(true, ordering: .acquiring) else { return }
        defer { isAtWork.store(false, ordering: .releasing) }
        do throws(RedisError) {
            for names in try await redis.scan("\(keys.tag):*") {
                let kinds = names.compactMap { name in keys.kind(of: name).map { (key: name, kind: $0) } }
                let replies = try await redis.run(
                    Scripts.wrongType,
                    calls: kinds.map {
                        ([keys.epoch, keys.workers, $0.key], [.text($0.kind.type), $0.kind.isTrusted ? "1" : "0"])
                    })
                for (one, reply) in zip(kinds, replies) {
                    guard let found = reply.text, !found.isEmpty else { continue }
                    DeadLetters.count(.key)
                    logger.error(
                        """
                        \(one.key) in Redis was of the type \(found) in place of \(one.kind.type), and is removed: another program writes \
                        to the keys of this redis.prefix\(one.kind.isTrusted ? ". Batches are dispatched again" : "")
                        """)
                }
            }
        } catch {
            logger.warning("keys of a wrong type cannot be removed yet: \(error)")
        }
    }
}
