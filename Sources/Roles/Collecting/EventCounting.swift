import Ledger
import Logging
import Model
import Policy
import Synchronization

/// Counts the events that a collector put into the ledger's log, between its writes, when `EventPace` says so.
final class EventCounting: Sendable {
    private struct State {
        var pace = EventPace()
        var line = RepeatedLine()
    }

    private let ledger: any EventStore
    private let rules: EventRules
    private let clocks: Clocks
    private let logger: Logger
    private let state = Mutex(State())

    init(_ ledger: any EventStore, _ rules: EventRules, clocks: Clocks, logger: Logger) {
        (self.ledger, self.rules, self.clocks, self.logger) = (ledger, rules, clocks, logger)
    }

    /// Notes a write.
    /// - Parameter isBusy: there are more entries to be read.
    func note(_ summary: EventSummary, isBusy: Bool) {
        state.withLock { $0.pace.noteWrite(logged: summary.logged, isBusy: isBusy, at: clocks.milliseconds) }
    }

    /// Counts what is due. A failure is logged; what was not counted waits on.
    /// - Parameters:
    ///   - all: whatever waits.
    ///   - note: is told what each transaction did.
    func run(all: Bool = false, _ note: (EventSummary) -> Void) async {
        let now = clocks.milliseconds
        guard let least = all ? 1 : state.withLock({ $0.pace.least(at: now) }) else { return }
        do throws(LedgerError) {
            let isEmpty = try await ledger.countEvents(inSlicesOf: least, rules, now: now, note: note)
            state.withLock { $0.pace.noteCounted(isEmpty: isEmpty, at: clocks.milliseconds) }
        } catch {
            guard state.withLock({ $0.line.add(at: clocks.monotonic) }) != nil else { return }
            logger.error("visits wait in the ledger to be counted: \(error)")
        }
    }
}
