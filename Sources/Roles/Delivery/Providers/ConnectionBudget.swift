import Synchronization
import Transport

/// The connections that a worker may open to all its providers together, as far as its descriptors go. A provider keeps what it was given:
/// links to providers last as long as the worker.
final class ConnectionBudget: Sendable {
    /// What a provider is given.
    struct Grant: Equatable {
        /// Connections at work at most, from 1.
        var connections: Int
        /// Connections at most that wait for late responses beside these.
        var late: Int
    }

    /// Descriptors of a transport itself: what it waits with, and how names are resolved.
    private static let own = 4

    private let left: Mutex<Int>

    init(_ connections: Int) { left = Mutex(connections) }

    /// Gives a provider its connections: as many as it wants, or most of what is left, and one in any case. Of what is left then a small
    /// part is for late responses, for the next provider is to have some too.
    func grant(_ wanted: Int) -> Grant {
        left.withLock { left in
            left = max(0, left - Self.own)
            let connections = wanted <= left ? wanted : max(1, left - left / 8)
            left = max(0, left - connections)
            let late = min(SlowResponses.limit(connections: connections), left / 8)
            left -= late
            return Grant(connections: connections, late: late)
        }
    }
}
