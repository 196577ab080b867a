package import Foundation
import Synchronization

/// What a test needs and the machine lacks.
package struct MissingServer: Error, CustomStringConvertible {
    package let description: String

    package init(program: String, package: String) {
        description = "\(program) is not installed: apt-get install -y --no-install-recommends \(package) (deploy/test does)"
    }
}

/// A folder that is removed with its owner.
package final class TemporaryFolder: Sendable {
    package let url: URL

    package init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "flotilla-test-\(UUID().uuidString.lowercased())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        // Servers that give up root must get in.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: url.path)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    package func path(_ name: String) -> String { url.appending(path: name).path }

    package func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: url.appending(path: name))
        return path(name)
    }
}

/// A server that is started for a test and killed with its owner.
package final class ServerProcess: Sendable {
    // Process is not Sendable; it is touched only under the lock.
    private struct Box: @unchecked Sendable {
        let process: Process
    }

    private let box: Mutex<Box>

    package init(_ program: String, _ arguments: [String], package: String, output: String? = nil) throws {
        guard let path = Self.find(program) else { throw MissingServer(program: program, package: package) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        let sink: FileHandle
        if let output {
            _ = FileManager.default.createFile(atPath: output, contents: nil)
            sink = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        } else {
            sink = .nullDevice
        }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = sink
        process.standardError = sink
        try process.run()
        box = Mutex(Box(process: process))
    }

    package var pid: Int32 { box.withLock { $0.process.processIdentifier } }
    package var isRunning: Bool { box.withLock { $0.process.isRunning } }

    package func signal(_ number: Int32) { kill(pid, number) }

    /// Ends the server and waits for it.
    @discardableResult
    package func stop(_ number: Int32 = SIGKILL) -> Int32 {
        box.withLock { box in
            if box.process.isRunning { kill(box.process.processIdentifier, number) }
            // Not waitUntilExit: it spins on a run loop that this thread may not own.
            while box.process.isRunning { usleep(2000) }
            return box.process.terminationStatus
        }
    }

    /// Waits for the end of a process that ends by itself.
    package func wait() -> Int32 { stop(0) }

    deinit { stop() }

    private static func find(_ program: String) -> String? {
        if program.contains("/") { return program }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin", "/usr/local/bin"])
            .map { $0 + "/" + program }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}

package struct TimedOut: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// Waits until something is so, looking every few milliseconds.
/// - Throws: `TimedOut` after `seconds`.
package func eventually(
    _ what: String, within seconds: Double = 10, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TimedOut(description: "not within \(seconds) s: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// A TCP port of the loopback that was free a moment ago.
package func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
        }
    }
    guard bound else { throw TimedOut(description: "no free port") }
    return Int(UInt16(bigEndian: address.sin_port))
}
