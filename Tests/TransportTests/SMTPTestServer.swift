import Foundation
import Logging
import NIOPosix
import Synchronization
import TestServers
import Testing

@testable import Model
@testable import Transport

/// A real server in a process of its own; ends with the test.
final class SMTPTestServer: Sendable {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    let port: Int
    /// A folder of its own.
    let folder: TemporaryFolder
    private let process: ServerProcess

    private init(port: Int, folder: TemporaryFolder, process: ServerProcess) {
        self.port = port
        self.folder = folder
        self.process = process
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
        // The sink writes into it as another user.
        let folder = try TemporaryFolder(mode: 0o777)
        let port = try port ?? freePort()
        var arguments = options + ["-D", folder.path("taken"), "127.0.0.1:\(port)", "500"]
        // As root it insists on becoming somebody else.
        if geteuid() == 0 { arguments = ["-u", "nobody"] + arguments }
        let process = try ServerProcess("smtp-sink", arguments, package: "postfix")
        let server = SMTPTestServer(port: port, folder: folder, process: process)
        try await server.waitForPort()
        return server
    }

    /// What smtp-sink took, by its own file: the recipients and all lines.
    var sunk: (recipients: [String], lines: [String]) {
        let lines = (folder.text("taken") ?? "").split(separator: "\n").map(String.init)
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
        let folder = try TemporaryFolder()
        let script = try folder.write(SMTPTestScript.source, to: "server.py")
        let process = try ServerProcess(
            python, ["-u", script, mode] + arguments, package: "python3", output: folder.path("output"), errors: folder.path("errors"))
        let line = try await eventually("the port of the python server: \(folder.text("errors") ?? "")") { folder.lines("output").first }
        guard let port = Int(line) else { throw Missing(description: "the python server said '\(line)'") }
        return SMTPTestServer(port: port, folder: folder, process: process)
    }

    /// What a python server took.
    var taken: [[String: String]] {
        get throws {
            try folder.lines("output").dropFirst().compactMap { line in
                try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
            }
        }
    }

    // MARK: - Certificates

    /// A certificate for localhost and 127.0.0.1 that is its own authority, and its key, in a folder.
    static func certificate(in folder: TemporaryFolder) throws -> (certificate: String, key: String) {
        let certificate = folder.path("cert.pem")
        let key = folder.path("key.pem")
        let openssl = try ServerProcess(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", certificate,
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2",
            ], package: "openssl")
        guard openssl.wait() == 0 else { throw Missing(description: "openssl made no certificate") }
        return (certificate, key)
    }

    /// A certificate authority in a folder.
    /// - Returns: the path of its certificate.
    static func authority(in folder: TemporaryFolder) throws -> String {
        try openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder.path("ca.key"), "-out",
            folder.path("ca.pem"), "-subj", "/CN=test authority", "-days", "2",
        ])
        return folder.path("ca.pem")
    }

    /// A certificate that the folder's authority has signed, and its key.
    /// - Parameters:
    ///   - names: as in `DNS:localhost`.
    ///   - days: how long it is valid; below 0 it has expired.
    static func certificate(_ names: String, days: Int, signedIn folder: TemporaryFolder) throws -> (certificate: String, key: String) {
        let key = folder.path("leaf.key")
        let certificate = folder.path("leaf.pem")
        try openssl([
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", folder.path("leaf.csr"),
            "-subj", "/CN=leaf",
        ])
        let names = try folder.write("subjectAltName=\(names)\n", to: "leaf.ext")
        try openssl([
            "x509", "-req", "-in", folder.path("leaf.csr"), "-CA", folder.path("ca.pem"), "-CAkey", folder.path("ca.key"),
            "-CAcreateserial", "-days", "\(days)", "-out", certificate, "-extfile", names,
        ])
        return (certificate, key)
    }

    private static func openssl(_ arguments: [String]) throws {
        let process = try ServerProcess("openssl", arguments, package: "openssl")
        guard process.wait() == 0 else { throw Missing(description: "openssl \(arguments[0]) failed") }
    }

    private func waitForPort() async throws {
        // Not by connecting: smtp-sink that answers a connection at once (-Q connect) may die of one that is gone by then.
        let listening = ":" + String(UInt16(port), radix: 16, uppercase: true).leftPadded(to: 4) + " 00000000:0000 0A"
        try await eventually("the server on port \(port)") {
            let sockets = (try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)) ?? ""
            return sockets.contains(listening)
        }
    }
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
