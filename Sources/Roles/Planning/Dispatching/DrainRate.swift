import Model

/// How fast workers empty a lane, so that it holds a short time of work: ready batches delay whatever comes later, and are in doubt when
/// Redis is lost.
struct DrainRate: Sendable {
    typealias Instant = ContinuousClock.Instant

    private var entries = 0
    private var last: Instant?
    /// Batches a second, lately.
    private var rate = 0.0

    /// - Parameter now: entries that are in the lane.
    mutating func note(entries now: Int, at time: Instant) {
        guard let last else {
            (entries, self.last) = (now, time)
            return
        }
        let seconds = (time - last).seconds
        guard seconds > 0.2 else { return }
        let done = Double(max(0, entries - now))
        rate += (done / seconds - rate) * min(1, seconds)
        entries = now
        self.last = time
    }

    mutating func dispatched(_ count: Int) { entries += count }

    /// Batches that are emptied in a time.
    func batches(in time: Duration) -> Int { Int(min(1e6, rate * time.seconds)) }

    /// How long it takes to empty the lane of so many batches, an hour at most; nil while none was seen to leave it.
    func time(for batches: Int) -> Duration? { rate > 0 ? .seconds(min(3_600, Double(max(0, batches)) / rate)) : nil }
}
