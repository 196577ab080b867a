import Foundation
import Logging
import NIOPosix
import Synchronization
import Testing

import func TestServers.freePort

@testable import Model
@testable import Transport

/// A real server in a process of its own; ends with the test.
final class SMTPTestServer: Sendable {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    let port: Int
    /// A folder of its own.
    let folder: URL
    private let process: SMTPTestProcess

    private init(port: Int, folder: URL, process: SMTPTestProcess) {
        self.port = port
        self.folder = folder
        self.process = process
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    func stop() { process.stop() }

    func provider(_ change: (inout Provider) -> Void = { _ in }) -> Provider {
        var provider = Provider(name: "test", scheme: .smtp, host: "127.0.0.1", port: port).with {
            $0.connections = 4
        }
        change(&provider)
        return provider
    }

    // MARK: - Postfix's smtp-sink

    /// Starts smtp-sink, which writes what it takes into a file that `sunk` reads.
    static func sink(_ options: [String], port: Int? = nil) async throws -> SMTPTestServer {
        let places = ["/usr/sbin/smtp-sink", "/usr/bin/smtp-sink", "/usr/libexec/postfix/smtp-sink"]
        guard let program = places.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw Missing(description: "no smtp-sink: apt-get install postfix")
        }
        let folder = try temporaryFolder()
        let port = try port ?? freePort()
        var arguments = options + ["-D", "\(folder.path)/taken", "127.0.0.1:\(port)", "500"]
        // As root it insists on becoming somebody else.
        if geteuid() == 0 { arguments = ["-u", "nobody"] + arguments }
        let process = try SMTPTestProcess([program] + arguments)
        let server = SMTPTestServer(port: port, folder: folder, process: process)
        try await server.waitForPort()
        return server
    }

    /// What smtp-sink took, by its own file: the recipients and all lines.
    var sunk: (recipients: [String], lines: [String]) {
        guard let data = try? Data(contentsOf: folder.appendingPathComponent("taken")) else { return ([], []) }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
        let prefix = "X-Rcpt-Args: <"
        return (
            lines.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count).prefix { $0 != ">" }) }, lines
        )
    }

    // MARK: - Python

    /// Starts a server of SMTPTestScript; it prints its port, then a JSON line for each message that it takes.
    static func python(_ mode: String, _ arguments: [String]) async throws -> SMTPTestServer {
        guard let python = ProcessInfo.processInfo.environment["FLOTILLA_TEST_PYTHON"] else {
            throw Missing(
                description: "FLOTILLA_TEST_PYTHON names no python with aiosmtpd: "
                    + "python3 -m venv VENV && VENV/bin/pip install aiosmtpd && export FLOTILLA_TEST_PYTHON=VENV/bin/python"
            )
        }
        let folder = try temporaryFolder()
        let script = folder.appendingPathComponent("server.py")
        try SMTPTestScript.source.write(to: script, atomically: true, encoding: .utf8)
        let output = folder.appendingPathComponent("output")
        let process = try SMTPTestProcess([python, "-u", script.path, mode] + arguments, output: output.path)
        let line = try await eventually("the port of the python server") { try lines(of: output).first }
        guard let port = Int(line) else { throw Missing(description: "the python server said '\(line)'") }
        return SMTPTestServer(port: port, folder: folder, process: process)
    }

    /// What a python server took.
    var taken: [[String: String]] {
        get throws {
            try Self.lines(of: folder.appendingPathComponent("output")).dropFirst().compactMap { line in
                try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
            }
        }
    }

    private static func lines(of file: URL) throws -> [String] {
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        guard text.hasSuffix("\n") else { return [] }
        return text.split(separator: "\n").map(String.init)
    }

    // MARK: - Certificates

    /// A certificate for localhost and 127.0.0.1 that is its own authority, and its key, in a folder.
    static func certificate(in folder: URL) throws -> (certificate: String, key: String) {
        let certificate = folder.appendingPathComponent("cert.pem").path
        let key = folder.appendingPathComponent("key.pem").path
        let process = try SMTPTestProcess([
            "/usr/bin/env", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2",
        ])
        let status = process.wait()
        guard status == 0 else {
            throw Missing(description: "openssl made no certificate: apt-get install openssl")
        }
        return (certificate, key)
    }

    // MARK: - Ports and folders

    static func temporaryFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("flotilla-smtp-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o777])
        // The sink writes into it as another user.
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
        return folder
    }

    /// A port that was free a moment ago.
    static func freePort() throws -> Int { try TestServers.freePort() }

    private func waitForPort() async throws {
        // Not by connecting: smtp-sink that responses a connection at once (-Q connect) may die of one that is gone by then.
        let listening = ":" + String(UInt16(port), radix: 16, uppercase: true).leftPadded(to: 4) + " 00000000:0000 0A"
        try await eventually("the server on port \(port)") {
            let sockets = (try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)) ?? ""
            return sockets.contains(listening) ? true : nil
        }
    }
}

/// A process that is killed with its owner. (Foundation's `Process` passes on the signal mask of the thread that it is
/// called on; on Dispatch's threads that makes children deaf to SIGTERM, and waiting for them endless.)
final class SMTPTestProcess: Sendable {
    private let id: Mutex<pid_t?>

    /// - Parameter output: the file that takes its output; nil for none.
    init(_ arguments: [String], output: String? = nil) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output ?? "/dev/null", O_WRONLY | O_CREAT, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        let pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var id: pid_t = 0
        guard posix_spawn(&id, arguments[0], &actions, nil, pointers, environ) == 0 else {
            throw SMTPTestServer.Missing(description: "\(arguments[0]) cannot be started")
        }
        self.id = Mutex(id)
    }

    deinit { stop() }

    func stop() {
        id.withLock { if let id = $0 { kill(id, SIGKILL) } }
        wait()
    }

    /// Waits for its end.
    /// - Returns: the wait status; 0 for success.
    @discardableResult func wait() -> Int32 {
        id.withLock { id in
            guard let process = id else { return -1 }
            var status: Int32 = 0
            waitpid(process, &status, 0)
            id = nil
            return status
        }
    }
}

/// A socket that listens and never says anything; the system completes the connections.
final class SMTPSilentListener: Sendable {
    let port: Int
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.descriptor = descriptor
        var address = Self.loopback(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, size) | listen(descriptor, 100) | getsockname(descriptor, generic, &size)
            }
        }
        guard descriptor >= 0, result == 0 else { throw SMTPTestServer.Missing(description: "no free port") }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }

    static func responses(port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = loopback(port: UInt16(port))
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}

/// Waits until something is there, for a minute at most.
@discardableResult
func eventually<Value>(_ what: String, _ look: () throws -> Value?) async throws -> Value {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if let value = try look() { return value }
        try await Task.sleep(for: .milliseconds(5))
    }
    throw SMTPTestServer.Missing(description: "\(what) did not come within a minute")
}

/// Makes a transport for a provider, uses it, and closes it.
func withTransport<Value>(
    _ provider: Provider, _ body: (SMTPTransport) async throws -> Value
) async throws -> Value {
    let transport = SMTPTransport(
        provider: provider, hostname: "client.example.com", eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    do {
        let value = try await body(transport)
        await transport.close()
        return value
    } catch {
        await transport.close()
        throw error
    }
}

extension String {
    fileprivate func leftPadded(to count: Int) -> String {
        String(repeating: "0", count: Swift.max(0, count - self.count)) + self
    }
}
