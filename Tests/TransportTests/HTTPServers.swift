import Foundation
import Glibc
import Synchronization
import TestServers

/// A server of a test: a process that ends with us, however we end, as its input is a pipe of ours.
final class HTTPTestProcess: Sendable {
    private struct Output {
        var unread: [UInt8] = []
        var hasEnded = false
    }

    private let input = Pipe()
    private let output = Mutex(Output())

    /// - Parameters:
    ///   - package: what to install where the program is missing.
    ///   - readsInput: whether the server reads lines of ours and ends with them.
    init(_ arguments: [String], package: String, readsInput: Bool = false) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: readsInput ? "/usr/bin/env" : "/bin/sh")
        process.arguments = readsInput ? arguments : ["-c", Self.script, package] + arguments
        process.standardInput = input
        let pipe = Pipe()
        process.standardOutput = pipe
        pipe.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            self?.output.withLock { output in
                output.unread += data
                if data.isEmpty { output.hasEnded = true }
            }
        }
        try process.run()
    }

    /// Kills the server at the end of our input. (Our threads block signals, and so do their children: SIGTERM is lost.)
    private static let script = """
        command -v "$1" >/dev/null || { echo "$1 is missing: apt-get install $0" >&2; exit 127; }
        "$@" </dev/null & child=$!; cat >/dev/null; kill -9 $child
        """

    deinit { try? input.fileHandleForWriting.close() }

    func write(_ line: String) { input.fileHandleForWriting.write(Data("\(line)\n".utf8)) }

    /// The server's next line of output; nil at its end.
    func line() async throws -> String? {
        var line: String?
        try await eventually("a line of the server's output") {
            output.withLock { output in
                guard let end = output.unread.firstIndex(of: UInt8(ascii: "\n")) else { return output.hasEnded }
                line = String(decoding: output.unread[..<end], as: UTF8.self)
                output.unread.removeSubrange(...end)
                return true
            }
        }
        return line
    }
}

struct HTTPTestFailure: Error, CustomStringConvertible {
    let description: String
}
