/// Spaces turns that commits to the ledger ask for. A few may follow one another at once, so that an order, and the plan that it leads to,
/// are each seen without a wait. In the long run there is one turn in `interval`, however many commits there are.
struct TurnSpacing: Sendable {
    typealias Instant = ContinuousClock.Instant

    private let interval: Duration
    /// By how much a turn may be ahead of an even spacing.
    private let ahead: Duration
    /// When the next turn would be due if all were spaced evenly.
    private var due: Instant?

    /// - Parameter burst: turns that may follow one another at once after a rest, from 1.
    init(interval: Duration, burst: Int) {
        self.interval = interval
        ahead = interval * (burst - 1)
    }

    /// A turn has begun.
    /// - Returns: when the next one may begin.
    mutating func next(after begun: Instant) -> Instant {
        let even = max(due ?? begun, begun) + interval
        due = even
        return even - ahead
    }
}
