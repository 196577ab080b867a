import Model
import Synchronization

/// The share of a limit that one group was admitted with.
final class ReservationTicket: StartLimit {
    private struct State {
        var left: Int
        var hasEntered: Bool
        var waited: Int64 = 0
        /// When its last message got its moment.
        var last: Int64 = 0
        /// When a connection first asked for a message of the group; nil before.
        var began: Int64?
    }

    private let pool: ReservationPool
    private let state: Mutex<State>

    /// - Parameter count: messages that it was admitted for; 0 without a limit.
    init(_ pool: ReservationPool, _ count: Int) {
        self.pool = pool
        state = Mutex(State(left: count, hasEntered: count == 0))
    }

    var isActive: Bool { pool.isActive }
    func next() -> Start { pool.next(self) }
    func use(_ moment: Int64) -> Bool { pool.use(moment) }

    /// A message of the group has its moment.
    /// - Parameter moment: of CLOCK_MONOTONIC, in nanoseconds.
    func starts(at moment: Int64, _ note: (_ isFirst: Bool) -> Void) {
        state.withLock { state in
            state.last = moment
            guard state.left > 0 else { return }
            state.left -= 1
            note(!state.hasEntered)
            state.hasEntered = true
        }
    }

    /// A group whose last message started before `time` waits for a slow response: it gives up its share, as others can use it.
    /// - Returns: messages that it was admitted for and did not start.
    func lapse(before time: Int64) -> Int {
        state.withLock { state in
            guard state.hasEntered, state.last < time else { return 0 }
            defer { state.left = 0 }
            return state.left
        }
    }

    /// A connection asks for a message of the group.
    func begins() {
        state.withLock { if $0.began == nil { $0.began = pool.clocks.monotonic } }
    }

    func waits(_ time: Int64) { state.withLock { $0.waited += time } }

    /// The group has ended.
    /// - Returns: nanoseconds that its messages waited for their moments, and when a connection began with it; nil for none did.
    @discardableResult
    func end() -> (waited: Int64, began: Int64?) {
        let state = state.withLock { state in
            defer {
                state.left = 0
                state.hasEntered = true
            }
            return state
        }
        pool.ended(self, left: state.left, hasEntered: state.hasEntered)
        return (state.waited, state.began)
    }
}
