import Broker
import Model

/// Suppressions by the bytes of their addresses. A look-up allocates nothing, and none is needed for a batch that was dispatched after the
/// newest of them.
struct KnownSuppressions: Sendable {
    /// By how much the clocks of Redis and of the dispatcher may differ, in milliseconds.
    static let slack: Int64 = 60_000

    /// By the hash of an address: its suppressions, and those of the few others that have the same hash.
    private var entries: [Int: [RecentSuppressions.Entry]] = [:]
    private(set) var count = 0
    /// When the newest of them was told of, in milliseconds since 1970. One that was lifted since may still count.
    private var newest = Int64.min

    /// Takes a suppression over, or forgets one that was lifted.
    mutating func note(_ entry: RecentSuppressions.Entry) {
        var address = entry.key.address
        let hash = address.withUTF8 { Self.hash(UnsafeRawBufferPointer($0)) }
        var found = entries[hash] ?? []
        let before = found.count
        found.removeAll { $0.key == entry.key }
        if !entry.isLifted {
            found.append(entry)
            newest = max(newest, entry.at)
        }
        count += found.count - before
        entries[hash] = found.isEmpty ? nil : found
    }

    /// Whether any may be newer than the ledger's answer about a batch.
    /// - Parameter dispatched: when it was dispatched, in milliseconds since 1970, from 0.
    func mayConcern(dispatched: Int64) -> Bool { newest >= dispatched - Self.slack }

    /// The suppression that keeps a message from being started.
    /// - Parameters:
    ///   - address: its `AddressKey`.
    ///   - dispatched: when its batch was dispatched, in milliseconds since 1970: the ledger was asked about all before.
    func suppression(of address: [UInt8], _ target: SuppressionTarget, dispatched: Int64) -> RecentSuppressions.Entry? {
        let hash = address.withUnsafeBytes { Self.hash($0) }
        guard let found = entries[hash] else { return nil }
        return found.first { entry in
            guard entry.at >= dispatched - Self.slack, entry.key.channel == target.channel else { return false }
            guard entry.key.category.isEmpty || entry.key.category == target.category else { return false }
            return entry.key.address.utf8.elementsEqual(address)
        }
    }

    private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: bytes)
        return hasher.finalize()
    }
}
