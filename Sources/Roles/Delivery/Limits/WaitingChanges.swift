import Synchronization

/// Counts the changes of what waits in a worker, and for what, so that whoever tells of it looks at thousands of mailings only after one.
final class WaitingChanges: Sendable {
    private let number = Atomic<Int>(0)

    /// Grows with each change.
    var count: Int { number.load(ordering: .relaxed) }

    func note() { number.add(1, ordering: .relaxed) }
}
