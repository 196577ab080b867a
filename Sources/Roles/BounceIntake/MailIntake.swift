package import Broker
package import Logging
import Metrics
package import Model
import Policy
import Synchronization
import Text
package import Transport

/// Keeps what mail that came back says: in Redis, before the mail counts as taken. No mail is ever answered by another one, so that there
/// are no loops. A mail that comes twice counts once.
package final class MailIntake: Sendable {
    private let matcher: MailMatcher
    private let receipts: ReceiptStreams
    private let events: EventStreams
    private let line = Mutex(RepeatedLine())
    private let meters: [MailMatcher.Outcome: Counter]
    private let delayed = Counter(label: "flotilla_bounces_refused_total", dimensions: [("reason", "redis")])
    private let clocks: Clocks
    private let logger: Logger

    package init(_ broker: Broker, _ matcher: MailMatcher, clocks: Clocks = .system, logger: Logger) {
        (self.matcher, self.clocks, self.logger) = (matcher, clocks, logger)
        (receipts, events) = (ReceiptStreams(broker), EventStreams(broker))
        meters = Dictionary(
            uniqueKeysWithValues: MailMatcher.Outcome.allCases.map {
                ($0, Counter(label: "flotilla_bounces_mails_total", dimensions: [("outcome", $0.rawValue)]))
            })
    }

    package func take(_ mail: IncomingMail) async -> MailVerdict {
        let match = matcher.match(mail, at: clocks.milliseconds)
        logger.debug("a mail came back", metadata: ["outcome": "\(match.outcome.rawValue)", "bytes": "\(mail.size)"])
        guard await keep(match, of: mail) else {
            delayed.increment()
            return .later
        }
        meters[match.outcome]?.increment()
        return .taken
    }

    private func keep(_ match: MailMatcher.Match, of mail: IncomingMail) async -> Bool {
        do throws(RedisError) {
            if let receipt = match.receipt, try await !receipts.append([ReceiptBatch([receipt]).encoded()], to: 0) {
                return say("the receipts stream is full: does a collector run?")
            }
            if let event = match.event {
                // The same mail has the same number, whenever it comes.
                let source = max(1, mail.head.reduce(FNV.seed64) { FNV.step($0, $1) })
                let batch = EventBatch(source: source, sequence: 0, events: [event]).encoded()
                if try await !events.append([batch], to: EventStreams.number(of: event.mailing)) {
                    return say("the events streams are full: does a collector run?")
                }
            }
            return true
        } catch { return say("\(error)") }
    }

    /// - Returns: false.
    private func say(_ problem: String) -> Bool {
        if let count = line.withLock({ $0.add(at: clocks.monotonic) }) {
            logger.warning("mail that came back waits where it is: \(problem)\(RepeatedLine.text(count))")
        }
        return false
    }
}
