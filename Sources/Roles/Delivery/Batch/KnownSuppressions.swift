import Broker
import Model
import Signing

/// Suppressions by the hashes of their addresses. A look-up allocates nothing, and none is needed for a batch that was dispatched after the
/// newest of them.
struct KnownSuppressions: Sendable {
    private typealias Entry = RecentSuppressions.Entry

    /// By how much the clocks of Redis and of the dispatcher may differ, in milliseconds.
    static let slack: Int64 = 60_000
    /// Ledgers that may have told of suppressions; there is one, but where a fleet's was replaced.
    private static let mostLedgers = 16

    /// Those of one ledger, by what it made of their addresses.
    private struct Told: Sendable {
        let ledger: String
        let hasher: AddressHasher
        var entries: [UInt64: [Entry]] = [:]
    }

    private var told: [Told] = []
    /// Those that an earlier release told of, by their addresses.
    private var plain: [[UInt8]: [Entry]] = [:]
    private(set) var count = 0
    /// When the newest of them was told of, in milliseconds since 1970. One that was lifted since may still count.
    private var newest = Int64.min

    /// Takes a suppression over, or forgets one that was lifted.
    mutating func note(_ entry: RecentSuppressions.Entry) {
        let change: Int
        if entry.ledger.isEmpty {
            change = Self.note(entry, in: &plain, at: Array(entry.key.address.utf8))
        } else {
            guard let hash = AddressHasher.value(of: entry.key.address), let place = place(of: entry.ledger) else { return }
            change = Self.note(entry, in: &told[place].entries, at: hash)
        }
        if !entry.isLifted { newest = max(newest, entry.at) }
        count += change
    }

    private mutating func place(of ledger: String) -> Int? {
        if let place = told.firstIndex(where: { $0.ledger == ledger }) { return place }
        guard let hasher = try? AddressHasher(ledger: ledger) else { return nil }
        if told.count == Self.mostLedgers { count -= told.removeFirst().entries.values.reduce(0) { $0 + $1.count } }
        told.append(Told(ledger: ledger, hasher: hasher))
        return told.count - 1
    }

    /// - Returns: how many more there are now.
    private static func note<Key: Hashable>(_ entry: Entry, in entries: inout [Key: [Entry]], at key: Key) -> Int {
        var found = entries[key] ?? []
        let before = found.count
        found.removeAll { $0.key == entry.key }
        if !entry.isLifted { found.append(entry) }
        entries[key] = found.isEmpty ? nil : found
        return found.count - before
    }

    /// Whether any may be newer than the ledger's answer about a batch.
    /// - Parameter dispatched: when it was dispatched, in milliseconds since 1970, from 0.
    func mayConcern(dispatched: Int64) -> Bool { newest >= dispatched - Self.slack }

    /// The suppression that keeps a message from being started.
    /// - Parameters:
    ///   - address: its `AddressKey`.
    ///   - dispatched: when its batch was dispatched, in milliseconds since 1970: the ledger was asked about all before.
    func suppression(of address: [UInt8], _ target: SuppressionTarget, dispatched: Int64) -> RecentSuppressions.Entry? {
        for told in told {
            let hash = address.withUnsafeBytes { told.hasher.hash($0) }
            if let found = told.entries[hash], let one = Self.first(found, target, dispatched) { return one }
        }
        return plain.isEmpty ? nil : plain[address].flatMap { Self.first($0, target, dispatched) }
    }

    private static func first(_ entries: [Entry], _ target: SuppressionTarget, _ dispatched: Int64) -> Entry? {
        entries.first { entry in
            guard entry.at >= dispatched - slack, entry.key.channel == target.channel else { return false }
            return entry.key.category.isEmpty || entry.key.category == target.category
        }
    }
}
