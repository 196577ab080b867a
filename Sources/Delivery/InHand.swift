import Synchronization

/// The ready-stream entries that a worker works on.
final class InHand: Sendable {
    private let state = Mutex<Set<String>>([])

    var entries: Set<String> { state.withLock { $0 } }

    func insert(_ entry: String) { state.withLock { _ = $0.insert(entry) } }
    func remove(_ entry: String) { state.withLock { _ = $0.remove(entry) } }
}
