import Model
import Policy

/// When the log says that Redis is far from a worker, which slows the worker down.
struct RedisDistance: Sendable {
    /// A Redis whose replies take longer on average is far.
    static let far = Duration.milliseconds(15)
    /// How often it is said.
    private static let interval = Duration.seconds(60)
    /// How long Redis must have been slow: a start, or a stop of one second, is no distance.
    private static let shortestSlowness = Duration.seconds(3)

    private var said: ContinuousClock.Instant?
    private var slowSince: ContinuousClock.Instant?

    /// - Returns: what to say now; nil for nothing.
    mutating func warning(_ roundTrip: RoundTrip, at now: ContinuousClock.Instant) -> String? {
        guard let mean = roundTrip.mean, mean > Self.far else {
            slowSince = nil
            return nil
        }
        let since = slowSince ?? now
        slowSince = since
        guard now - since >= Self.shortestSlowness, said.map({ now - $0 >= Self.interval }) ?? true else { return nil }
        said = now
        return """
            Redis answers after \(mean.nanoseconds / 1_000_000) ms on average, and each group of messages waits for it: limits are met by \
            reservations made earlier, and throughput falls. Let workers and Redis run near each other.
            """
    }
}
