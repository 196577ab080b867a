import Model
import Policy
import Synchronization

/// A line of the log that several tasks write, once a minute at most.
final class SharedLine: Sendable {
    private let line = Mutex(RepeatedLine())

    /// It happened.
    /// - Returns: how often since the last line; nil where no line is due.
    func add() -> Int? { line.withLock { $0.add(at: Clock.monotonic()) } }
}
