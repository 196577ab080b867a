import Foundation

/// A server that does what the path asks for, also what no server should.
final class HTTPScriptedServer: Sendable {
    struct Request: Decodable { var key, path: String }

    let port: Int
    private let process: HTTPTestProcess

    init() async throws {
        process = try HTTPTestProcess(["python3", "-c", Self.program], package: "python3", readsInput: true)
        guard let line = try await process.line(), let port = Int(line) else {
            throw HTTPTestFailure(description: "no answer of python3: apt-get install python3")
        }
        self.port = port
    }

    private static let sharedOne = Task { try await HTTPScriptedServer() }
    /// One for all tests that do not look at `nextRequest`.
    static var shared: HTTPScriptedServer { get async throws { try await sharedOne.value } }

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
