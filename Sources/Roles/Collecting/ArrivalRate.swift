/// How fast entries have arrived lately: whether it is worth a short wait to write more of them in one transaction.
struct ArrivalRate: Equatable {
    /// The time over which the rate is taken.
    private static let memory = Duration.milliseconds(100)

    private(set) var perSecond = 0.0
    private var last: ContinuousClock.Instant?

    /// Notes the end of a read that brought `count` entries.
    mutating func note(_ count: Int, at now: ContinuousClock.Instant) {
        // Two reads at one moment are one.
        let elapsed = last.map { max(now - $0, .microseconds(100)) } ?? .seconds(1)
        last = now
        let weight = min(1, elapsed / Self.memory)
        perSecond += (Double(count) / (elapsed / .seconds(1)) - perSecond) * weight
    }

    /// Entries to be expected within a time.
    func expected(within time: Duration) -> Double { perSecond * (time / .seconds(1)) }
}
