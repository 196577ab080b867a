import Foundation
import Synchronization

/// The owner of stderr: log lines go out whole, and the live progress line stays below them. Where stderr is no
/// terminal no progress is shown; with `NO_COLOR` (https://no-color.org) or `TERM=dumb` no escape sequence is written.
package final class Terminal: Sendable {
    private struct State {
        var progress: ProgressText?
        /// Columns that the progress line takes on the screen now.
        var shown = 0
        var dropped: Int64 = 0
    }

    private enum Screen {
        case none, plain, ansi
    }

    private let descriptor: CInt
    private let screen: Screen
    private let columns: @Sendable () -> Int
    private let state = Mutex(State())

    /// Takes stderr as it is.
    package convenience init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.init(descriptor: STDERR_FILENO, environment: environment)
    }

    /// - Parameters:
    ///   - isTerminal: nil asks the system.
    ///   - columns: the width of the screen; nil asks the system at each drawing.
    package init(
        descriptor: CInt, environment: [String: String], isTerminal: Bool? = nil, columns: Int? = nil
    ) {
        self.descriptor = descriptor
        let hasColour = environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
        screen = isTerminal ?? (isatty(descriptor) == 1) ? (hasColour ? .ansi : .plain) : .none
        self.columns = { columns ?? Self.width(of: descriptor) }
    }

    /// A progress line is shown here.
    package var isInteractive: Bool { screen != .none }

    /// Escape sequences may be written here.
    package var hasColour: Bool { screen == .ansi }

    /// Lines that stderr did not take within a second.
    package var droppedLines: Int64 { state.withLock { $0.dropped } }

    /// Writes one line, without its line feed, in one write(2), above the progress line. What a terminal would obey is escaped.
    package func log(_ line: String) {
        let line = LogText.line(line)
        state.withLock { state in
            var out = erase(&state)
            out += line
            out += "\n"
            out += draw(&state)
            if !write(out) { state.dropped += 1 }
        }
    }

    /// Shows a progress line in place of the last one; nil removes it.
    package func progress(_ text: ProgressText?) {
        guard screen != .none else { return }
        state.withLock { state in
            var out = erase(&state)
            state.progress = text
            out += draw(&state)
            if !out.isEmpty { _ = write(out) }
        }
    }

    private func erase(_ state: inout State) -> String {
        guard state.shown > 0 else { return "" }
        let width = state.shown
        state.shown = 0
        return screen == .ansi ? "\r\u{1b}[K" : "\r" + String(repeating: " ", count: width) + "\r"
    }

    private func draw(_ state: inout State) -> String {
        // The last column stays free: text that reaches it wraps, and a wrapped line cannot be taken back by "\r".
        let text = state.progress?.fitting(columns() - 1) ?? ""
        state.shown = text.columns
        return text
    }

    /// - Returns: false when the line, or its rest, was given up.
    private func write(_ text: String) -> Bool { DescriptorWriting.write(text, to: descriptor, timeout: 1_000) }

    private static func width(of descriptor: CInt) -> Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
