import DequeModule
import Synchronization

/// A number of places of which each is had by one task at a time; who comes first is served first.
final class ConcurrencyLimiter: Sendable {
    private struct State {
        var free: Int
        var waiters = Deque<UnsafeContinuation<Void, Never>>()
    }

    let count: Int
    private let state: Mutex<State>

    init(_ count: Int) {
        self.count = count
        state = Mutex(State(free: count))
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
        let next = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            if let next = state.waiters.popFirst() { return next }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
