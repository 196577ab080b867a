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

    /// A Redis in cluster mode: one node, which has all slots.
    package static func cluster(_ extra: [String] = []) async throws -> RedisServer {
        let server = try await RedisServer(["--cluster-enabled", "yes", "--cluster-port", "\(try freePort())"] + extra)
        _ = try server.cli("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        try await eventually("the cluster is up") { try server.cli("CLUSTER", "INFO").contains("cluster_state:ok") }
        return server
    }

    /// What `redis-cli` prints.
    package func cli(_ arguments: String...) throws -> String {
        let output = try TemporaryFolder()
        let client = try ServerProcess(
            "redis-cli", ["-s", socket] + arguments, package: "redis-tools", output: output.path("out"))
        guard client.wait() == 0 else { throw TimedOut(description: "redis-cli: \(output.text("out") ?? "")") }
        return output.text("out") ?? ""
    }

    private static func start(_ arguments: [String]) throws -> ServerProcess {
        try ServerProcess("redis-server", arguments, package: "redis-server")
    }

    private func isUp() async throws {
        try await eventually("redis-server is up") { canConnect(unix: socket) }
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
