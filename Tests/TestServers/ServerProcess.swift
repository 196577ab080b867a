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

package struct TimedOut: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// Waits until something is so, looking every few milliseconds.
/// - Throws: `TimedOut` after `seconds`.
package func eventually(
    _ what: String, within seconds: Double = 60, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TimedOut(description: "not within \(seconds) s: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Where `freePort` goes on: another place for each test process.
private let nextPort = Atomic<Int>(Int.random(in: 0..<12_000))

/// A TCP port of loopback on which nothing listens: below those that the system hands out to connections, and never the same
/// one twice, so that nobody else gets it before the server of the test does.
package func freePort() throws -> Int {
    for _ in 0..<1000 {
        let port = 20_000 + nextPort.add(1, ordering: .relaxed).newValue % 12_000
        // Close-on-exec: a server that another test starts just now would keep the port.
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        let isFree = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if isFree { return port }
    }
    throw TimedOut(description: "no free port")
}
