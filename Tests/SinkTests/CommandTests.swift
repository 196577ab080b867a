import Foundation
import TestServers
import Testing

@testable import Sink

/// The executable, with its signals.
@Suite struct CommandTests {
    /// `flotilla-lab` beside the tests, where one build puts both.
    private func start(_ arguments: [String]) throws -> Program.Started {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("flotilla-lab").path
        try #require(
            FileManager.default.isExecutableFile(atPath: path), "\(path) is missing: swift build --build-tests")
        return try Program.start(path, ["sink"] + arguments, package: "")
    }

    private func port(_ line: String) throws -> String {
        String(try #require(line.split(separator: ":").last))
    }

    @Test func aTermWritesEveryLineWhole() async throws {
        let folder = try TemporaryFolder()
        let sink = try start(["--smtp", "127.0.0.1:0", "--record", "\(folder.path)/r", "--stats", "--latency", "1ms"])
        let port = try port(try await sink.lines(1)[0])
        let source = try Program.start(
            "smtp-source",
            [
                "-d", "-c", "-m", "1000000", "-s", "8", "-f", "a@example.com", "-t", "b@example.com",
                "127.0.0.1:\(port)",
            ],
            package: "postfix")
        _ = try await eventually { (folder.text("r") ?? "").utf8.count > 100_000 ? true : nil }
        sink.signal(SIGTERM)
        let ended = try await sink.end()
        source.signal(SIGKILL)
        _ = try await source.end()
        #expect(ended.status == 0)
        let text = try #require(folder.text("r"))
        let records = SinkRecord.read(text)
        #expect(text.hasSuffix("\n") && records.count == text.split(separator: "\n").count)
        let last = try #require(ended.errors.split(separator: "\n").last)
        #expect(last.hasPrefix("accepted \(records.count) refused 0"), "\(last)")
    }

    /// What the client was told is in the record, though the sink was killed in the middle.
    @Test func aKillLosesNoLineWithSync() async throws {
        let folder = try TemporaryFolder()
        let sink = try start(["--http", "127.0.0.1:0", "--record", "\(folder.path)/r", "--sync"])
        let port = try port(try await sink.lines(1)[0])
        let client = try Program.start(
            "python3",
            [
                "-c",
                """
                import http.client, sys, threading
                def run(name):
                    c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1])); n = 0
                    try:
                        while True:
                            c.request('POST', '/', '{"to":"%d.%d"}' % (name, n)); r = c.getresponse(); r.read(); n += 1
                    except Exception: sys.stdout.write('%d %d\\n' % (name, n))
                threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
                for t in threads: t.start()
                for t in threads: t.join()
                """, port,
            ], package: "python3")
        _ = try await eventually { (folder.text("r") ?? "").utf8.count > 50_000 ? true : nil }
        sink.signal(SIGKILL)
        _ = try await sink.end()
        let answered = try await client.end().output.split(separator: "\n")
        #expect(answered.count == 4)
        let records = Set(SinkRecord.read(try #require(folder.text("r"))).map(\.recipient))
        for line in answered {
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            for number in 0..<numbers[1] where !records.contains("\(numbers[0]).\(number)") {
                Issue.record("\(numbers[0]).\(number) was answered and is not in the record")
            }
        }
    }

    @Test func aProfileIsImitatedAndOptionsGoBeforeIt() async throws {
        let folder = try TemporaryFolder()
        let file = "\(folder.path)/bot.yaml"
        try Data(
            """
            about: "A bot"
            protocol: http
            latency: 60s
            messages_per_connection: 2
            limit: {rate: 1/h, burst: 3, code: 429, retry_after: 7s, text: slow down}
            """.utf8
        ).write(to: URL(fileURLWithPath: file))
        let sink = try start([
            "--http", "127.0.0.1:0", "--record", "\(folder.path)/r", "--profile", file, "--latency", "0ms",
        ])
        let port = try port(try await sink.lines(1)[0])
        let run = try await Program.python(
            """
            import http.client, sys
            c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]))
            for n in range(5):
                c.request('POST', '/', '{"to":"u%d"}' % n); r = c.getresponse(); text = r.read().decode()
                print(r.status, r.headers['Retry-After'], r.headers['Connection'], text if r.status > 200 else 'taken')
            """, [port])
        sink.signal(SIGTERM)
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            run.output == """
                200 None None taken
                200 None close taken
                200 None None taken
                429 7 close {"error":"slow down"}
                429 7 None {"error":"slow down"}

                """)
        let ended = try await sink.end()
        #expect(ended.errors.contains("accepted 3 refused 2 (429: 2)"), "\(ended.errors)")
        let wrong = try await start(["--smtp", "127.0.0.1:0", "--profile", file]).end()
        #expect(wrong.status != 0 && wrong.errors.contains("speaks http"), "\(wrong.errors)")
    }

    @Test(arguments: [
        ([], "at least one of"), (["--smtp", "2525"], "host:port"), (["--smtps", "127.0.0.1:0"], "certificate"),
        (["--smtp", "127.0.0.1:0", "--fail", "550"], "550=0.05"),
        (["--smtp", "127.0.0.1:0", "--record", "/no/file"], "/no/file"),
        (["--smtp", "127.0.0.1:0", "--without", "dsn"], "8bitmime"),
        (["--smtp", "127.0.0.1:0", "--profile", "/no/profile.yaml"], "/no/profile.yaml: there is no such file"),
        (["--smtp", "127.0.0.1:0", "--limit", "100"], "500/s"),
        (["--smtp", "127.0.0.1:0", "--limit", "9/s;code=200"], "400 to 599"),
        (["--smtp", "127.0.0.1:0", "--latency", "p50:9ms"], "p50:120ms,p99:900ms"),
        (["--smtp", "127.0.0.1:0", "--messages-per-connection=-1"], "from 0"),
        (["--smtp", "192.0.2.1:25"], "192.0.2.1:25"),
        (["--http", "127.0.0.1:0", "--certificate", "/no/file", "--key", "/no/key"], "/no/file"),
    ])
    func wrongOptionsAreRefusedWithTheWayOut(arguments: [String], hint: String) async throws {
        let ended = try await start(arguments).end()
        #expect(ended.status != 0)
        #expect(ended.errors.contains(hint), "\(ended.errors)")
    }
}
