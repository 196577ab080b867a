/// When a message that failed for now is tried again: exponential back-off with full jitter, which spreads the retries of many
/// messages evenly ("Exponential backoff and jitter", AWS Architecture Blog, 2015), above a least wait.
package struct RetrySchedule: Sendable, Equatable {
    /// No wait is shorter, in seconds.
    package let least: Double
    /// The longest wait after the first attempt, in seconds; it doubles with each further one.
    package let base: Double
    /// No wait is longer, in seconds.
    package let cap: Double

    /// - Precondition: `0 <= least <= base <= cap` and `0 < base`.
    package init(least: Double = 0, base: Double, cap: Double) {
        precondition(least >= 0 && least <= base && base > 0 && base <= cap)
        self.least = least
        self.base = base
        self.cap = cap
    }

    /// The same wait whatever the attempt, evenly distributed: for responses that spend none, whose number nobody keeps.
    package static func rest(_ seconds: ClosedRange<Double>) -> RetrySchedule {
        RetrySchedule(least: seconds.lowerBound, base: seconds.upperBound, cap: seconds.upperBound)
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

    /// The wait after an attempt in seconds, evenly distributed over `least` to `ceiling(afterAttempt:)`.
    package func delay(afterAttempt attempt: Int, using generator: inout some RandomNumberGenerator) -> Double {
        Double.random(in: least...ceiling(afterAttempt: attempt), using: &generator)
    }
}
