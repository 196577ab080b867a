import Broker
import Model
import Synchronization

/// Who was suppressed lately, as far as this worker has read of it.
final class SuppressedLately: Sendable {
    /// What is known at a moment.
    struct Known: Sendable {
        /// Up to where it was read.
        fileprivate(set) var position = ""
        fileprivate var entries: [Suppression.Key: RecentSuppressions.Entry] = [:]

        var isEmpty: Bool { entries.isEmpty }

        /// The suppression that keeps a message from being started.
        /// - Parameters:
        ///   - address: its `AddressKey`.
        ///   - dispatched: when its batch was dispatched, in milliseconds since 1970: the ledger was asked about all before.
        func suppression(of address: String, _ target: SuppressionTarget, dispatched: Int64) -> RecentSuppressions.Entry? {
            for category in target.category.isEmpty ? [""] : ["", target.category] {
                let found = entries[Suppression.Key(target.channel, address, category: category)]
                if let found, found.at >= dispatched - SuppressedLately.slack { return found }
            }
            return nil
        }
    }

    /// By how much the clocks of Redis and of the dispatcher may differ, in milliseconds.
    fileprivate static let slack: Int64 = 60_000
    /// Entries at most, before those are forgotten that Redis has forgotten too.
    private static let most = 2 * RecentSuppressions.kept

    private let list: RecentSuppressions
    private let state = Mutex(Known())

    init(_ list: RecentSuppressions) { self.list = list }

    var known: Known { state.withLock { $0 } }

    /// Reads what was told of since.
    /// - Parameter position: where the caller found that there is news: another may have read it meanwhile.
    func refresh(beyond position: String) async throws(RedisError) {
        let before = known
        guard before.position == position else { return }
        var (entries, end) = try await list.read(after: before.entries.count > Self.most ? "" : before.position)
        // There is news, and nothing behind our position: the list began anew.
        let isNew = entries.isEmpty || before.entries.count > Self.most
        if entries.isEmpty { (entries, end) = try await list.read(after: "") }
        state.withLock { known in
            if isNew { known.entries = [:] }
            for entry in entries { known.entries[entry.key] = entry }
            known.position = end
        }
    }
}
