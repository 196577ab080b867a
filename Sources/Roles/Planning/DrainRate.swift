import Model

/// How fast a channel's window is emptied, so that it holds a short time of work and no more: what is ready stands before
/// whatever comes later, and is what a lost Redis leaves in doubt.
struct DrainRate {
    private var depth = 0
    private var last = ContinuousClock.now
    /// Batches a second, lately.
    private var rate = 0.0

    mutating func note(depth now: Int) {
        let seconds = Double((ContinuousClock.now - last).nanoseconds) / 1e9
        guard seconds > 0.2 else { return }
        let done = Double(max(0, depth - now))
        rate += (done / seconds - rate) * min(1, seconds)
        depth = now
        last = .now
    }

    mutating func fed(_ count: Int) { depth += count }

    /// Seconds of work that the window holds.
    private static let seconds = 2.0

    func window(most: Int) -> Int { max(8, min(most, Int(rate * Self.seconds))) }
}
