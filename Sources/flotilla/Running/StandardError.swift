import Foundation

/// Messages of commands that are no log lines.
enum StandardError {
    static func write(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

    static func warn(_ text: String) { write("warning: \(text)") }
}
