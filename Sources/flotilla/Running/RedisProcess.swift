import CommandSupport
import Foundation
import Model
import Synchronization

/// One run of the private Redis: the server, and a shell beside it that ends it with this process.
final class RedisProcess: Sendable {
    /// Notified when the server has ended.
    let ended = WakeSignal()
    private let shell: Mutex<Process>
    /// The end of a pipe that only this process holds open; -1 when it is closed.
    private let lifeline: Mutex<Int32>
    private let status = Status()

    /// How the server ended, for people; nil while it runs.
    private final class Status: Sendable {
        let text = Mutex<String?>(nil)
    }

    /// It runs in its own session, so that Ctrl-C does not reach Redis, which still takes the last results. The lock keeps two servers from
    /// writing one file, as when a shell was killed and its server was not. The kernel writes the file to the disk when it likes: it is
    /// believed only until the machine is started again.
    private static let script = """
        exec 8<&0 9>"$2/lock"
        flock -w 10 9 || exit 75
        rm -f "$3/redis.sock"
        "$1" --port 0 --unixsocket "$3/redis.sock" --unixsocketperm 700 --dir "$2" --save '' --appendonly yes --appendfsync no \
            --loglevel warning --logfile "$2/redis.log" 8<&- < /dev/null &
        redis=$!
        (read -r _ <&8; rm -rf "$4"; kill -KILL "$redis") 9>&- &
        guard=$!
        wait "$redis"
        code=$?
        kill "$guard" 2> /dev/null
        exit "$code"
        """

    private init(_ program: String, _ folders: PrivateRedisFolders) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw PrivateRedis.Failure(description: "no pipe to the private redis-server: " + String(cString: strerror(errno)))
        }
        // No child but the shell may hold the pipe open.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.find("setsid") ?? "/usr/bin/setsid")
        process.arguments = [
            "-w", "sh", "-c", Self.script, "redis-guard", program, folders.data, folders.socket,
            folders.isSocketWithData ? "" : folders.socket,
        ]
        process.environment = ProcessInfo.processInfo.environment.merging(["PATH": Self.path]) { $1 }
        process.standardInput = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.terminationHandler = { [ended, status] process in
            let isSignal = process.terminationReason == .uncaughtSignal || process.terminationStatus > 128
            let number = process.terminationStatus > 128 ? process.terminationStatus - 128 : process.terminationStatus
            status.text.withLock { $0 = isSignal ? "signal \(number)" : "status \(number)" }
            ended.notify()
        }
        do { try process.run() } catch {
            close(ends[1])
            throw PrivateRedis.Failure(
                description: """
                    the private redis-server cannot be started: \(PlainError.of(error)). A file that the caller has open above the limit \
                    of open files has this effect: raise the limit (ulimit -n), or name a running Redis with --redis URL
                    """)
        }
        shell = Mutex(process)
        lifeline = Mutex(ends[1])
    }

    /// Starts a server and waits until it answers.
    /// - Throws: `PrivateRedis.Failure` with the end of its log.
    static func start(_ program: String, _ folders: PrivateRedisFolders) async throws -> RedisProcess {
        try? FileManager.default.removeItem(atPath: folders.log)
        try folders.make()
        let process = try RedisProcess(program, folders)
        // As long as the server before may take to end, and the file to be read.
        let deadline = ContinuousClock.now + .seconds(30)
        while !UnixPing.answers(folders.socketPath) {
            guard process.isRunning, ContinuousClock.now < deadline else {
                process.stop()
                if let full = folders.full {
                    throw PrivateRedis.Failure(
                        description: """
                            the private redis-server did not start, because no room is left on the disk of \(full): make room there, or \
                            name a running Redis with --redis URL
                            """, isDiskFull: true)
                }
                let log = (try? String(contentsOfFile: folders.log, encoding: .utf8)) ?? ""
                let why = log.isEmpty ? process.howItEnded : String(log.suffix(500))
                throw PrivateRedis.Failure(description: "the private redis-server did not start: \(why)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        folders.publishSocket()
        return process
    }

    private var isRunning: Bool { shell.withLock { $0.isRunning } }

    /// For people.
    var howItEnded: String { status.text.withLock { $0 } ?? "no status" }

    /// Ends the server; further calls do nothing.
    func stop() {
        lifeline.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
        // Not waitUntilExit, which spins on a run loop.
        while isRunning { usleep(1000) }
    }

    deinit { stop() }

    /// Where programs are looked for: also where they usually are, should PATH not name it.
    private static var path: String {
        (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin"
    }

    static func find(_ name: String) -> String? {
        path.split(separator: ":").map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
