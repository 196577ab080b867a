import Foundation
import Synchronization

/// A real Redis for one test, on a unix socket and, if asked, on a TCP port.
package final class RedisServer: Sendable {
    private let folder: TemporaryFolder
    private let arguments: [String]
    private let process: Mutex<ServerProcess>
    package var socket: String { folder.path("redis.sock") }

    package init(_ extra: [String] = [], port: Int = 0) async throws {
        folder = try TemporaryFolder()
        arguments =
            [
                "--port", "\(port)", "--bind", "127.0.0.1", "--unixsocket", folder.path("redis.sock"), "--dir", folder.url.path,
                "--save", "", "--appendonly", "no",
            ] + extra
        process = Mutex(try Self.start(arguments))
        try await isUp()
    }

    private static func start(_ arguments: [String]) throws -> ServerProcess {
        try ServerProcess("redis-server", arguments, package: "redis-server")
    }

    private func isUp() async throws {
        try await eventually("redis-server is up") { FileManager.default.fileExists(atPath: socket) }
    }

    package func stop() {
        process.withLock { _ = $0.stop() }
        try? FileManager.default.removeItem(atPath: socket)
    }

    /// Starts it again, empty.
    package func start() async throws {
        let new = try Self.start(arguments)
        process.withLock { $0 = new }
        try await isUp()
    }

    package func signal(_ number: Int32) { process.withLock { $0.signal(number) } }
}
