package import Ledger
package import Logging
package import Model
import Text

/// Removes once a day, in the leading planner, the recipients of mailings that ended longer ago than they are kept (`ledger.keep`).
package struct RetentionJanitor: Sendable {
    /// Its name in the audit log.
    package static let actor = "ledger.keep"

    private static let interval = Duration.seconds(86_400)
    /// How long it waits where the ledger cannot be written.
    private static let retry = Duration.seconds(600)

    private let ledger: any RetentionStore
    private let keep: Duration
    private let clocks: Clocks
    private let logger: Logger

    /// - Parameters:
    ///   - keep: how long ago a mailing has to have ended.
    ///   - clocks: by its wall clock mailings are old enough.
    package init(
        ledger: any RetentionStore, keep: Duration, clocks: Clocks = .system, logger: Logger
    ) {
        self.ledger = ledger
        self.keep = keep
        self.clocks = clocks
        self.logger = logger
    }

    /// Works until it is cancelled.
    func run() async {
        while !Task.isCancelled {
            var wait = Self.interval
            do throws(LedgerError) { try await prune() } catch {
                logger.warning("recipients of old mailings cannot be removed now: \(error)")
                wait = Self.retry
            }
            do { try await Task.sleep(for: wait) } catch { return }
        }
    }

    /// Removes the recipients of all mailings that are old enough.
    package func prune() async throws(LedgerError) {
        let rule = RetentionRule(keeping: keep, now: clocks.milliseconds)
        for mailing in try await ledger.agedMailings(rule) where !Task.isCancelled {
            guard mailing.obstacle == nil else {
                if case .uncertain(let count) = mailing.obstacle {
                    let decide = "flotilla mailing uncertain \(mailing.id)"
                    logger.notice(
                        "mailing \(mailing.id) is older than ledger.keep and stays: held are \(Plural.text(count, "recipient")) (\(decide))"
                    )
                }
                continue
            }
            do throws(LedgerError) {
                let note = AuditNote(.prune, actor: Self.actor)
                let removed = try await ledger.prune(mailing.id, rule, note: note, now: clocks.milliseconds)
                logger.notice("mailing \(mailing.id) is older than ledger.keep: removed: \(Plural.text(removed, "recipient"))")
            } catch {
                // Somebody changed it meanwhile.
                guard case .refused = error else { throw error }
            }
        }
    }
}
