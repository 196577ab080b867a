import Policy
import Synchronization

/// A bucket that holds `burst` tokens and is filled at a rate; all connections of a sink take from it.
final class TokenBucket: Sendable {
    private struct State {
        var tokens: Double
        /// When they were counted, in microseconds.
        var time: Int64
    }

    private let burst: Double
    private let perMicrosecond: Double
    private let state: Mutex<State>
    /// A clock that is this much behind was set back. A smaller difference is the order in which threads came.
    private static let longestDisorder: Int64 = 1_000_000

    init(_ rate: RateLimit) {
        burst = Double(rate.burst)
        perMicrosecond = Double(rate.count) / Double(rate.period)
        state = Mutex(State(tokens: burst, time: 0))
    }

    /// Takes a token; false when there is none.
    /// - Parameter now: microseconds, by one clock.
    func take(at now: Int64) -> Bool {
        state.withLock { state in
            if now > state.time {
                state.tokens = min(burst, state.tokens + Double(now - state.time) * perMicrosecond)
                state.time = now
            } else if now < state.time - Self.longestDisorder {
                state.time = now
            }
            guard state.tokens >= 1 else { return false }
            state.tokens -= 1
            return true
        }
    }
}
