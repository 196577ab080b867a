import Foundation
import Model
import TestServers
import Testing

@testable import Sink

/// HTTP by clients that we did not write.
@Suite struct HTTPTests {
    @Test func pythonKeepsAConnectionAndIsAnsweredEachTime() async throws {
        try await TestSink.with { sink in
            let run = try await Program.python(
                """
                import http.client, json, sys
                c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))
                ids = set()
                def post(to, body=None, **headers):
                    c.request('POST', '/hook', body if body is not None else json.dumps({'n': 1, 'to': to}), headers)
                    r = c.getresponse(); text = r.read()
                    return r.status, json.loads(text), r.headers
                for n in range(300):
                    status, answer, _ = post(f'user{n}@example.com', **{'Idempotency-Key': f'0123456789abc.0.{n}'})
                    assert status == 200; ids.add(answer['id'])
                print(len(ids))
                print(post('bounce@x')[0], post('reject@x')[0], post('defer@x')[0], post('defer@x')[0])
                print(post('', iter([b'{"to":', b'"chunked', b'@x"}']))[0])
                print(post('', b'', **{'Idempotency-Key': 'only-a-key'})[0])
                """, [sink.http])
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output == "300\n410 422 503 200\n200\n200\n")
            let records = try sink.records()
            #expect(records.count { $0.mailing == "0123456789abc" && $0.accepted } == 300)
            #expect(
                records.suffix(6).map(\.recipient) == [
                    "bounce@x", "reject@x", "defer@x", "defer@x", "chunked@x", "only-a-key",
                ])
            #expect(Set(records.map(\.connection)) == [1])
        }
    }

    @Test func curlSendsLargeBodiesAfter100Continue() async throws {
        try await TestSink.with { sink in
            let file = "\(sink.folder.path)/body"
            let url = "http://127.0.0.1:\(sink.http)/sms"
            for (size, code) in [(1 << 20, "200"), ((1 << 20) + 1, "413")] {
                for header in ["Expect: 100-continue", "Transfer-Encoding: chunked", "Expect:"] {
                    try Data(count: size).write(to: URL(fileURLWithPath: file))
                    let run = try await Program.run(
                        "curl",
                        [
                            "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", header, "--data-binary", "@\(file)",
                            url,
                        ],
                        package: "curl")
                    #expect(run.output == code, "\(size) \(header)")
                }
            }
            #expect(try sink.records().map(\.code) == [200, 200, 200, 413, 413, 413])
            #expect(try sink.records().allSatisfy { $0.channel == .sms })
        }
    }

    @Test func countsMatchThoseOfWrk() async throws {
        try await TestSink.with { sink in
            let script = "\(sink.folder.path)/post.lua"
            try Data(
                """
                wrk.method = "POST"
                wrk.body = '{"to":"b@example.com","text":"hello"}'
                function done(summary, latency, requests)
                    io.write(string.format("requests=%d status=%d\\n", summary.requests, summary.errors.status))
                end
                """.utf8
            ).write(to: URL(fileURLWithPath: script))
            let run = try await Program.run(
                "wrk", ["-t", "1", "-c", "8", "-d", "1s", "-s", script, "http://127.0.0.1:\(sink.http)/"],
                package: "wrk")
            #expect(run.status == 0, "\(run.errors)")
            let line = try #require(run.output.split(separator: "\n").first { $0.hasPrefix("requests=") })
            let requests = try #require(Int(line.dropFirst(9).prefix { $0.isNumber }))
            #expect(line.hasSuffix("status=0"))
            let counts = try await eventually { sink.running.counts.connections == 0 ? sink.running.counts : nil }
            // wrk leaves when its time has passed: a request on each connection may not have been counted.
            #expect((requests...requests + 8).contains(counts.accepted))
            #expect(try sink.records().count == counts.accepted)
        }
    }

    @Test(arguments: [
        ("POST / HTTP/1.1\r\n\r\n", "400"), ("POST / HTTP/1.1\nHost: x\n\n", "505"), ("POST / HTTP/1.1\r\nHost: x\n\n", "400"),
        ("\0\u{1}\u{2}\r\n", "400"),
        ("POST /\r\n\r\n", "505"), ("POST / HTTP/2.0\r\n\r\n", "505"), ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "405"),
        ("POST / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"), ("POST / HTTP/1.1\r\nHost : x\r\n", "400"),
        ("POST / HTTP/1.1\r\nHost: x\r\n folded\r\n", "400"), ("POST / HTTP/1.1\r\nX: a\rb\r\n", "400"),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n", "400"),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501"),
        ("POST / HTTP/1.1\r\nContent-Length: -1\r\n", "400"),
        ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n", "400"),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "400"),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n\(String(repeating: "x", count: 4097))",
            "413"
        ),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4097\r\n\r\n", "413"),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "400"),
    ])
    func brokenRequestsAreRefusedAndTheConnectionCloses(request: String, code: String) throws {
        let shared = try shared { $0.maxBodyBytes = 4096 }
        let driver = try SessionDriver<HTTPSession>(shared)
        try driver.feed(request.utf8)
        #expect(driver.text.hasPrefix("HTTP/1.1 \(code) "))
        #expect(driver.text.contains("\r\nConnection: close\r\n"))
        #expect(driver.steps == [.close])
        #expect(shared.counter.snapshot.errors == 1)
    }

    @Test func whatPrecedesAnErrorIsAnsweredFirst() throws {
        let shared = try shared { $0.latency = try SinkLatency(parsing: "50ms") }
        let driver = try SessionDriver<HTTPSession>(shared)
        try driver.feed("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}NONSENSE\r\n".utf8)
        #expect(driver.text.components(separatedBy: "HTTP/1.1 ").map { $0.prefix(3) } == ["", "200", "400"])
        #expect(driver.steps == [.hold(50_000_000), .close])
    }

    @Test func aClientThatEndsWithinARequestHasMadeNoError() throws {
        let shared = try shared()
        let driver = try SessionDriver<HTTPSession>(shared)
        try driver.feed("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{".utf8)
        driver.end()
        #expect(driver.text.isEmpty)
        #expect(shared.counter.snapshot.errors == 0)
    }

    @Test func aRequestForAnotherProtocolIsAnsweredAndTheConnectionCloses() throws {
        let driver = try SessionDriver<HTTPSession>(try shared())
        try driver.feed("POST / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}".utf8)
        try driver.feed([UInt8](repeating: UInt8(ascii: "x"), count: 200_000))
        #expect(driver.text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(driver.text.contains("\r\nConnection: close\r\n"))
        #expect(driver.steps == [.close])
    }

    @Test func headsWithoutEndAreRefused() throws {
        for piece in ["x", "X: y\r\n", "X-\(String(repeating: "a", count: 8000)): y\r\n"] {
            let driver = try SessionDriver<HTTPSession>(shared())
            try driver.feed("POST / HTTP/1.1\r\n".utf8)
            for _ in 0..<20_000 where driver.steps.isEmpty { try driver.feed(piece.utf8) }
            #expect(driver.text.hasPrefix("HTTP/1.1 431 "))
        }
    }
}
