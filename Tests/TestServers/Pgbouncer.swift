import Foundation

/// Debian's pgbouncer in front of a test's own PostgreSQL, on a socket in a temporary folder.
package final class Pgbouncer: Sendable {
    private let folder: TemporaryFolder
    private let process: ServerProcess

    /// - Parameter mode: when it takes a session of the server away: `session`, `transaction` or `statement`; further settings may follow,
    ///   each on a line of its own.
    package init(_ server: OwnPostgreSQL, mode: String = "session") async throws {
        let program = "/usr/sbin/pgbouncer"
        guard FileManager.default.isExecutableFile(atPath: program) else { throw MissingServer(program: "pgbouncer", package: "pgbouncer") }
        folder = try TemporaryFolder(mode: 0o777)
        let file = try folder.write(
            """
            [databases]
            postgres = host=\(server.socketFolder) port=\(server.port) dbname=postgres user=flotilla
            [pgbouncer]
            unix_socket_dir = \(folder.path)
            listen_port = 5432
            listen_addr =
            auth_type = any
            pool_mode = \(mode)
            server_login_retry = 1

            """, to: "pgbouncer.ini")
        // It refuses to run as root.
        let command = PostgreSQLServer.user + [program, file]
        process = try ServerProcess(command[0], Array(command.dropFirst()), package: "pgbouncer", output: folder.path("log"))
        try await eventually("pgbouncer is up") { [folder] in canConnect(unix: folder.path(".s.PGSQL.5432")) }
    }

    /// - Parameter more: parameters of libpq.
    package func url(_ more: String = "") -> String {
        "postgres://flotilla@/postgres?host=\(folder.path)\(more.isEmpty ? "" : "&" + more)"
    }
}
