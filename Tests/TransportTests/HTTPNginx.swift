import Foundation
import TestServers

/// A real nginx; its access log is the record of what arrived, written by somebody else.
final class Nginx: Sendable {
    struct Request: Decodable {
        var key, body, method, uri, type, agent, authorization, apiKey, version, connection, length, expect: String
    }

    let port: Int
    let folder: TemporaryFolder
    private let process: HTTPTestProcess

    /// - Parameters:
    ///   - tls: whether it speaks TLS, with the certificate `tls.pem` of the folder, and HTTP/2.
    ///   - settings: further lines for the server, such as `keepalive_requests 10;`.
    init(tls: Bool = false, settings: String = "") async throws {
        folder = try TemporaryFolder()
        port = try freePort()
        if tls { try await Self.makeCertificate(folder) }
        let path = folder.path
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(path)/\($0);" }
        try folder.write(
            """
            daemon off; master_process off; pid \(path)/pid; error_log \(path)/error.log;
            events { worker_connections 1024; }
            http {
                \(temporary.joined(separator: " "))
                default_type application/json; client_body_buffer_size 64k; client_max_body_size 8m; access_log off;
                log_format record escape=json '{"key":"$http_idempotency_key","body":"$request_body",'
                    '"method":"$request_method","uri":"$request_uri","type":"$content_type","agent":"$http_user_agent",'
                    '"authorization":"$http_authorization","apiKey":"$http_x_api_key","version":"$server_protocol",'
                    '"connection":"$connection","length":"$content_length","expect":"$http_expect"}';
                server {
                    listen 127.0.0.1:\(port)\(tls ? " ssl http2" : "");
                    \(tls ? "ssl_certificate \(path)/tls.pem; ssl_certificate_key \(path)/tls.key;" : "")
                    \(settings)
                    access_log \(path)/access.log record;
                    location / { proxy_pass http://unix:\(path)/back; }
                }
                server {
                    listen unix:\(path)/back;
                    location / { return 200 '{"messages":[{"id":"id-$http_idempotency_key"}]}'; }
                }
            }
            """, to: "nginx.conf")
        process = try HTTPTestProcess(
            ["nginx", "-p", path, "-e", "\(path)/error.log", "-c", "\(path)/nginx.conf"], package: "nginx")
        try await eventually("nginx listens") {
            if let failure = folder.text("error.log"), failure.contains("[emerg]") {
                throw HTTPTestFailure(description: failure)
            }
            return canConnect(port)
        }
    }

    private static func makeCertificate(_ folder: TemporaryFolder) async throws {
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        openssl.arguments =
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2",
                "-subj", "/CN=flotilla test", "-addext", "subjectAltName=DNS:localhost",
                "-keyout", "\(folder.path)/tls.key", "-out", "\(folder.path)/tls.pem",
            ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        try await eventually("openssl ends") { !openssl.isRunning }
        guard openssl.terminationStatus == 0 else {
            throw HTTPTestFailure(description: "openssl made no certificate: apt-get install openssl")
        }
    }

    /// Connections that neither side has closed, as Linux counts them (proc(5), `/proc/net/tcp`).
    var establishedConnections: Int {
        get throws {
            let port = String(format: ":%04X", port)
            return try String(contentsOfFile: "/proc/net/tcp", encoding: .utf8).split(separator: "\n").count { line in
                let fields = line.split(separator: " ")
                return fields.count > 3 && fields[1].hasSuffix(port) && fields[3] == "01"
            }
        }
    }

    /// What has arrived, when it is `count` requests or more.
    func requests(_ count: Int) async throws -> [Request] {
        var lines: [Substring] = []
        try await eventually("\(count) requests in nginx's log") {
            lines = (folder.text("access.log") ?? "").split(separator: "\n")
            return lines.count >= count
        }
        return try lines.map { try JSONDecoder().decode(Request.self, from: Data($0.utf8)) }
    }
}
