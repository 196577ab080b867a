import Synchronization

/// The connections that a worker may open to all its providers together, as far as its descriptors go. A provider keeps what it was given:
/// links to providers last as long as the worker.
final class ConnectionBudget: Sendable {
    private let left: Mutex<Int>

    init(_ connections: Int) { left = Mutex(connections) }

    /// Gives a provider its connections: as many as it wants, or most of what is left, and one in any case.
    func grant(_ wanted: Int) -> Int {
        left.withLock { left in
            let given = wanted <= left ? wanted : max(1, left - left / 8)
            left = max(0, left - given)
            return given
        }
    }
}
