import Broker
import Logging
import Model
import Policy
import Synchronization

/// Says in the log how many entries of status streams cannot be read: at once, then once a minute at most.
final class UnreadableLog: Sendable {
    private struct State {
        var line = RepeatedLine()
        /// One of those that the next line tells of.
        var example = ""
    }

    private let state = Mutex(State())

    /// Notes which of some entries cannot be read.
    func note(_ entries: [StatusStreams.Entry]) {
        let found = entries.filter(\.isFound)
        guard let last = found.last, let letter = last.letter else { return }
        for _ in found { DeadLetters.count(.status) }
        state.withLock { state in
            state.line.count(found.count)
            state.example = "\(last.name): \(letter.reason)"
        }
    }

    /// Writes the line where one is due.
    /// - Parameter isLast: none comes after it.
    func tell(_ logger: Logger, isLast: Bool = false) {
        let due = state.withLock { state in
            state.line.due(at: Clock.monotonic(), isLast: isLast).map { (count: $0, example: state.example) }
        }
        guard let due else { return }
        let what = due.count == 1 ? "1 entry" : "\(due.count) entries"
        logger.error(
            """
            \(what) of status streams cannot be read, or not all of it; the ledger has what was in it (flotilla dead list). \
            The last is \(due.example)
            """)
    }
}
