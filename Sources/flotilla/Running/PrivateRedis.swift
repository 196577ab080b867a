import Broker
import Foundation

/// A private Redis server on a unix socket in a temporary folder. It keeps nothing on disk. It ends with this process, even after
/// SIGKILL: a shell beside it waits for the end of a pipe that only this process holds open.
final class PrivateRedis {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let folder: URL
    private let process = Process()
    private let lifeline = Pipe()

    var endpoint: RedisEndpoint { RedisEndpoint(place: .unix(path: socket)) }
    private var socket: String { folder.appending(path: "redis.sock").path }

    /// Runs in its own session, so that Ctrl-C does not reach Redis, which still takes the last results.
    private static let script = """
        "$1" --port 0 --unixsocket "$2/redis.sock" --unixsocketperm 700 --dir "$2" --save '' --appendonly no \
            --loglevel warning --logfile "$2/redis.log" &
        redis=$!
        cat > /dev/null
        kill -KILL "$redis"
        wait "$redis"
        rm -rf "$2"
        """

    /// Starts the server.
    /// - Throws: `Failure` when there is no `redis-server`, or it does not come up in ten seconds.
    init() async throws {
        guard let server = Self.find("redis-server") else {
            throw Failure(
                description: """
                    no redis-server is found in PATH: install it (apt-get install redis-server), or name a running Redis with \
                    --redis URL
                    """)
        }
        folder = FileManager.default.temporaryDirectory.appending(path: "flotilla-redis-\(UUID().uuidString.prefix(8).lowercased())")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        process.executableURL = URL(fileURLWithPath: Self.find("setsid") ?? "/usr/bin/setsid")
        process.arguments = ["sh", "-c", Self.script, "redis-guard", server, folder.path]
        process.standardInput = lifeline
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let deadline = ContinuousClock.now + .seconds(10)
        while !FileManager.default.fileExists(atPath: socket) {
            guard process.isRunning, ContinuousClock.now < deadline else {
                let log = (try? String(contentsOf: folder.appending(path: "redis.log"), encoding: .utf8)) ?? ""
                stop()
                throw Failure(description: "the private redis-server did not start: \(log.suffix(500))")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Ends the server and removes its folder.
    func stop() {
        try? lifeline.fileHandleForWriting.close()
        // Not waitUntilExit, which spins on a run loop.
        while process.isRunning { usleep(1000) }
    }

    private static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return (path.split(separator: ":").map(String.init) + ["/usr/bin", "/usr/sbin", "/usr/local/bin"])
            .map { $0 + "/" + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
