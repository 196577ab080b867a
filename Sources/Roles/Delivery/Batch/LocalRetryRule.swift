import Model
import Policy

/// Which retries stay in the worker: those that are due sooner than the way through the ledger takes.
struct LocalRetryRule: Sendable {
    /// The latest retry of the group that stays here, in milliseconds since 1970.
    private let until: Int64

    /// - Parameter now: when the group was taken up, in milliseconds since 1970.
    init(now: Int64) { until = now + Timing.localRetries.milliseconds }

    /// Waits for none.
    static let none = LocalRetryRule(now: .min / 2)

    func takes(_ result: RecipientResult, now: Int64) -> Bool {
        result.state == .deferred && result.doubt == nil && result.due - now <= Timing.localRetry.milliseconds && result.due <= until
    }
}
