import Synchronization

/// Bytes that all connections together keep of messages at most.
final class MemoryBudget: Sendable {
    private let most: Int
    private let used = Atomic<Int>(0)

    init(_ most: Int) { self.most = most }

    /// - Returns: false, with nothing taken, where there are not so many.
    func take(_ bytes: Int) -> Bool {
        guard used.add(bytes, ordering: .relaxed).newValue <= most else {
            give(bytes)
            return false
        }
        return true
    }

    func give(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }
}
