import Foundation

/// Standard output. All that a command prints goes through here, so that no name, address, value or response reaches a terminal as a
/// control sequence.
package enum StandardOutput {
    /// Writes text, and ends its last line. Line feeds stay; other characters that a terminal would obey are escaped.
    package static func write(_ text: String) { put(LogText.lines(text) + "\n") }

    /// Writes JSON, and ends its last line.
    package static func write(json: String) { put(LogText.json(json) + "\n") }

    /// Draws a screen: each line in place of what stood there, and nothing below.
    package static func draw(_ lines: [String]) {
        // Cursor home, erase to the end of each line, erase below (ECMA-48: CUP, EL, ED).
        put("\u{1B}[H" + lines.map { LogText.line($0) + "\u{1B}[K\r\n" }.joined() + "\u{1B}[J")
    }

    /// Writes a text without anything from outside as it is: help, or a completion script.
    package static func write(own text: String) { put(text + "\n") }

    private static func put(_ text: String) { _ = DescriptorWriting.write(text, to: STDOUT_FILENO, timeout: -1) }
}

/// Messages of commands that are no log lines; the same for standard error.
package enum StandardError {
    package static func write(_ text: String) {
        _ = DescriptorWriting.write(LogText.lines(text) + "\n", to: STDERR_FILENO, timeout: -1)
    }

    package static func warn(_ text: String) { write("warning: \(text)") }

    /// Draws lines in place of those that were drawn last.
    /// - Parameter drawn: how many those were; 0 leaves what stands above.
    package static func draw(_ lines: [String], over drawn: Int) {
        // Cursor up, erase to the end of each line, erase below (ECMA-48: CUU, EL, ED).
        let back = drawn > 0 ? "\u{1B}[\(drawn)A\r" : ""
        let text = back + lines.map { LogText.line($0) + "\u{1B}[K\n" }.joined() + "\u{1B}[J"
        _ = DescriptorWriting.write(text, to: STDERR_FILENO, timeout: -1)
    }
}
