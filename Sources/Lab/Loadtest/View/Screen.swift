import Foundation
import Synchronization
import Telemetry

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Standard error as a run is watched on it: a screen that is drawn anew in its place, or a line every five seconds where it is no
/// terminal, or one that takes no escape sequences (`NO_COLOR`, `TERM=dumb`).
package final class Screen: Sendable {
    private struct State {
        /// Lines that the last drawing takes.
        var drawn = 0
        var lastLine: ContinuousClock.Instant?
        var lastPhase = ""
    }

    private let isDrawn: Bool
    private let state = Mutex(State())
    private static let interval = Duration.seconds(5)

    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        isDrawn =
            isatty(STDERR_FILENO) == 1 && environment["TERM"] != "dumb" && environment["NO_COLOR", default: ""].isEmpty
    }

    package func show(_ live: LiveState) {
        let view = LiveView(live)
        state.withLock { state in
            guard isDrawn else {
                let isDue = state.lastLine.map { ContinuousClock.now - $0 >= Self.interval } ?? true
                guard isDue || state.lastPhase != live.phase else { return }
                state.lastLine = .now
                state.lastPhase = live.phase
                return StandardError.write(view.line)
            }
            let size = Self.size
            let lines = view.screen(columns: size.columns, rows: size.rows)
            StandardError.draw(lines, over: state.drawn)
            state.drawn = lines.count
        }
    }

    /// Leaves what is drawn where it is; what is written next stands below it.
    package func leave() { state.withLock { $0.drawn = 0 } }

    private static var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
