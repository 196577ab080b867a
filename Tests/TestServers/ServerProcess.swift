package import Foundation
import Synchronization

/// What a test needs and the machine lacks.
package struct MissingServer: Error, CustomStringConvertible {
    package let description: String

    package init(program: String, package: String) {
        description = "\(program) is not installed: apt-get install -y --no-install-recommends \(package) (deploy/test does)"
    }
}

/// A program that a test starts, and that is killed with its owner. It starts with no signal blocked: threads of the test
/// process block them, and children would inherit that and miss SIGTERM.
package final class ServerProcess: Sendable {
    package let pid: pid_t
    private let status = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - package: Debian's package that has the program, for the message when it is missing.
    ///   - environment: nil for the test's own.
    ///   - output: the file that takes standard output; nil for none. The same for `errors`; nil joins it to the output.
    package init(
        _ program: String, _ arguments: [String], package: String, environment: [String: String]? = nil,
        output: String? = nil, errors: String? = nil
    ) throws {
        guard let path = Self.find(program) else { throw MissingServer(program: program, package: package) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output ?? "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        if let errors {
            posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words = ([path] + arguments).map { strdup($0) }
        var variables = (environment ?? ProcessInfo.processInfo.environment).map { strdup("\($0.key)=\($0.value)") }
        defer { for pointer in words + variables { free(pointer) } }
        words.append(nil)
        variables.append(nil)
        var id = pid_t()
        let code = posix_spawn(&id, path, &actions, &attributes, words, variables)
        guard code == 0 else { throw TimedOut(description: "\(path) cannot be started: \(String(cString: strerror(code)))") }
        pid = id
    }

    /// The exit status once it has ended, a signal's number below zero; nil while it runs.
    package var ended: Int32? {
        status.withLock { status in
            if let status { return status }
            var word: Int32 = 0
            guard waitpid(pid, &word, WNOHANG) == pid else { return nil }
            status = word & 0x7f == 0 ? (word >> 8) & 0xff : -(word & 0x7f)
            return status
        }
    }

    package var isRunning: Bool { ended == nil }

    package func signal(_ number: Int32) {
        if isRunning { kill(pid, number) }
    }

    /// Ends the program and waits for it.
    @discardableResult
    package func stop(_ number: Int32 = SIGKILL) -> Int32 {
        signal(number)
        return wait()
    }

    /// Waits for the end of a program that ends by itself.
    package func wait() -> Int32 {
        while true {
            if let ended { return ended }
            usleep(1000)
        }
    }

    deinit { stop() }

    private static func find(_ program: String) -> String? {
        if program.contains("/") { return program }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return (path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin", "/usr/local/bin"])
            .map { $0 + "/" + program }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
