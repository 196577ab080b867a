import Model
import Policy

/// Which retries a worker waits for by itself: those that are due so soon that the way through the ledger would take longer.
struct LocalRetryRule: Sendable {
    /// No retry of the group is waited for beyond that moment, in milliseconds since 1970.
    private let until: Int64

    /// - Parameter now: when the group was taken up, in milliseconds since 1970.
    init(now: Int64) { until = now + Timing.localRetries.milliseconds }

    /// Waits for none.
    static let none = LocalRetryRule(now: .min / 2)

    func takes(_ result: RecipientResult, now: Int64) -> Bool {
        result.state == .deferred && result.held == nil && result.due - now <= Timing.localRetry.milliseconds && result.due <= until
    }
}
