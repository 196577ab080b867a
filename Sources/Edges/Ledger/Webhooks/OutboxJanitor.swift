package import Logging
import Model

/// Removes what the outbox of webhooks need not keep any more. The role does so, and the leading planner, so that the outbox is bounded
/// where no role runs.
package struct OutboxJanitor: Sendable {
    private let ledger: any WebhookStore
    private let keep: Duration
    private let longest: Duration
    private let clock: @Sendable () -> Int64
    private let logger: Logger

    /// - Parameters:
    ///   - keep: how long what all active subscriptions were told of is kept.
    ///   - longest: how long all else is kept.
    ///   - clock: the time in milliseconds since 1970.
    package init(
        ledger: any WebhookStore, keep: Duration, longest: Duration, clock: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        (self.ledger, self.keep, self.longest, self.clock, self.logger) = (ledger, keep, longest, clock, logger)
    }

    /// Removes what is old enough, some hundred rows in a transaction.
    package func prune() async {
        do throws(LedgerError) {
            while !Task.isCancelled {
                let now = clock()
                let removed = try await ledger.pruneWebhookEvents(
                    keep: now - keep.milliseconds, longest: now - max(longest, keep).milliseconds)
                if removed == 0 { return }
            }
        } catch {
            logger.warning("the outbox of webhooks cannot be pruned now: \(error)")
        }
    }
}
