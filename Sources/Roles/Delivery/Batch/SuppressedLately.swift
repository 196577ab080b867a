import Broker
import Model
import Synchronization

/// Who was suppressed lately, as far as this worker has read of it. One task reads at a time; the others wait for what it finds.
final class SuppressedLately: Sendable {
    private struct State {
        /// Up to where the list was read.
        var position = ""
        var known = KnownSuppressions()
    }

    /// Entries at most, before those are forgotten that Redis has forgotten too.
    private static let most = 2 * RecentSuppressions.kept
    /// Entries that are added at a time: messages that start wait for no more.
    private static let slice = 1_000

    private let list: RecentSuppressions
    private let state = Mutex(State())
    /// Its one place is had by the task that reads.
    private let reading = ConcurrencyLimiter(1)

    init(_ list: RecentSuppressions) { self.list = list }

    /// Up to where the list was read: the id of its last entry, empty before the first reading.
    var position: String { state.withLock { $0.position } }

    /// Whether anybody may have been suppressed since a batch was dispatched.
    func mayConcern(dispatched: Int64) -> Bool { state.withLock { $0.known.mayConcern(dispatched: dispatched) } }

    /// The suppression that keeps a message from being started, as `KnownSuppressions.suppression`.
    func suppression(of address: [UInt8], _ target: SuppressionTarget, dispatched: Int64) -> RecentSuppressions.Entry? {
        state.withLock { $0.known.suppression(of: address, target, dispatched: dispatched) }
    }

    /// Reads what was told of since.
    /// - Parameters:
    ///   - position: up to where the caller knows the list: another may have read on meanwhile.
    ///   - hasNews: Redis said that its last entry is another one.
    func refresh(beyond position: String, hasNews: Bool = true) async throws(RedisError) {
        await reading.acquire()
        defer { reading.release() }
        let (before, count) = state.withLock { ($0.position, $0.known.count) }
        guard before == position else { return }
        guard !position.isEmpty, count <= Self.most else { return try await readAnew() }
        let (entries, end) = try await list.read(after: position)
        guard end != position else {
            // There is news, and nothing behind our position: the list began anew.
            if hasNews { try await readAnew() }
            return
        }
        for start in stride(from: 0, to: entries.count, by: Self.slice) {
            let slice = entries[start..<min(start + Self.slice, entries.count)]
            state.withLock { state in
                for entry in slice { state.known.note(entry) }
            }
        }
        state.withLock { $0.position = end }
    }

    private func readAnew() async throws(RedisError) {
        let (entries, end) = try await list.read(after: "")
        var known = KnownSuppressions()
        for entry in entries { known.note(entry) }
        let fresh = State(position: end, known: known)
        state.withLock { $0 = fresh }
    }
}
