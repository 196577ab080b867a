import Foundation
import TestServers
import Testing

@Suite struct DoctorCommandTests {
    private struct Finding: Decodable {
        var severity: String
        var check: String
        var what: String
    }

    private static func findings(_ outcome: Program.Outcome) throws -> [Finding] {
        try JSONDecoder().decode([Finding].self, from: Data(outcome.output.utf8))
    }

    @Test("A machine's faults are all found, and nothing is made")
    func machine() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            """
            redis:
              url: redis://127.0.0.1:\(try freePort())
            ledger:
              path: \(folder.path("ledger.sqlite"))
            email:
              dkim: \(folder.path("keys"))
            providers:
              relay:
                url: smtp://127.0.0.1:\(try freePort())
            """, to: "flotilla.yaml")
        let outcome = try await Program.run(["doctor", "--config", file, "--output", "json", "--timeout", "5"])
        #expect(outcome.status == 2)
        let found = try Self.findings(outcome)
        #expect(Set(found.filter { $0.severity == "fault" }.map(\.check)) == ["Redis", "DKIM", "provider relay"])
        #expect(found.contains { $0.check == "ledger" && $0.severity == "ok" })
        #expect(!FileManager.default.fileExists(atPath: folder.path("ledger.sqlite")))
    }

    @Test("A provider's log-in is tried, and nothing is sent")
    func login() async throws {
        let folder = try TemporaryFolder()
        let port = try freePort()
        let sink = try RunningProgram(["sink", "--smtp", "127.0.0.1:\(port)", "--credentials", "joe:secret"], of: .laboratory)
        defer { sink.signal(SIGTERM) }
        func provider(_ name: String, _ password: String) -> String {
            "  \(name):\n    url: smtp://127.0.0.1:\(port)\n    username: joe\n    password: \(password)\n"
        }
        let file = try folder.write("providers:\n\(provider("right", "secret"))\(provider("wrong", "other"))", to: "flotilla.yaml")
        chmod(file, 0o600)
        try await eventually("the log-in is judged") {
            let found = try Self.findings(try await Program.run(["doctor", "--config", file, "--output", "json", "--timeout", "5"]))
            return found.contains { $0.check == "provider right" && $0.severity == "ok" && $0.what.contains("takes the log-in") }
                && found.contains { $0.check == "provider wrong" && $0.severity == "fault" && $0.what.contains("Login denied") }
        }
    }

    @Test("A Redis that evicts is a fault")
    func eviction() async throws {
        let folder = try TemporaryFolder()
        let socket = folder.path("redis.sock")
        let redis = try ServerProcess(
            "redis-server",
            ["--port", "0", "--unixsocket", socket, "--save", "", "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"],
            package: "redis-server")
        defer { redis.stop() }
        try await eventually("Redis listens") { FileManager.default.fileExists(atPath: socket) }
        let file = try folder.write("redis:\n  url: unix://\(socket)\nledger:\n  path: \(folder.path("l"))\n", to: "flotilla.yaml")
        let found = try Self.findings(try await Program.run(["doctor", "--config", file, "--output", "json"]))
        #expect(found.contains { $0.check == "Redis" && $0.severity == "fault" && $0.what.contains("allkeys-lru") })
        #expect(found.contains { $0.check == "clock" && $0.severity == "ok" })
    }

    @Test("A domain is checked by the server that is named, and controls of its answers are escaped")
    func domain() async throws {
        let folder = try TemporaryFolder()
        let server = try await NameServer(
            zone: """
                @ IN TXT "v=spf1 \\027[31m -all"
                @ IN MX 10 ns
                """)
        let config = try folder.write("redis: {}\n", to: "flotilla.yaml")
        let arguments = ["doctor", "--config", config, "--domain", "example.net", "--dns", server.address, "--timeout", "10"]
        let outcome = try await Program.run(arguments)
        #expect(outcome.status == 2)
        #expect(!outcome.output.contains("\u{1B}"))
        #expect(outcome.output.contains("which is no term of SPF"))
        #expect(outcome.output.contains("MX: example.net: ns.example.net"))
    }

    @Test("A configuration that is wrong does not hide what DNS says")
    func configuration() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("planner:\n  window: many\n", to: "flotilla.yaml")
        let outcome = try await Program.run(
            [
                "doctor", "--config", file, "--domain", "example.net", "--dns", "127.0.0.1:\(try freePort())", "--timeout", "1", "--output",
                "json",
            ])
        #expect(outcome.status == 2)
        let found = try Self.findings(outcome)
        #expect(found.first?.check == "configuration")
        #expect(found.contains { $0.check == "SPF" && $0.severity == "warning" })
    }

    @Test(
        "A command line that is wrong is refused",
        arguments: [
            ["--ip", "192.0.2.1"], ["--domain", "a b"], ["--domain", "example.net", "--ip", "x"], ["--timeout", "0"],
            ["--domain", "example.net", "--dns", "x"],
        ])
    func usage(arguments: [String]) async throws {
        #expect(try await Program.run(["doctor"] + arguments).status == 64)
    }
}
