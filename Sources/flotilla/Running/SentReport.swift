import CommandSupport
import Foundation
import Telemetry
import Text

/// The report that `send --report` writes.
enum SentReport {
    /// Bytes that a report has at most, for the question whether a file is one.
    private static let longest = 16 << 20

    /// Whether a file is an earlier report, which a new one replaces: the same command is given again and again.
    static func isOne(_ path: String) -> Bool {
        guard let found = FileStatus(path: path), found.size <= longest, let bytes = FileManager.default.contents(atPath: path),
            let report = try? JSONSerialization.jsonObject(with: bytes) as? [String: Any]
        else { return false }
        return ["id", "channel", "states", "reconciled"].allSatisfy { report[$0] != nil }
    }

    /// Writes the report as a whole, or not at all; `-` is the standard output.
    /// - Returns: the error number; nil when it was written.
    static func write(_ json: Data, to path: String) -> Int32? {
        if path == OutputFile.standardOutput {
            StandardOutput.write(json: String(decoding: json, as: UTF8.self))
            return nil
        }
        let isFile = FileStatus(path: path).map { $0.kind == .regular } ?? true
        return isFile ? PrivateFile.replace(Array(json), at: RealPath.of(path)) : PrivateFile.write(Array(json), to: path)
    }
}
