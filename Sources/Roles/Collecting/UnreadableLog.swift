import Broker
import Logging
import Model
import Policy
import Synchronization

/// Says in the log how many entries of streams cannot be read: at once, then once a minute at most.
final class UnreadableLog: Sendable {
    private struct State {
        var line = RepeatedLine()
        /// One of those that the next line tells of.
        var example = ""
    }

    private let clocks: Clocks
    private let state = Mutex(State())

    init(clocks: Clocks) { self.clocks = clocks }

    /// Notes entries that were found to be unreadable.
    func note(_ found: [(name: String, reason: String)], of source: DeadLetters.Source) {
        guard let last = found.last else { return }
        for _ in found { DeadLetters.count(source) }
        state.withLock { state in
            state.line.count(found.count)
            state.example = "\(last.name): \(last.reason)"
        }
    }

    /// Writes the line where one is due.
    /// - Parameter isLast: none comes after it.
    func tell(_ logger: Logger, isLast: Bool = false) {
        let due = state.withLock { state in
            state.line.due(at: clocks.monotonic, isLast: isLast).map { (count: $0, example: state.example) }
        }
        guard let due else { return }
        let what = due.count == 1 ? "1 entry" : "\(due.count) entries"
        logger.error(
            """
            \(what) of streams cannot be read, or not all of it; the ledger has what was in it (flotilla dead list). \
            The last is \(due.example)
            """)
    }
}
