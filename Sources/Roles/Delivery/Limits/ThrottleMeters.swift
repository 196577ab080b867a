import Metrics
import Model

/// What throttling costs and does, for the metrics.
struct ThrottleMeters: Sendable {
    private let waits: [LimitScope.Kind: Metrics.Timer]
    private let reservations = Counter(label: "flotilla_throttle_reservation_requests_total")
    private let unclaimed = Counter(label: "flotilla_throttle_reservations_dropped_total", dimensions: [("reason", "unclaimed")])
    private let late = Counter(label: "flotilla_throttle_reservations_dropped_total", dimensions: [("reason", "late")])

    init() {
        waits = Dictionary(
            uniqueKeysWithValues: LimitScope.Kind.allCases.map {
                ($0, Metrics.Timer(label: "flotilla_throttle_wait_seconds", dimensions: [("scope", $0.rawValue)]))
            })
    }

    /// - Parameter scope: the narrowest scope of the send.
    func waited(_ nanoseconds: Int64, scope: LimitScope?) {
        if let scope { waits[scope.kind]?.recordNanoseconds(nanoseconds) }
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
