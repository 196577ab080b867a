import Broker
import Foundation
import Logging
import Model
import ServiceLifecycle
import Synchronization
import Telemetry

/// A private Redis server on a unix socket. It ends with this process, even after SIGKILL, and is started again when it ends by itself.
///
/// It writes all commands to an append-only file beside the ledger before it replies. So the next start finds which messages had been
/// started, whatever ended it or this process; only an end of the machine leaves the file in doubt, which the planner notices.
final class PrivateRedis: Service {
    struct Failure: Error, CustomStringConvertible {
        let description: String
        /// The disk is full: room helps, and the file is whole.
        var isDiskFull = false
    }

    /// Starts in a row that may fail before it is given up.
    private static let tries = 5
    /// After that time a start counts as a success.
    private static let stable = Duration.seconds(60)

    let endpoint: RedisEndpoint
    private let program: String
    private let folders: PrivateRedisFolders
    private let logger: Logger
    private let running: Mutex<RedisProcess>
    /// Something may be in its file that the next start needs.
    private let isUsed: Mutex<Bool>

    /// Starts the server.
    /// - Parameters:
    ///   - ledger: the ledger's path; the append-only file lies beside it.
    ///   - identity: the ledger's own; nil where it is not known yet.
    /// - Throws: `Failure` when there is no `redis-server`, no folder for it, or it does not come up.
    init(ledger: String, identity: String?, logger: Logger) async throws {
        try OpenFiles.check()
        guard let program = RedisProcess.find("redis-server") else {
            throw Failure(
                description: """
                    no redis-server is found in PATH: install it (apt-get install redis-server), or name a running Redis with \
                    --redis URL
                    """)
        }
        folders = try PrivateRedisFolders(ledger: ledger)
        for why in folders.refused { logger.warning("\(why); the private Redis has its socket in \(folders.socket)") }
        if let moved = identity.flatMap(folders.tie) {
            logger.warning(
                "\(folders.data) held the work of another ledger, which was moved to \(moved); remove it if that ledger is gone")
        }
        endpoint = RedisEndpoint(place: .unix(path: folders.socketPath))
        self.program = program
        self.logger = logger
        isUsed = Mutex(folders.hasFile)
        running = Mutex(try await Self.start(program, folders, logger))
    }

    /// Starts the server. A file that it cannot read is moved: what it held is then unknown.
    private static func start(_ program: String, _ folders: PrivateRedisFolders, _ logger: Logger) async throws -> RedisProcess {
        do {
            return try await RedisProcess.start(program, folders)
        } catch {
            if let failure = error as? Failure, failure.isDiskFull { throw failure }
            guard folders.setFileAside() else { throw error }
            logger.error("\(error); its file was moved to \(folders.unreadable), and it starts empty")
            return try await RedisProcess.start(program, folders)
        }
    }

    /// Watches the server, and starts it again when it ends.
    /// - Throws: `Failure` when it does not stay up.
    func run() async throws {
        isUsed.withLock { $0 = true }
        do {
            try await cancelWhenGracefulShutdown { try await self.watch() }
        } catch is CancellationError {}
    }

    private func watch() async throws {
        var failures = 0
        var started = ContinuousClock.now
        while !Task.isCancelled {
            let process = running.withLock { $0 }
            guard await process.ended.wait(atMost: nil) else { return }
            failures = ContinuousClock.now - started > Self.stable ? 1 : failures + 1
            started = .now
            logger.error("the private Redis has ended (\(process.howItEnded)); it is started again from its file")
            do {
                let next = try await Self.start(program, folders, logger)
                running.withLock { $0 = next }
                logger.notice("the private Redis is back, and work continues")
            } catch let error as Failure {
                logger.error("\(error)")
                process.ended.notify()
            }
            guard failures < Self.tries else {
                throw Failure(
                    description: "the private Redis ends again and again: look into \(folders.log), or name another with --redis URL")
            }
            try await Task.sleep(for: .milliseconds(200) * failures)
        }
    }

    /// Ends the server and removes its socket.
    /// - Parameter forgets: nothing in it is needed, and its file is removed too.
    func stop(forgets: Bool = false) {
        running.withLock { $0 }.stop()
        if forgets || !isUsed.withLock({ $0 }) { folders.removeData() }
    }
}
