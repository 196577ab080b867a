import Foundation

/// Debian's nsd with one zone, `example.net`.
package final class NameServer: Sendable {
    /// Host and port.
    package let address: String
    private let folder: TemporaryFolder
    private let process: ServerProcess

    /// Waits until it answers.
    /// - Parameter zone: records beside those of the zone and its server `ns`, which is 127.0.0.1.
    package init(zone: String) async throws {
        folder = try TemporaryFolder()
        let port = try freePort()
        address = "127.0.0.1:\(port)"
        try folder.write(
            "$TTL 60\n@ IN SOA ns.example.net. h.example.net. 1 60 60 60 60\n@ IN NS ns\nns IN A 127.0.0.1\n\(zone)", to: "zone")
        let path = folder.path
        let settings = """
            server:
              ip-address: 127.0.0.1@\(port)
              username: ""
              zonesdir: "\(path)"
              database: ""
              zonelistfile: "\(path)/list"
              xfrdfile: "\(path)/xfrd"
              xfrdir: "\(path)"
              pidfile: ""
              server-count: 1
            remote-control:
              control-enable: no
            zone:
              name: "example.net"
              zonefile: "zone"
            """
        process = try ServerProcess(
            "nsd", ["-d", "-c", try folder.write(settings, to: "nsd.conf")], package: "nsd", output: folder.path("log"))
        try await eventually("nsd listens: \(folder.text("log") ?? "")") { canConnect(port) }
    }

    deinit { process.stop(SIGTERM) }
}
