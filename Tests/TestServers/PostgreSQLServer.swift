import Foundation

/// A real PostgreSQL on a unix socket in a temporary folder: one for all tests of a process, with a database of its own for each test.
package actor PostgreSQLServer {
    package static let shared = PostgreSQLServer()

    private var start: Task<Running, any Error>?
    private var databases = 0

    private struct Running: Sendable {
        var folder: TemporaryFolder
        var process: ServerProcess
    }

    /// Makes an empty database.
    /// - Returns: its URL.
    package func database() async throws -> String {
        let server = try await running()
        return try create("", on: server)
    }

    /// Makes a database like one that is prepared once: copying is faster than making tables.
    /// - Parameter prepare: gets the URL of the first, and leaves no connection open.
    /// - Returns: its URL.
    package func database(preparedBy prepare: @escaping @Sendable (String) throws -> Void) async throws -> String {
        let server = try await running()
        if !isPrepared {
            isPrepared = true
            try prepare(try create("", on: server, named: "template_ledger"))
        }
        return try create(" TEMPLATE template_ledger", on: server)
    }

    private var isPrepared = false

    private func create(_ options: String, on server: Running, named given: String? = nil) throws -> String {
        databases += 1
        let name = given ?? "test_\(databases)"
        try Self.run(
            "psql", ["-h", server.folder.path, "-U", "flotilla", "-d", "postgres", "-qc", "CREATE DATABASE \(name)" + options])
        return "postgres://flotilla@/\(name)?host=\(server.folder.path)"
    }

    private func running() async throws -> Running {
        if let start { return try await start.value }
        let new = Task { try await Self.start() }
        start = new
        return try await new.value
    }

    private static func start() async throws -> Running {
        let binaries = try binaries()
        let folder = try TemporaryFolder(mode: 0o777)
        let data = folder.path("data")
        let user = Self.user
        try run(
            user[0],
            user.dropFirst() + [
                binaries + "/initdb", "-D", data, "-A", "trust", "-U", "flotilla", "-E", "UTF8", "--locale", "C", "--no-sync",
            ])
        // The shell outlives the tests by a moment, however they end, and takes server and folder away. Tests that have ended may stay as a
        // zombie, which has no program, until whoever reads their output gets its end.
        let script = """
            cd /
            "$@" &
            server=$!
            while kill -0 $server && [ -e /proc/\(getpid())/exe ]; do sleep 0.2; done
            kill -QUIT $server
            wait $server
            [ -e /proc/\(getpid())/exe ] || rm -rf '\(folder.path)'
            """
        let process = try ServerProcess(
            "bash",
            ["-c", script, "bash"] + user + [
                binaries + "/postgres", "-D", data, "-k", folder.path, "-c", "listen_addresses=", "-c", "max_connections=600",
            ], package: "bash", output: folder.path("log"))
        try await eventually("PostgreSQL is up") {
            guard process.isRunning else { throw TimedOut(description: "PostgreSQL: \(folder.text("log") ?? "")") }
            let probe = try ServerProcess(
                "psql", ["-h", folder.path, "-U", "flotilla", "-d", "postgres", "-qc", "SELECT 1"], package: package)
            return probe.wait() == 0
        }
        return Running(folder: folder, process: process)
    }

    static let package = "postgresql"

    /// The folder of Debian's server: the newest, where there are several.
    static func binaries() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        guard let newest = versions.compactMap(Int.init).max() else { throw MissingServer(program: "postgres", package: package) }
        return "\(root)/\(newest)/bin"
    }

    /// The server refuses to run as root.
    static var user: [String] {
        getuid() == 0 ? ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"] : ["env"]
    }

    /// Runs a program to its end.
    static func run(_ program: String, _ arguments: [String]) throws {
        let output = try TemporaryFolder()
        let process = try ServerProcess(program, arguments, package: package, output: output.path("out"))
        guard process.wait() == 0 else { throw TimedOut(description: "\(program): \(output.text("out") ?? "")") }
    }
}
