/// The clocks that a role reads, and how it sleeps. The role's composition root is given `system` and passes it down; a test passes clocks
/// that it moves itself. No other code of a role reads a clock.
package struct Clocks: Sendable {
    private let readNow: @Sendable () -> ContinuousClock.Instant
    private let readMonotonic: @Sendable () -> Int64
    private let readMilliseconds: @Sendable () -> Int64
    private let sleepUntil: @Sendable (ContinuousClock.Instant) async throws -> Void

    /// The clocks of this machine.
    package static let system = Clocks(
        now: { ContinuousClock.now }, monotonic: { Clock.monotonic() }, milliseconds: { Clock.milliseconds() },
        sleep: { try await Task.sleep(until: $0, tolerance: .zero, clock: .continuous) })

    /// - Parameters:
    ///   - monotonic: in nanoseconds.
    ///   - milliseconds: since 1970-01-01 UTC.
    ///   - sleep: returns once `now` has come so far; throws where its task is cancelled before.
    package init(
        now: @escaping @Sendable () -> ContinuousClock.Instant, monotonic: @escaping @Sendable () -> Int64,
        milliseconds: @escaping @Sendable () -> Int64, sleep: @escaping @Sendable (ContinuousClock.Instant) async throws -> Void
    ) {
        readNow = now
        readMonotonic = monotonic
        readMilliseconds = milliseconds
        sleepUntil = sleep
    }

    /// For deadlines: it also runs while the machine sleeps.
    package var now: ContinuousClock.Instant { readNow() }

    /// Nanoseconds of CLOCK_MONOTONIC, which the reservations and the transports count by.
    package var monotonic: Int64 { readMonotonic() }

    /// Milliseconds since 1970-01-01 UTC.
    package var milliseconds: Int64 { readMilliseconds() }

    /// Sleeps until a deadline.
    /// - Throws: `CancellationError`.
    package func sleep(until deadline: ContinuousClock.Instant) async throws { try await sleepUntil(deadline) }

    /// The same clocks, but for the wall clock.
    /// - Parameter milliseconds: since 1970-01-01 UTC.
    package func with(milliseconds: @escaping @Sendable () -> Int64) -> Clocks {
        Clocks(now: readNow, monotonic: readMonotonic, milliseconds: milliseconds, sleep: sleepUntil)
    }
}
