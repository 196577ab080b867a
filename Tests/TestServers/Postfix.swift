import Foundation

/// A Postfix with a queue of its own: it takes mail on loopback, and delivers it by its table of transports. It needs root.
package final class Postfix {
    package let port: Int
    private let folder: TemporaryFolder
    private var folderPath: String { folder.url.path }

    /// - Parameter transports: lines of its table, transport(5): `example.com smtp:[127.0.0.1]:2525`.
    package init(transports: [String]) async throws {
        folder = try TemporaryFolder(mode: 0o755)
        port = try freePort()
        for name in ["queue", "data"] {
            try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: false)
        }
        guard try run("chown", ["postfix", folder.path("data")]) else { throw MissingServer(program: "postfix", package: "postfix") }
        _ = try folder.write(transports.joined(separator: "\n") + "\n", to: "transports")
        _ = try folder.write(Self.services(port), to: "master.cf")
        _ = try folder.write(
            """
            compatibility_level = 3.6
            queue_directory = \(folderPath)/queue
            data_directory = \(folderPath)/data
            maillog_file = \(folderPath)/log
            maillog_file_prefixes = \(folderPath)
            myhostname = mx.example.net
            mydestination =
            mynetworks = 127.0.0.0/8
            inet_interfaces = 127.0.0.1
            inet_protocols = ipv4
            alias_maps =
            smtp_tls_security_level = none
            smtpd_recipient_restrictions = permit_mynetworks, reject
            smtpd_peername_lookup = no
            transport_maps = texthash:\(folderPath)/transports

            """, to: "main.cf")
        _ = try run("postfix", ["-c", folderPath, "start"])
        try await eventually("Postfix listens: \(log)") { canConnect(port) }
    }

    deinit { _ = try? run("postfix", ["-c", folderPath, "stop"]) }

    package var log: String { folder.text("log") ?? "" }

    private func run(_ program: String, _ arguments: [String]) throws -> Bool {
        try ServerProcess(program, arguments, package: "postfix").wait() == 0
    }

    /// master(5), without a change of root.
    private static func services(_ port: Int) -> String {
        let daemons = [
            "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr", "rewrite unix - - n - - trivial-rewrite",
            "bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "error unix - - n - - error",
            "retry unix - - n - - error", "lmtp unix - - n - - lmtp", "smtp unix - - n - - smtp", "proxymap unix - - n - - proxymap",
            "anvil unix - - n - 1 anvil", "showq unix n - n - - showq", "flush unix n - n 1000? 0 flush",
            "postlog unix-dgram n - n - 1 postlogd",
        ]
        return (["127.0.0.1:\(port) inet n - n - - smtpd"] + daemons).joined(separator: "\n") + "\n"
    }
}
