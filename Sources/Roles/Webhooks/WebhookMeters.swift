import Metrics

/// The counters of one subscription.
struct WebhookMeters: Sendable {
    private let accepted: Counter
    private let failed: Counter
    private let givenUp: Counter
    private let waiting: Gauge
    private let failing: Gauge
    private let lag: Gauge

    init(_ subscription: String) {
        let label = ("subscription", subscription)
        accepted = Counter(label: "flotilla_webhook_attempts_total", dimensions: [label, ("outcome", "accepted")])
        failed = Counter(label: "flotilla_webhook_attempts_total", dimensions: [label, ("outcome", "failed")])
        givenUp = Counter(label: "flotilla_webhook_given_up_total", dimensions: [label])
        waiting = Gauge(label: "flotilla_webhook_waiting", dimensions: [label])
        failing = Gauge(label: "flotilla_webhook_failing_seconds", dimensions: [label])
        lag = Gauge(label: "flotilla_webhook_lag_seconds", dimensions: [label])
    }

    func count(_ outcome: WebhookOutcome) {
        switch outcome {
        case .accepted: accepted.increment()
        case .gone, .failed: failed.increment()
        case .notSent: break
        }
    }

    func countGivenUp() { givenUp.increment() }

    /// - Parameters:
    ///   - failing: seconds since when no message was taken.
    ///   - lag: seconds since the oldest event happened that waits.
    func record(waiting: Int, failing: Double, lag: Double) {
        self.waiting.record(waiting)
        self.failing.record(failing)
        self.lag.record(lag)
    }
}
