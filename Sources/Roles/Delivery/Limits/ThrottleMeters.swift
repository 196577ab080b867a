import Broker
import Metrics
import Model
import Policy
import Synchronization

/// The time that the fleet shares, as this worker knows it.
final class SharedTime: Sendable {
    private let clock = Mutex(SharedClock())

    /// Milliseconds since 1970, by Redis's clock as soon as it was asked once: that of this machine may be wrong.
    var milliseconds: Int64 {
        clock.withLock { $0.shared(at: Clock.monotonic()) }.map { Int64($0 / 1000) } ?? Clock.milliseconds()
    }

    /// Takes note of a reading of Redis's clock.
    /// - Parameter shared: microseconds since 1970.
    func note(shared: Double, sent: Int64, received: Int64) {
        clock.withLock { $0.note(shared: shared, sent: sent, received: received) }
    }

    /// Reads Redis's clock a few times before slots are met by it: the first response alone may have come late, and slots with it.
    func learn(from broker: Broker) async {
        for _ in 0..<4 {
            let sent = Clock.monotonic()
            guard let shared = try? await broker.time() else { return }
            note(shared: Double(shared), sent: sent, received: Clock.monotonic())
        }
    }

    /// The moments of slots in nanoseconds of CLOCK_MONOTONIC.
    func local(_ slots: Throttle.Reservations, sent: Int64, received: Int64) -> [Int64] {
        clock.withLock { clock in
            clock.note(shared: slots.now, sent: sent, received: received)
            return slots.moments.compactMap { clock.local(slots.now + Double($0), now: received) }
        }
    }
}

/// What throttling costs and does, for the metrics.
struct ThrottleMeters: Sendable {
    private let waits: [String: Metrics.Timer]
    private let reservations = Counter(label: "flotilla_throttle_reservation_requests_total")
    private let unclaimed = Counter(label: "flotilla_throttle_reservations_dropped_total", dimensions: [("reason", "unclaimed")])
    private let late = Counter(label: "flotilla_throttle_reservations_dropped_total", dimensions: [("reason", "late")])

    init() {
        waits = Dictionary(
            uniqueKeysWithValues: ["provider", "channel", "mailing", "domain"].map {
                ($0, Metrics.Timer(label: "flotilla_throttle_wait_seconds", dimensions: [("scope", $0)]))
            })
    }

    /// - Parameter scope: the narrowest scope of the send.
    func waited(_ nanoseconds: Int64, scope: String) {
        waits[String(scope.prefix { $0 != ":" })]?.recordNanoseconds(nanoseconds)
    }

    func asked() { reservations.increment() }

    /// Reservations that no message used.
    struct GivenUp {
        /// No message was ready for them.
        var unclaimed = 0
        /// The message was ready, and the worker was not.
        var late = 0
    }

    func note(_ givenUp: GivenUp) {
        if givenUp.unclaimed > 0 { unclaimed.increment(by: givenUp.unclaimed) }
        if givenUp.late > 0 { late.increment(by: givenUp.late) }
    }
}
