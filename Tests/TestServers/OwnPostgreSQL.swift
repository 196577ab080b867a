import Foundation
import Synchronization

/// A PostgreSQL of a test's own, for what is done to servers: it is killed, restarted and stopped, and demands passwords and certificates.
/// It listens on loopback and on a socket in its folder. The user `flotilla` owns it, with the password `s3cret`.
package final class OwnPostgreSQL: Sendable {
    package static let password = "s3cret"

    private let folder: TemporaryFolder
    package let port: Int
    private let options: [String]
    private let access: [String]
    private let process = Mutex<ServerProcess?>(nil)

    /// - Parameters:
    ///   - access: lines of pg_hba.conf for TCP; those of the socket are trusted.
    ///   - certificate: a certificate and a key (PEM files) for TLS.
    ///   - options: settings, as `max_connections=5`.
    package init(
        access: [String] = ["host all all 127.0.0.1/32 scram-sha-256"], certificate: (certificate: String, key: String)? = nil,
        options: [String] = []
    ) async throws {
        folder = try TemporaryFolder(mode: 0o777)
        port = try freePort()
        self.access = access
        let data = folder.path("data")
        let passwords = try folder.write(Self.password + "\n", to: "password")
        let command = PostgreSQLServer.user
        try PostgreSQLServer.run(
            command[0],
            command.dropFirst() + [
                PostgreSQLServer.binaries() + "/initdb", "-D", data, "-A", "trust", "-U", "flotilla", "--pwfile", passwords, "-E",
                "UTF8",
                "--locale", "C", "--no-sync",
            ])
        var options = options
        if let certificate {
            // The server takes a key that it owns alone.
            for (source, name) in [(certificate.certificate, "server.crt"), (certificate.key, "server.key")] {
                try PostgreSQLServer.run(command[0], command.dropFirst() + ["install", "-m", "600", source, "\(data)/\(name)"])
            }
            options += ["ssl=on"]
        }
        self.options = options + ["listen_addresses=127.0.0.1", "port=\(port)", "fsync=off"]
        try await start()
    }

    /// A standby, up to date.
    private init(of primary: OwnPostgreSQL) async throws {
        folder = try TemporaryFolder(mode: 0o777)
        port = try freePort()
        access = primary.access
        options = ["listen_addresses=127.0.0.1", "port=\(port)", "fsync=off"]
        let command = PostgreSQLServer.user
        try PostgreSQLServer.run(
            command[0],
            command.dropFirst() + [
                PostgreSQLServer.binaries() + "/pg_basebackup", "-h", primary.socketFolder, "-p", "\(primary.port)", "-U", "flotilla", "-D",
                folder.path("data"), "-c", "fast", "-R", "--no-sync",
            ])
        try await start()
        try await eventually("the standby follows") {
            primary.holds("(SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming')")
        }
    }

    /// Makes a standby that follows this one.
    package func standby() async throws -> OwnPostgreSQL { try await OwnPostgreSQL(of: self) }

    /// Waits until a standby has all that was committed here.
    package func wait(for standby: OwnPostgreSQL) async throws {
        try await eventually("the standby has all") {
            holds("(SELECT bool_and(replay_lsn >= pg_current_wal_lsn()) FROM pg_stat_replication)")
        }
    }

    /// A standby hears of nothing more.
    package func stopFollowing() async throws {
        try run("ALTER SYSTEM SET primary_conninfo = ''")
        try run("SELECT pg_reload_conf()")
        try await eventually("it hears of nothing") { holds("NOT EXISTS (SELECT 1 FROM pg_stat_wal_receiver)") }
    }

    /// Whether a condition, in SQL, is true.
    package func holds(_ condition: String) -> Bool {
        (try? run("SELECT 1 / coalesce(\(condition), false)::int")) != nil
    }

    package var socketFolder: String { folder.path }

    /// A URL of this server and another, of which the one is taken that can be written to.
    package func url(or other: OwnPostgreSQL) -> String {
        "postgres://flotilla:\(Self.password)@127.0.0.1:\(port),127.0.0.1:\(other.port)/postgres?target_session_attrs=read-write"
    }

    /// Starts it, or starts it again.
    package func start() async throws {
        try (["local all all trust", "local replication all trust"] + access).joined(separator: "\n").appending("\n")
            .write(toFile: folder.path("hba"), atomically: true, encoding: .utf8)
        // It ends with the tests, however they end.
        let script = """
            cd /
            "$@" &
            server=$!
            while kill -0 $server && [ -e /proc/\(getpid())/exe ]; do sleep 0.2; done
            kill -QUIT $server
            wait $server
            """
        let settings = (options + ["hba_file=\(folder.path("hba"))"]).flatMap { ["-c", $0] }
        let new = try ServerProcess(
            "bash",
            ["-c", script, "bash"] + PostgreSQLServer.user + [
                PostgreSQLServer.binaries() + "/postgres", "-D", folder.path("data"), "-k", folder.path,
            ] + settings, package: "bash", output: folder.path("log"))
        process.withLock { $0 = new }
        try await eventually("PostgreSQL is up: \(folder.text("log") ?? "")") {
            (try? run("SELECT 1")) != nil
        }
    }

    /// A URL over TCP.
    package func url(
        user: String = "flotilla", password: String? = OwnPostgreSQL.password, database: String = "postgres", host: String = "127.0.0.1",
        _ more: String = ""
    ) -> String {
        "postgres://\(user)\(password.map { ":" + $0 } ?? "")@\(host):\(port)/\(database)\(more.isEmpty ? "" : "?" + more)"
    }

    /// Runs statements as the owner.
    package func run(_ sql: String, database: String = "postgres") throws {
        try PostgreSQLServer.run(
            "psql", ["-h", folder.path, "-p", "\(port)", "-U", "flotilla", "-d", database, "-v", "ON_ERROR_STOP=1", "-qAtc", sql])
    }

    private var pid: pid_t? {
        folder.text("data/postmaster.pid").flatMap { $0.split(separator: "\n").first }.flatMap { pid_t($0) }
    }

    /// Ends it: SIGINT ends sessions, SIGQUIT is like a crash.
    package func stop(_ signal: Int32 = SIGINT) async throws {
        guard let pid else { return }
        kill(pid, signal)
        try await eventually("PostgreSQL has ended") { self.process.withLock { $0 }?.isRunning != true }
    }

    /// Sends a signal to it and to all of its processes: SIGSTOP leaves it there, without an answer.
    package func signalAll(_ signal: Int32) throws {
        guard let pid else { return }
        let children = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter { child in
            let status = (try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)) ?? ""
            return status.split(separator: ")").last?.split(separator: " ").dropFirst().first == "\(pid)"
        }
        for process in [pid] + children { kill(process, signal) }
    }

    deinit {
        try? signalAll(SIGCONT)
        if let pid { kill(pid, SIGQUIT) }
    }
}
