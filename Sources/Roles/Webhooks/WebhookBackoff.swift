/// How long a message waits after a failed attempt: the waits grow from seconds to hours, over a day and longer.
enum WebhookBackoff {
    /// Seconds after the first, second … failure; the last one holds for all later ones.
    static let waits: [Double] = [5, 30, 120, 600, 1800, 3600, 7200, 10_800]
    /// A receiver's Retry-After is believed up to so many seconds.
    static let longestRetryAfter = 10_800.0

    /// Milliseconds until the next attempt.
    /// - Parameters:
    ///   - failures: attempts that failed, from 1.
    ///   - retryAfter: seconds that the receiver asks for.
    ///   - jitter: from 0 to 1: the wait is four fifths to all of it, or as long as Retry-After says and up to a tenth more.
    static func wait(after failures: Int, retryAfter: Double?, jitter: Double) -> Int64 {
        let jitter = min(max(jitter, 0), 1)
        let own = waits[min(max(failures, 1), waits.count) - 1] * (0.8 + 0.2 * jitter)
        guard let retryAfter, retryAfter > 0 else { return Int64(own * 1000) }
        return Int64(max(own, min(retryAfter, longestRetryAfter) * (1 + 0.1 * jitter)) * 1000)
    }
}
