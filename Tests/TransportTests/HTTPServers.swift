import Foundation
import Glibc
import Synchronization
import Testing

/// A server of a test: a process that ends with us, however we end, as its input is a pipe of ours.
final class ServerProcess: Sendable {
    private struct Output {
        var unread: [UInt8] = []
        var hasEnded = false
    }

    private let input = Pipe()
    private let output = Mutex(Output())

    /// - Parameters:
    ///   - package: what to install where the program is missing.
    ///   - readsInput: whether the server reads lines of ours and ends with them.
    init(_ arguments: [String], package: String, readsInput: Bool = false) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: readsInput ? "/usr/bin/env" : "/bin/sh")
        process.arguments = readsInput ? arguments : ["-c", Self.script, package] + arguments
        process.standardInput = input
        let pipe = Pipe()
        process.standardOutput = pipe
        pipe.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            self?.output.withLock { output in
                output.unread += data
                if data.isEmpty { output.hasEnded = true }
            }
        }
        try process.run()
    }

    /// Kills the server at the end of our input. (Our threads block signals, and so do their children: SIGTERM is lost.)
    private static let script = """
        command -v "$1" >/dev/null || { echo "$1 is missing: apt-get install $0" >&2; exit 127; }
        "$@" </dev/null & child=$!; cat >/dev/null; kill -9 $child
        """

    deinit { try? input.fileHandleForWriting.close() }

    func write(_ line: String) { input.fileHandleForWriting.write(Data("\(line)\n".utf8)) }

    /// The server's next line of output; nil at its end.
    func line() async throws -> String? {
        var line: String?
        try await eventually("a line of the server's output") {
            output.withLock { output in
                guard let end = output.unread.firstIndex(of: UInt8(ascii: "\n")) else { return output.hasEnded }
                line = String(decoding: output.unread[..<end], as: UTF8.self)
                output.unread.removeSubrange(...end)
                return true
            }
        }
        return line
    }
}

struct ServerFailure: Error, CustomStringConvertible {
    let description: String
}

/// A folder that is removed with its owner.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("flotilla-\(UUID())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func text(_ name: String) -> String? { try? String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }
    func write(_ text: String, to name: String) throws {
        try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
    }
}

/// A listening socket on a port of its own.
final class Listener: Sendable {
    let port: Int
    private let socket: Int32

    init(backlog: Int32 = 16) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.socket = socket
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutableBytes(of: &address) { bytes in
            guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return Glibc.bind(socket, pointer, length) == 0 && listen(socket, backlog) == 0
                && getsockname(socket, pointer, &length) == 0
        }
        guard isBound else { throw ServerFailure(description: "cannot listen: \(String(cString: strerror(errno)))") }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(socket) }

    static func freePort() throws -> Int { try Listener().port }
}

/// Whether a port of this machine takes connections.
func canConnect(_ port: Int) -> Bool {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    address.sin_port = in_port_t(UInt16(port)).bigEndian
    return withUnsafeBytes(of: &address) { bytes in
        guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
        return connect(socket, pointer, socklen_t(bytes.count)) == 0
    }
}

/// Asks until `condition` holds, for ten seconds at most.
func eventually(_ what: String, _ condition: () throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while try !condition() {
        guard ContinuousClock.now < deadline else { throw ServerFailure(description: "not within 10 s: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// A real nginx; its access log is the record of what arrived, written by somebody else.
final class Nginx: Sendable {
    struct Request: Decodable {
        var key, body, method, uri, type, agent, authorization, apiKey, version, connection, length: String
    }

    let port: Int
    let folder: TemporaryFolder
    private let process: ServerProcess

    /// - Parameters:
    ///   - tls: whether it speaks TLS, with the certificate `tls.pem` of the folder, and HTTP/2.
    ///   - settings: further lines for the server, such as `keepalive_requests 10;`.
    init(tls: Bool = false, settings: String = "") async throws {
        folder = try TemporaryFolder()
        port = try Listener.freePort()
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
                    '"connection":"$connection","length":"$content_length"}';
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
        process = try ServerProcess(
            ["nginx", "-p", path, "-e", "\(path)/error.log", "-c", "\(path)/nginx.conf"], package: "nginx")
        try await eventually("nginx listens") {
            if let failure = folder.text("error.log"), failure.contains("[emerg]") {
                throw ServerFailure(description: failure)
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
            throw ServerFailure(description: "openssl made no certificate: apt-get install openssl")
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

/// A server that does what the path asks for, also what no server should.
final class ScriptedServer: Sendable {
    struct Request: Decodable { var key, path: String }

    let port: Int
    private let process: ServerProcess

    init() async throws {
        process = try ServerProcess(["python3", "-c", Self.program], package: "python3", readsInput: true)
        guard let line = try await process.line(), let port = Int(line) else {
            throw ServerFailure(description: "no answer of python3: apt-get install python3")
        }
        self.port = port
    }

    private static let sharedOne = Task { try await ScriptedServer() }
    /// One for all tests that do not look at `nextRequest`.
    static var shared: ScriptedServer { get async throws { try await sharedOne.value } }

    /// The next request that has arrived; waits for it.
    func nextRequest() async throws -> Request {
        try JSONDecoder().decode(Request.self, from: Data((try await process.line() ?? "").utf8))
    }

    /// Lets the requests to `/hold` be answered.
    func release() { process.write("release") }

    private static let program = #"""
        import http.server, json, os, socket, struct, sys, threading, time, urllib.parse

        released = threading.Event()

        def follow():
            for line in sys.stdin: released.set()
            os._exit(0)

        threading.Thread(target=follow, daemon=True).start()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            count = 0

            def log_message(self, *_): pass

            def raw(self, text):
                self.wfile.write(text)
                self.wfile.flush()

            def do_POST(self):
                self.count += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                url = urllib.parse.urlsplit(self.path)
                ask = dict(urllib.parse.parse_qsl(url.query))
                record = {"key": self.headers["Idempotency-Key"] or "", "path": self.path}
                sys.stdout.write(json.dumps(record) + "\n")
                sys.stdout.flush()
                getattr(self, url.path[1:])(ask)

            def status(self, ask):
                body = ask.get("body", "").encode()
                self.send_response(int(ask["code"]))
                if "wait" in ask: self.send_header("Retry-After", ask["wait"])
                if "date" in ask: self.send_header("Retry-After", self.date_time_string(time.time() + int(ask["date"])))
                if "location" in ask: self.send_header("Location", ask["location"])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def hold(self, ask):
                released.wait()
                self.status({"code": "200"})

            def silent(self, ask):
                self.rfile.read(1)
                self.close_connection = True

            def stuck(self, ask):
                self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
                self.silent(ask)

            def close(self, ask): self.close_connection = True

            def reset(self, ask):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.rfile.close()
                self.wfile.close()
                self.connection.close()
                self.close_connection = True

            def second(self, ask):
                if self.count > 1: self.close_connection = True
                else: self.status({"code": "200"})

            def cut(self, ask):
                self.raw(b"HTTP/1.1 %s X\r\nContent-Length: 900\r\n\r\n{\"error\":\"half\"" % ask["code"].encode())
                self.close_connection = True

            def head(self, ask):
                self.raw(b"HTTP/1.1 20")
                self.close_connection = True

            def interim(self, ask):
                self.raw(b"HTTP/1.1 103 Early Hints\r\n\r\n")
                self.close_connection = True

            def garbage(self, ask):
                self.raw(b"220 mail.example.com ESMTP\r\n")
                self.close_connection = True

            def huge(self, ask):
                self.raw(b"HTTP/1.1 %s X\r\nContent-Length: 50000000\r\n\r\n" % ask["code"].encode())
                try:
                    while True: self.raw(b"x" * 65536)
                except OSError: self.close_connection = True

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128
            def handle_error(self, *_): pass

        server = Server(("127.0.0.1", 0), Handler)
        print(server.server_port, flush=True)
        server.serve_forever()
        """#
}
