/// When a message that failed for now is tried again: exponential back-off with full jitter, which spreads the retries of many
/// messages evenly ("Exponential backoff and jitter", AWS Architecture Blog, 2015).
package struct RetrySchedule: Sendable, Equatable {
    /// The longest wait after the first attempt, in seconds; it doubles with each further one.
    package let base: Double
    /// No wait is longer, in seconds.
    package let cap: Double

    /// For mail servers, whose temporary refusals (greylisting, full mailboxes) take minutes to hours.
    package static let smtp = RetrySchedule(base: 60, cap: 4 * 3600)
    /// For HTTP providers, which come back within seconds to minutes.
    package static let http = RetrySchedule(base: 2, cap: 600)

    /// - Precondition: `0 < base <= cap`.
    package init(base: Double, cap: Double) {
        precondition(base > 0 && base <= cap)
        self.base = base
        self.cap = cap
    }

    /// The longest wait after an attempt: `min(cap, base * 2^(attempt - 1))` seconds.
    /// - Parameter attempt: attempts spent so far, from 1.
    package func ceiling(afterAttempt attempt: Int) -> Double {
        // 2^63 is beyond any cap; a larger exponent would only risk infinity.
        var wait = base
        for _ in 1..<max(2, min(attempt, 64)) where attempt > 1 {
            wait *= 2
            if wait >= cap { return cap }
        }
        return min(wait, cap)
    }

    /// The wait after an attempt in seconds, evenly distributed over 0 to `ceiling(afterAttempt:)`.
    package func delay(afterAttempt attempt: Int, using generator: inout some RandomNumberGenerator) -> Double {
        Double.random(in: 0...ceiling(afterAttempt: attempt), using: &generator)
    }
}
