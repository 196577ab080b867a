/// The time of day by three clocks, of which one may be wrong or jump: that of Redis, the same as it was when it was first read and as time
/// has passed since, and that of this machine. A decision that cannot be taken back waits until all three agree that its time has come.
///
/// Our times are nanoseconds of a clock that only goes forward, those of the machine's clock milliseconds since 1970.
package struct AgreedTime: Sendable, Equatable {
    private var clock = SharedClock()
    /// What Redis's clock showed at the first reading, in microseconds, and our time then.
    private var first: (shared: Double, local: Int64)?

    package init() {}

    package static func == (left: AgreedTime, right: AgreedTime) -> Bool {
        left.clock == right.clock && left.first?.shared == right.first?.shared && left.first?.local == right.first?.local
    }

    /// Notes a reading of Redis's clock, as `SharedClock` does.
    package mutating func note(shared: Double, sent: Int64, received: Int64) {
        clock.note(shared: shared, sent: sent, received: received)
        if first == nil { first = (shared, received) }
    }

    /// Our time at which a moment of Redis's clock has certainly come.
    package func local(_ shared: Double, now: Int64) -> Int64? { clock.local(shared, now: now) }

    /// The time that two of the clocks agree on, in milliseconds: the middle of the three. The machine's before the first reading.
    package func likely(machine: Int64, at local: Int64) -> Int64 {
        times(machine, local).map { $0.sorted()[1] } ?? machine
    }

    /// The earliest of the three, in milliseconds: what has come by it has come by a good clock.
    package func earliest(machine: Int64, at local: Int64) -> Int64 {
        times(machine, local)?.min() ?? machine
    }

    private func times(_ machine: Int64, _ local: Int64) -> [Int64]? {
        guard let first, let shared = clock.shared(at: local) else { return nil }
        let passed = Double(local - first.local) / 1000
        return [machine, Int64(shared / 1000), Int64((first.shared + passed) / 1000)]
    }
}
