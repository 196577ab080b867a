import Foundation
import Synchronization
import Telemetry

/// A line on a terminal that is drawn anew as work gets on.
final class DrawnLine: Sendable {
    private let drawn = Mutex(0)

    func show(_ text: String) {
        guard isatty(STDERR_FILENO) != 0 else { return }
        drawn.withLock { drawn in
            StandardError.draw([text], over: drawn)
            drawn = 1
        }
    }
}
