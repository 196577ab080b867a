import Foundation
import Testing

/// A program that we did not write, run to its end.
struct Program {
    var status: Int32
    var output: String
    var errors: String

    /// Runs a program with a deadline of two minutes.
    /// - Parameter package: what installs it, for the message when it is missing.
    static func run(_ name: String, _ arguments: [String], package: String) async throws -> Program {
        let started = try start(name, arguments, package: package)
        return try await started.end()
    }

    static func python(_ script: String, _ arguments: [String] = []) async throws -> Program {
        try await run("python3", ["-c", script] + arguments, package: "python3")
    }

    static func start(_ name: String, _ arguments: [String], package: String) throws -> Started {
        let path =
            name.contains("/") ? name : try #require(find(name), "\(name) is missing: apt-get install \(package)")
        return try Started(path, arguments)
    }

    private static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin"])
            .map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// A program that runs.
    final class Started: Sendable {
        private let process: Process
        private let ended: AsyncStream<Int32>
        private let folder: TestFolder

        init(_ path: String, _ arguments: [String]) throws {
            folder = try TestFolder()
            let process = Process()
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = arguments
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = try folder.handle("out")
            process.standardError = try folder.handle("err")
            let (stream, continuation) = AsyncStream<Int32>.makeStream()
            process.terminationHandler = { process in
                continuation.yield(process.terminationStatus)
                continuation.finish()
            }
            ended = stream
            self.process = process
            try process.run()
            let id = process.processIdentifier
            DispatchQueue.global().asyncAfter(deadline: .now() + 120) { [weak self] in
                if self?.process.isRunning == true { kill(id, SIGKILL) }
            }
        }

        func signal(_ number: Int32) { kill(process.processIdentifier, number) }

        func end() async throws -> Program {
            let status = try #require(await ended.first { _ in true })
            return Program(status: status, output: try folder.text("out"), errors: try folder.text("err"))
        }

        /// Waits until the output has so many lines.
        func lines(_ count: Int) async throws -> [Substring] {
            try await eventually {
                let text = try folder.text("out")
                let lines = text.split(separator: "\n")
                return lines.count >= count && text.hasSuffix("\n") ? lines : nil
            }
        }
    }
}
