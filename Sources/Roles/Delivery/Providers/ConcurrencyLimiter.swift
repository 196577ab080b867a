import DequeModule
import Synchronization

/// A number of places of which each is had by one task at a time; who comes first is served first.
final class ConcurrencyLimiter: Sendable {
    private struct State {
        var count: Int
        /// Below 0 while more places are in use than there are, after their number fell.
        var free: Int
        var waiters = Deque<UnsafeContinuation<Void, Never>>()

        /// Gives a free place to the first who waits.
        mutating func admit() -> UnsafeContinuation<Void, Never>? {
            guard free > 0, let next = waiters.popFirst() else { return nil }
            free -= 1
            return next
        }
    }

    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(count: count, free: count)) }

    var count: Int { state.withLock { $0.count } }

    /// Changes the number of places. Where it falls, those in use stay until they are released.
    func resize(to count: Int) {
        let admitted = state.withLock { state in
            state.free += count - state.count
            state.count = count
            var admitted: [UnsafeContinuation<Void, Never>] = []
            while let next = state.admit() { admitted.append(next) }
            return admitted
        }
        for one in admitted { one.resume() }
    }

    /// Tasks wait for a place.
    var isExhausted: Bool { state.withLock { !$0.waiters.isEmpty } }

    func acquire() async {
        await withUnsafeContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiters.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    func release() {
        let next = state.withLock { state in
            state.free += 1
            return state.admit()
        }
        next?.resume()
    }
}
