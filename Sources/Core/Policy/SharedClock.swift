/// Converts times of a shared clock (that of Redis) to this process's monotonic clock: never too early, and late by at most the
/// shortest recent round trip. The time of day of this machine does not matter.
package struct SharedClock: Sendable, Equatable {
    /// By how much the two clocks may drift apart, as a share of the time that passes; a clock that is being set right may be slewed by
    /// 500 parts in a million (adjtimex(2)).
    package static let drift = 0.0005

    /// A lower bound of the shared time minus ours, in nanoseconds; nil before the first reading.
    private var difference: Double?
    /// Our time of the reading that gave the bound.
    private var since: Int64 = 0

    package init() {}

    /// Notes a reading of the shared clock.
    /// - Parameters:
    ///   - shared: the time that was read, in microseconds.
    ///   - sent: our time when the reading was asked for, in nanoseconds.
    ///   - received: our time when it came.
    package mutating func note(shared: Double, sent: Int64, received: Int64) {
        let least = shared * 1000 - Double(received)
        let most = shared * 1000 - Double(sent)
        guard let difference else { return begin(least, received) }
        let known = difference - Double(received - since) * Self.drift
        // A clock that went back is another clock.
        if most < known || least > known { begin(least, received) }
    }

    private mutating func begin(_ least: Double, _ received: Int64) {
        difference = least
        since = received
    }

    /// What the shared clock shows at a time of ours, in microseconds, no later than it does; nil before the first reading.
    package func shared(at local: Int64) -> Double? { difference.map { (Double(local) + $0) / 1000 } }

    /// Our time at which a moment of the shared clock has certainly come, in nanoseconds; nil before the first reading.
    /// - Parameters:
    ///   - shared: microseconds.
    ///   - now: our time.
    package func local(_ shared: Double, now: Int64) -> Int64? {
        guard let difference else { return nil }
        let local = (shared * 1000 - difference + Double(max(0, now - since)) * Self.drift).rounded(.up)
        return abs(local) < 9e18 ? Int64(local) : nil
    }
}
