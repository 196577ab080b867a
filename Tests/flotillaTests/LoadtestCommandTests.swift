import Foundation
import TestServers
import Testing

/// Whole load tests through the executable.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct LoadtestCommandTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let head = """
        about: "A trial"
        timeout: 90s
        sinks:
          relay: {protocol: smtp, latency: 5-40ms}
        fleet:
          workers: 1
          settings:
            worker: {lease: 1s}
            planner: {lease: 1s}
            email: {hostname: mail.example.com}
        mailings:
          - {name: news, channel: email, provider: relay, recipients: 2000, speed: 800/s}

        """

    private func run(_ text: String, _ more: String...) async throws -> (outcome: Program.Outcome, result: [String: Any]) {
        let scenario = try folder.write(Self.head + text, to: "trial.yaml")
        let json = folder.path("result.json")
        let outcome = try await Program.run(
            ["loadtest", "run", scenario, "--json", json] + more, of: .laboratory, environment: ["TMPDIR": folder.url.path])
        let data = (try? Data(contentsOf: URL(fileURLWithPath: json))) ?? Data("{}".utf8)
        return (outcome, try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:])
    }

    private func seen(_ result: [String: Any], _ what: String) -> [String: Any] {
        (result["expectations"] as? [[String: Any]])?.first { $0["what"] as? String == what } ?? [:]
    }

    @Test func aRunWithAWorkerAddedAndOneKilledIsJudgedFromTheRecord() async throws {
        let records = folder.path("records")
        let page = folder.path("report.html")
        let (outcome, result) = try await run(
            """
            script:
              - {at: 300ms, do: add, role: worker}
              - {at: 1s, do: kill, role: worker-1}
            expect:
              rate: ">= 50/s"
              memory: {worker: "<= 4GB"}
              mailings: {news: {failed: 0}}
            """, "--record", records, "--report", page)
        #expect(outcome.status == 0, "\(outcome.output)\n\(outcome.errors)")
        #expect(result["good"] as? Bool == true)
        let mailing = (result["mailings"] as? [[String: Any]])?.first ?? [:]
        #expect(mailing["recipients"] as? Int == 2_000 && mailing["arrived"] as? Int == 2_000)
        #expect(mailing["twice"] as? Int == 0 && mailing["missing"] as? Int == 0)
        for what in ["all mailings end", "losses", "duplicates", "rate", "worker: memory", "news: failed"] {
            #expect(seen(result, what)["good"] as? Bool == true, "\(what): \(seen(result, what))")
        }
        let events = (result["events"] as? [[String: Any]])?.compactMap { $0["what"] as? String }
        #expect(events == ["worker-2 added", "worker-1 killed"])
        let roles = (result["roles"] as? [[String: Any]])?.compactMap { $0["name"] as? String } ?? []
        #expect(Set(roles) == ["redis", "relay", "collector-1", "planner-1", "worker-1", "worker-2"])
        let titles = (result["panels"] as? [[String: Any]])?.compactMap { $0["title"] as? String } ?? []
        #expect(titles.contains("Messages at the sinks") && titles.contains("CPU by role"))
        // The record is what the verdict rests on: asked by hand it says the same.
        let lines = try String(contentsOfFile: records + "/relay.tsv", encoding: .utf8).split(separator: "\n")
        let ids = lines.map { $0.split(separator: "\t", omittingEmptySubsequences: false) }.filter { $0[7] == "1" }.map { $0[5] }
        #expect(Set(ids).count == 2_000)
        let html = try String(contentsOfFile: page, encoding: .utf8)
        #expect(titles.allSatisfy { html.contains($0) } && html.contains("worker-1 killed"))
        // It is whole by itself.
        #expect(!html.contains("src=\"") && !html.contains("<link") && !html.contains("url(http"))
        #expect(outcome.output.contains("trial: met"))
        let drawn = try await drawn(html)
        #expect(drawn.count == 3 && drawn[0] >= titles.count, "plots, width, its window's width: \(drawn)")
        #expect(drawn[1] <= drawn[2] && drawn[2] <= 360, "plots, width, its window's width: \(drawn)")
    }

    /// What a browser makes of a page on a phone 360 pixels wide: its plots, its width, and the window's.
    private func drawn(_ html: String) async throws -> [Int] {
        let inside = html.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "\"", with: "&quot;")
        let page = try folder.write(
            """
            <!doctype html><body><iframe width="360" height="800" style="border:0" srcdoc="\(inside)"></iframe><script>
            addEventListener("load", () => {
                const page = document.querySelector("iframe").contentDocument
                const root = page.documentElement
                const figures = [page.querySelectorAll("svg").length, root.scrollWidth, root.clientWidth]
                document.body.textContent = "drawn " + figures.join(" ") + " end"
            })
            </script>
            """, to: "phone.html")
        let browser = try ServerProcess(
            "chromium",
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir=\(folder.path("chromium"))",
                "--virtual-time-budget=5000", "--dump-dom", "file://\(page)",
            ], package: "chromium", output: folder.path("dom"), errors: folder.path("chromium.log"))
        try await eventually("the browser has drawn it", within: 120) { !browser.isRunning }
        let dom = try String(contentsOfFile: folder.path("dom"), encoding: .utf8)
        return dom.split(separator: "drawn ").dropFirst().last.map { $0.split(separator: " ").compactMap { Int($0) } } ?? []
    }

    /// Small, and beside other tests: whether all get their message, once, is asked here, and not how fast.
    @Test(arguments: [("email-1m", 0.01), ("slow-provider", 0.02), ("mixed-mailings", 0.01), ("redis-loss", 0.45)])
    func aScenarioThatShipsReachesEverybodyOnce(name: String, scale: Double) async throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let json = folder.path("result.json")
        let outcome = try await Program.run(
            ["loadtest", "run", root.appending(path: "loadtest/scenarios/\(name).yaml").path, "--scale", "\(scale)", "--json", json],
            of: .laboratory, environment: ["TMPDIR": folder.url.path], within: 240)
        #expect(outcome.status != 2, "\(outcome.output)\n\(outcome.errors)")
        let result = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: json))) as? [String: Any])
        for what in ["all mailings end", "losses", "duplicates"] {
            #expect(seen(result, what)["good"] as? Bool == true, "\(what): \(seen(result, what))")
        }
        for mailing in result["mailings"] as? [[String: Any]] ?? [] {
            #expect(mailing["arrived"] as? Int == mailing["recipients"] as? Int, "\(mailing)")
        }
    }

    @Test func anExpectationThatIsNotMetFailsTheRun() async throws {
        let (outcome, result) = try await run("expect: {rate: \">= 100000/s\", failed: 0}\n", "--recipients", "300")
        #expect(outcome.status == 1, "\(outcome.output)\n\(outcome.errors)")
        #expect(result["good"] as? Bool == false)
        #expect(seen(result, "rate")["good"] as? Bool == false)
        #expect(seen(result, "losses")["good"] as? Bool == true)
        #expect(outcome.output.contains("NOT MET"))
    }

    @Test func aScenarioThatIsWrongIsRefusedBeforeAnythingIsStarted() async throws {
        let (outcome, result) = try await run("expect: {rat: 5}\n")
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("trial.yaml:13: expect.rat: unknown key; did you mean rate?"), "\(outcome.errors)")
        #expect(result.isEmpty)
    }

    @Test func aRedisThatIsNotThereIsTold() async throws {
        let (outcome, _) = try await run("redis: redis://127.0.0.1:1\n")
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("Redis at redis://127.0.0.1:1"), "\(outcome.errors)")
    }

    @Test func aGivenRedisIsLeftAsItWas() async throws {
        let redis = try await RedisServer()
        let (outcome, _) = try await run("redis: unix://\(redis.socket)\n", "--recipients", "300")
        #expect(outcome.status == 0, "\(outcome.output)\n\(outcome.errors)")
        #expect(try redis.cli("DBSIZE") == "0\n")
    }

    private func start() async throws -> (running: RunningProgram, children: [Int32]) {
        let scenario = try folder.write(
            Self.head.replacingOccurrences(of: "speed: 800/s", with: "speed: 20/s"), to: "trial.yaml")
        let running = try RunningProgram(["loadtest", "run", scenario], of: .laboratory, environment: ["TMPDIR": folder.url.path])
        try await eventually("it sends: \(running.errors)") { running.errors.contains("trial 00:0") }
        return (running, try processes(below: running.process.pid))
    }

    @Test func aRoleThatEndsByItselfEndsTheRunAndItsLogIsNamed() async throws {
        let (running, children) = try await start()
        let worker = try #require(
            children.first { (try? String(contentsOfFile: "/proc/\($0)/cmdline", encoding: .utf8))?.contains("\0worker\0") == true })
        kill(worker, SIGKILL)
        #expect(try await running.end() == 2)
        #expect(running.errors.contains("worker-1 ended by itself") && running.errors.contains("signal 9"), "\(running.errors)")
        let log = try #require(running.errors.split(separator: "\n").first { $0.hasPrefix("Its log: ") }?.dropFirst(9))
        #expect(FileManager.default.fileExists(atPath: String(log)))
        #expect(children.allSatisfy { !Self.isAlive($0) })
    }

    @Test(arguments: [SIGINT, SIGKILL]) func nothingIsLeftBehindWhenItIsEnded(_ signal: Int32) async throws {
        let (running, _) = try await start()
        let children = try processes(below: running.process.pid)
        #expect(children.count >= 6)
        running.signal(signal)
        #expect(try await running.end() == (signal == SIGKILL ? -SIGKILL : 2))
        try await eventually("its processes have ended") { children.allSatisfy { !Self.isAlive($0) } }
        try await eventually("its folder is gone") {
            try FileManager.default.contentsOfDirectory(atPath: folder.url.path).allSatisfy { !$0.hasPrefix("flotilla-loadtest") }
        }
    }

    /// The ids of a process's children.
    private func processes(below parent: Int32) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { id in
            let stat = (try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)) ?? ""
            let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
            return fields.count > 2 && Int32(fields[2]) == parent
        }
    }

    /// A zombie that nobody has waited for yet has ended.
    private static func isAlive(_ id: Int32) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8), let end = stat.lastIndex(of: ")")
        else { return false }
        return stat[end...].split(separator: " ").dropFirst().first != "Z"
    }
}
