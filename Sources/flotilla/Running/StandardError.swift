import Foundation

/// Messages of commands that are no log lines.
enum StandardError {
    /// Where nobody reads it any more, the line is lost.
    static func write(_ line: String) { try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8)) }

    static func warn(_ text: String) { write("warning: \(text)") }
}
