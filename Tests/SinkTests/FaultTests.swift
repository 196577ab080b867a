import Foundation
import Model
import TestServers
import Testing

@testable import Sink

/// What goes wrong when it is told to, seen from the client.
@Suite struct FaultTests {
    /// Sends to each address over a connection of its own, or over one as long as it lives, and prints the last code.
    static let client = """
        import smtplib, sys
        port, addresses = int(sys.argv[1]), sys.argv[2:]
        s = None
        for a in addresses:
            for attempt in range(4):
                try:
                    if s is None: s = smtplib.SMTP('127.0.0.1', port, timeout=60)
                    if a.startswith('stall'): s.sock.settimeout(2)
                    s.sendmail('a@example.com', [a], 'Subject: x\\r\\n\\r\\nx\\r\\n')
                    print(a, 250); break
                except smtplib.SMTPRecipientsRefused as e:
                    code = e.recipients[a][0]; print(a, code)
                    if code == 421: s.close(); s = None
                except smtplib.SMTPResponseException as e:
                    print(a, e.smtp_code)
                    if e.smtp_code == 421: s.close(); s = None
                except (smtplib.SMTPServerDisconnected, TimeoutError, OSError) as e:
                    print(a, 'timeout' if 'timed out' in str(e) else 'gone'); s.close(); s = None
        """

    @Test func addressesMisbehaveByName() async throws {
        try await TestSink.with { sink in
            let run = try await Program.python(
                Self.client, [sink.smtp, "drop@x.y", "lost2@x.y", "stall@x.y", "defer3@x.y"])
            #expect(run.status == 0, "\(run.errors)")
            #expect(
                run.output.split(separator: "\n") == [
                    "drop@x.y gone", "drop@x.y 250", "lost2@x.y gone", "lost2@x.y gone", "lost2@x.y 250",
                    "stall@x.y timeout", "stall@x.y 250", "defer3@x.y 450", "defer3@x.y 450", "defer3@x.y 450",
                    "defer3@x.y 250",
                ])
            // What was taken without a response is in the record as taken: the sender cannot know, the record does.
            let lost = try sink.records().filter { $0.recipient == "lost2@x.y" }
            #expect(lost.map(\.accepted) == [true, true, true] && lost.map(\.code) == [0, 0, 250])
            #expect(sink.running.counts.unanswered == 2 && sink.running.counts.dropped == 2)
        }
    }

    @Test func aProfileFailsItsShareAndAgainTheSame() async throws {
        var outputs: [String] = []
        for _ in 0..<2 {
            try await TestSink.with { configuration in
                configuration.failures = try FailureProfile(parsing: "550=0.1,450=0.1,421=0.05,data:554=0.1,drop=0.05")
                configuration.seed = 42
            } body: { sink in
                let run = try await Program.python(Self.client, [sink.smtp] + (0..<200).map { "u\($0)@example.com" })
                #expect(run.status == 0, "\(run.errors)")
                outputs.append(run.output)
                let codes = run.output.split(separator: "\n").compactMap { $0.split(separator: " ").last }
                let records = try sink.records()
                #expect(records.map { $0.code == 0 ? "gone" : "\($0.code)" } == codes.map(String.init))
                for code in [550, 450, 421, 554, 0] { #expect(records.contains { $0.code == code }) }
                #expect(sink.running.counts.accepted == records.count(where: \.accepted))
            }
        }
        #expect(outputs[0] == outputs[1])
    }

    @Test func webFaultsAreAnsweredWithRetryAfter() async throws {
        try await TestSink.with { configuration in
            configuration.failures = try FailureProfile(parsing: "429=0.3;retry-after=2s,503=0.2,http:drop-after=0.1")
        } body: { sink in
            let run = try await Program.python(
                """
                import http.client, sys
                seen = {}
                for n in range(300):
                    if n == 0 or not c.sock: c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))
                    try:
                        c.request('POST', '/', '{"to":"u%d"}' % n)
                        r = c.getresponse(); r.read()
                        key = f"{r.status} {r.headers.get('Retry-After')}"
                    except http.client.RemoteDisconnected: key = 'gone'; c.close()
                    seen[key] = seen.get(key, 0) + 1
                for k in sorted(seen): print(k, seen[k])
                """, [sink.http])
            #expect(run.status == 0, "\(run.errors)")
            var seen: [String: Int] = [:]
            for line in run.output.split(separator: "\n") {
                let words = line.split(separator: " ")
                seen[words.dropLast().joined(separator: " ")] = words.last.flatMap { Int($0) }
            }
            let records = try sink.records()
            #expect(seen["200 None"] == records.count { $0.code == 200 })
            #expect(seen["429 2"] == records.count { $0.code == 429 } && (60...120).contains(seen["429 2"] ?? 0))
            #expect(seen["503 None"] == records.count { $0.code == 503 } && (35...90).contains(seen["503 None"] ?? 0))
            #expect(
                seen["gone"] == records.count { $0.code == 0 && $0.accepted } && (10...60).contains(seen["gone"] ?? 0))
        }
    }

    @Test func latencyHoldsOneConnectionAndNotTheOthers() async throws {
        try await TestSink.with {
            $0.latency = try SinkLatency(parsing: "500ms")
        } body: { sink in
            let run = try await Program.python(
                """
                import socket, sys, threading, time
                message = b'MAIL FROM:<a@b>\\r\\nRCPT TO:<c@d>\\r\\nDATA\\r\\nSubject: x\\r\\n\\r\\nx\\r\\n.\\r\\n'
                def smtp():
                    s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); f = s.makefile('rb')
                    f.readline(); s.sendall(b'HELO x\\r\\n' + message * 3 + b'NOOP\\r\\nQUIT\\r\\n')
                    codes = [line[:9] for line in f]
                    assert codes[1:] == [b'250 2.1.0', b'250 2.1.5', b'354 End d', b'250 2.0.0'] * 3 + [b'250 2.0.0', b'221 2.0.0'], codes
                def http():
                    s = socket.create_connection(('127.0.0.1', int(sys.argv[2])))
                    s.sendall(b'POST / HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2\\r\\n\\r\\n{}' * 3); s.shutdown(socket.SHUT_WR)
                    assert s.makefile('rb').read().count(b'HTTP/1.1 200') == 3
                start = time.monotonic()
                threads = [threading.Thread(target=t) for t in [smtp, http] * 20]
                for t in threads: t.start()
                for t in threads: t.join()
                print(time.monotonic() - start)
                """, [sink.smtp, sink.http])
            #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
            let seconds = try #require(Double(run.output.dropLast()))
            // Three after one another on each connection, forty connections side by side: one after another would take a minute.
            #expect((1.5..<30).contains(seconds))
            #expect(sink.running.counts.accepted == 120)
        }
    }

    @Test func aStopGivesTheResponsesThatAreHeldBack() async throws {
        let folder = try TemporaryFolder()
        var configuration = SinkConfiguration(listeners: [.init(scheme: .http)])
        configuration.record = "\(folder.path)/record.tsv"
        configuration.latency = try SinkLatency(parsing: "60s")
        let running = try await SinkServer.start(configuration: configuration, logger: TestSink.quiet)
        let curl = try Program.start(
            "curl",
            ["-s", "-w", "%{http_code}", "-d", "{\"to\":\"x\"}", "http://127.0.0.1:\(running.port(.http) ?? 0)/"],
            package: "curl")
        _ = try await eventually { running.counts.accepted == 1 ? true : nil }
        await running.stop()
        #expect(try await curl.end().output.hasSuffix("200"))
        #expect(SinkRecord.read(try #require(folder.text("record.tsv"))).map(\.accepted) == [true])
    }

    @Test func connectionsAboveTheLimitAreRefused() async throws {
        try await TestSink.with {
            $0.maxConnections = 2
        } body: { sink in
            let run = try await Program.python(
                """
                import socket, sys
                keep = [socket.create_connection(('127.0.0.1', int(sys.argv[1]))) for _ in range(2)]
                for s in keep: assert s.recv(3) == b'220'
                for port in sys.argv[1:3]:
                    s = socket.create_connection(('127.0.0.1', int(port)))
                    print(s.makefile('rb').read().split(b'\\r\\n')[0].decode())
                """, [sink.smtp, sink.http])
            #expect(run.output == "421 4.7.0 too many connections\nHTTP/1.1 503 Service Unavailable\n", "\(run.errors)")
            #expect(sink.running.counts.accepted == 0)
        }
    }
}
