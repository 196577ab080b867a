import Logging
import Metrics
import Model
import Policy
import Synchronization

/// What is said of events that wait, and of those that are lost: once a minute each, with their number.
final class SenderLog: Sendable {
    private struct State {
        var unavailable = RepeatedLine()
        var late = RepeatedLine()
        var dropped = RepeatedLine()
        var unreadable = RepeatedLine()
        /// Why the spool took nothing when it was last asked; empty while it takes what it is given.
        var problem = ""
        /// Events that waited for room as long as they may, since the last line.
        var slow = 0
    }

    private let bounds: EventQueue.Bounds
    private let state = Mutex(State())
    private let clocks: Clocks
    private let logger: Logger
    private let full = SenderLog.dropped("full")
    private let slow = SenderLog.dropped("slow")
    private let damaged = SenderLog.dropped("damaged")
    private let late = Counter(label: "flotilla_tracker_events_late_total")

    init(_ bounds: EventQueue.Bounds, clocks: Clocks, _ logger: Logger) {
        (self.bounds, self.clocks, self.logger) = (bounds, clocks, logger)
    }

    private static func dropped(_ why: String) -> Counter {
        Counter(label: "flotilla_tracker_events_dropped_total", dimensions: [("why", why)])
    }

    /// Whether the spool took what it was last given.
    func note(spoolProblem problem: String) { state.withLock { $0.problem = problem } }

    /// Redis did not take events.
    func redisTookNone(_ problem: String) {
        guard let count = state.withLock({ $0.unavailable.add(at: clocks.monotonic) }) else { return }
        logger.warning("events wait here, and visitors are answered all the same: \(problem)\(RepeatedLine.text(count))")
    }

    /// An event waits for room.
    func waits() {
        late.increment()
        guard let count = state.withLock({ $0.late.add(at: clocks.monotonic) }) else { return }
        logger.warning(
            "visits come faster than they can be written: the connections that bring them are slowed down\(RepeatedLine.text(count))")
    }

    func lost(_ losses: EventQueue.Losses) {
        full.increment(by: losses.stuck)
        slow.increment(by: losses.slow)
        let line = state.withLock { state -> (count: Int, why: String)? in
            state.dropped.count(losses.count)
            state.slow += losses.slow
            guard let count = state.dropped.due(at: clocks.monotonic) else { return nil }
            defer { state.slow = 0 }
            return (count, why(state))
        }
        guard let line else { return }
        logger.error("\(line.count) events of visitors are lost: there is no room for them here (\(line.why))")
    }

    private func why(_ state: State) -> String {
        if !state.problem.isEmpty { return state.problem }
        let memory = "\(bounds.events) events or \(bounds.bytes >> 10) KB are in memory"
        return state.slow > 0
            ? "\(memory), and \(state.slow) events waited \(bounds.wait) ms for room: more come than Redis and tracker.spool take"
            : "\(memory), and neither Redis nor tracker.spool took any for \(bounds.wait) ms"
    }

    func cannotRead(_ error: UnreadableSpool) {
        guard let count = state.withLock({ $0.unreadable.add(at: clocks.monotonic) }) else { return }
        logger.error("\(error)\(RepeatedLine.text(count))")
    }

    func lostIn(damaged path: String, _ count: Int) {
        damaged.increment(by: count)
        logger.error("\(path) was damaged: what was whole in it is sent, and \(count) events at least are lost")
    }
}
