import Foundation
import TestServers
import Testing

/// `flotilla-lab simulate`, and whether what it says is so.
@Suite(.serialized, .timeLimit(.minutes(6)))
struct SimulateTests {
    /// What a real run may take by what is said: within 5 % where the machine is ours alone and says so. Beside other tests, which take
    /// their part of it, a run may take longer, and a gross fault is found.
    private static let fits: ClosedRange<Double> =
        ProcessInfo.processInfo.environment["FORECAST_BOUND"].flatMap { Double($0) }.map { (1 - $0)...(1 + $0) } ?? 0.75...6

    private func simulate(_ scenario: String, _ arguments: [String] = []) async throws -> Program.Outcome {
        let folder = try TemporaryFolder()
        let file = try folder.write(scenario, to: "case.yaml")
        return try await Program.run(["simulate", file] + arguments, of: .laboratory)
    }

    /// The forecast of a mailing: seconds from its first message to its last response.
    private func forecast(_ scenario: String) async throws -> (seconds: Double, document: [String: Any]) {
        let outcome = try await simulate(scenario, ["--json"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        let document = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any] ?? [:]
        let forecast = try #require(document["forecast"] as? [String: Any])
        let mailing = try #require((forecast["mailings"] as? [[String: Any]])?.first)
        return (
            try #require(mailing["ends"] as? Double) - #require(mailing["begins"] as? Double), forecast
        )
    }

    /// The same by a real fleet, told from the sink's record; and the slots that its workers woke up too late for.
    private func run(
        _ count: Int, sink: [String], latency: Double, mailing: String, environment: [String: String] = [:]
    ) async throws -> (seconds: Double, attempts: Int, dropped: Int) {
        let fleet = try await Fleet(count, sink: sink, extra: mailing, environment: environment)
        let ports = try (0..<2).map { _ in try freePort() }
        try fleet.start("collector", "planner")
        for (number, port) in ports.enumerated() {
            try fleet.start("worker-\(number)", environment: ["FLOTILLA_METRICS_LISTEN": "127.0.0.1:\(port)"])
        }
        try await fleet.state("sent")
        var dropped = 0
        for port in ports { dropped += try await Self.dropped(port) }
        try await fleet.endAll()
        let lines = try fleet.sink.lines()
        let begun = lines.compactMap { Double($0[0]) }.min() ?? 0
        let decided = lines.compactMap { Double($0[1]) }.max() ?? 0
        return ((decided - begun) / 1e6 + latency, lines.count, dropped)
    }

    private static func page(_ port: Int) throws -> String {
        let folder = try TemporaryFolder()
        let curl = try ServerProcess(
            "curl", ["-s", "-m", "5", "http://127.0.0.1:\(port)/metrics"], package: "curl", output: folder.path("page"))
        _ = curl.wait()
        return try String(contentsOfFile: folder.path("page"), encoding: .utf8)
    }

    private static func dropped(_ port: Int) async throws -> Int {
        try page(port).split(separator: "\n")
            .filter { $0.hasPrefix("flotilla_throttle_reservations_dropped_total{") }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0) { $0 + Int($1) }
    }

    @Test func aLimitHoldsBackAsLongAsIsSaid() async throws {
        let said = try await forecast(
            """
            about: A limit, and a provider that takes its time
            sinks: {relay: {protocol: smtp, latency: 20ms}}
            fleet: {workers: 2}
            mailings: [{name: news, channel: email, provider: relay, recipients: 500, speed: 100/s}]
            """)
        #expect(abs(said.seconds - 5.04) < 0.1, "\(said.seconds)")
        // A machine that is busy with other tests wakes workers up too late for some slots, which then pass; they are no part of the rules.
        var seen: [String] = []
        for _ in 1...4 {
            let real = try await run(500, sink: ["--latency", "20ms"], latency: 0.02, mailing: "speed: 100/s\n")
            let able = real.seconds * 500 / Double(500 + real.dropped)
            seen.append("\(real.seconds) s with \(real.dropped) slots dropped")
            if Self.fits.contains(able / said.seconds) { return }
        }
        Issue.record("said to take \(said.seconds) s, took \(seen)")
    }

    @Test func aSlowProviderHoldsBackAsLongAsIsSaid() async throws {
        let said = try await forecast(
            """
            about: Connections, not CPU
            sinks: {relay: {protocol: smtp, latency: 800-1200ms}}
            fleet: {workers: 2}
            mailings: [{name: news, channel: email, provider: relay, recipients: 200, batch_size: "5"}]
            """)
        var seen: [Double] = []
        for _ in 1...4 {
            // A worker takes more than it can send at once, as a rule: here each takes its half of so few.
            let real = try await run(
                200, sink: ["--latency", "800-1200ms"], latency: 1, mailing: "batch_size: 5\n", environment: ["FLOTILLA_WORKER_GROUP": "1"])
            seen.append(real.seconds)
            if Self.fits.contains(seen[seen.count - 1] / said.seconds) { return }
        }
        Issue.record("said to take \(said.seconds) s, took \(seen)")
    }

    @Test func retriesTakeAsLongAsIsSaid() async throws {
        let said = try await forecast(
            """
            about: A tenth is refused for now
            sinks: {relay: {protocol: smtp, latency: 20ms, fail: "450=0.1;status=4.2.0,550=0.05"}}
            fleet: {workers: 2, settings: {worker: {retry_base: 200ms, retry_cap: 1s}}}
            mailings: [{name: news, channel: email, provider: relay, recipients: 2000, speed: 400/s, batch_size: "100"}]
            """)
        let attempts = try #require(said.document["attempts"] as? Int)
        // A run with another seed has another few retries at its end; the attempts are as many.
        let real = try await run(
            2000, sink: ["--latency", "20ms", "--fail", "450=0.1;status=4.2.0,550=0.05"], latency: 0.02,
            mailing: "speed: 400/s\nbatch_size: 100\n", environment: ["FLOTILLA_BRAKE_BOUNCES_DAY": "off"])
        #expect(abs(Double(real.attempts) / Double(attempts) - 1) < 0.03, "\(real.attempts) attempts, \(attempts) said")
    }

    /// A scenario as it is forecast and as it runs: seconds from the first message to the last response, of all and of those in a domain.
    private func run(_ scenario: String, latency: Double, domain: String) async throws -> (all: Double, domain: Double, inDomain: Int) {
        let folder = try TemporaryFolder()
        let file = try folder.write(scenario, to: "case.yaml")
        let outcome = try await Program.run(["loadtest", "run", file, "--record", folder.path("records"), "--quiet"], of: .laboratory)
        try #require(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        let lines = try String(contentsOfFile: folder.path("records/relay.tsv"), encoding: .utf8).split(separator: "\n").map {
            $0.split(separator: "\t")
        }
        func seconds(_ lines: [[Substring]]) -> Double {
            let begun = lines.compactMap { Double($0[0]) }.min() ?? 0
            return ((lines.compactMap { Double($0[1]) }.max() ?? 0) - begun) / 1e6 + latency
        }
        let own = lines.filter { $0[3].hasSuffix("@\(domain)") }
        return (seconds(lines), seconds(own), own.count)
    }

    @Test func aDomainsLimitHoldsBackItsShareAsLongAsIsSaid() async throws {
        let scenario = """
            about: A third belongs to a domain that is sent little
            sinks: {relay: {protocol: smtp, latency: 20ms}}
            fleet: {workers: 2, settings: {domains: {slow: {names: [slow.example], limit: 40/s}}}}
            mailings: [{name: news, channel: email, provider: relay, recipients: 480, batch_size: "40", domains: {slow.example: 1/3}}]
            """.replacingOccurrences(of: "1/3", with: "33.3%")
        let said = try await forecast(scenario)
        #expect(abs(said.seconds - 4.02) < 0.1, "\(said.seconds)")
        var seen: [Double] = []
        for _ in 1...4 {
            let real = try await run(scenario, latency: 0.02, domain: "slow.example")
            #expect((158...162).contains(real.inDomain))
            seen.append(real.all)
            if Self.fits.contains(real.all / said.seconds) { return }
        }
        Issue.record("said to take \(said.seconds) s, took \(seen)")
    }

    @Test func whatTheScriptDoesIsFollowedOrNamed() async throws {
        let start = """
            about: Things end
            sinks: {relay: {protocol: smtp, latency: 20ms}}
            fleet: {workers: 2}
            mailings: [{name: news, channel: email, provider: relay, recipients: 30000, speed: 500/s}]
            script:

            """
        let plain = try await forecast(start.replacingOccurrences(of: "script:\n", with: ""))
        func takes(_ script: String) async throws -> (seconds: Double, output: String) {
            let outcome = try await simulate(start + script, ["--json"])
            try #require(outcome.status == 0, "\(outcome.errors)")
            let document = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
            let mailing = ((document?["forecast"] as? [String: Any])?["mailings"] as? [[String: Any]])?.first
            return (try #require(mailing?["ends"] as? Double) - #require(mailing?["begins"] as? Double) - plain.seconds, outcome.output)
        }
        // All that are frozen are thawed; where nobody is, nobody comes.
        let frozen = try await takes(
            "  - {at: 10s, do: freeze, role: worker, count: 2}\n  - {at: 20s, do: thaw, role: worker}\n"
                + "  - {at: 30s, do: thaw, role: worker}\n")
        #expect(abs(frozen.seconds - 10) < 0.5, "\(frozen.seconds)")
        #expect(frozen.output.contains("'thaw worker' at 30 s changes nothing: there is none"), "\(frozen.output)")
        #expect(frozen.output.contains("'freeze 2 worker' at 10 s, not followed: its batches wait 10 s"), "\(frozen.output)")
        // One after the other is nothing; both that are there at once is their absence.
        let rolling = try await takes("  - {at: 10s, do: restart, role: worker, each: 2s}\n")
        #expect(abs(rolling.seconds) < 0.3, "\(rolling.seconds)")
        let both = try await takes("  - {at: 10s, do: restart, role: worker-1}\n  - {at: 10s, do: restart, role: worker-2}\n")
        #expect(both.seconds > 0.4 && both.seconds < 0.8, "\(both.seconds)")
        // A second planner stands by; without one nothing is dispatched.
        let planner = try await takes("  - {at: 10s, do: kill, role: planner}\n  - {at: 40s, do: add, role: planner}\n")
        #expect(planner.seconds > 20 && planner.seconds < 26, "\(planner.seconds)")
        #expect(planner.output.contains("no_planner"))
        let standby = try await takes("  - {at: 5s, do: add, role: planner}\n  - {at: 10s, do: kill, role: planner-1}\n")
        #expect(abs(standby.seconds) < 0.1, "\(standby.seconds)")
        // A frozen one has the leadership until its lease has expired: ten seconds, of which the batches of two workers fill seven.
        let lease = try await takes("  - {at: 5s, do: add, role: planner}\n  - {at: 10s, do: freeze, role: planner-1}\n")
        #expect(abs(lease.seconds - 3) < 0.5, "\(lease.seconds)")
        let redis = try await takes("  - {at: 10s, do: kill, role: redis}\n  - {at: 15s, do: add, role: redis}\n")
        #expect(abs(redis.seconds - 8) < 0.5, "\(redis.seconds)")
        #expect(
            redis.output.contains("'kill redis' at 10 s, not followed: recipients that are uncertain because Redis was lost"),
            "\(redis.output)")
        let sink = try await takes("  - {at: 10s, do: restart, role: \"sink:relay\"}\n")
        #expect(sink.seconds > 0.2 && sink.seconds < 15, "\(sink.seconds)")
    }

    @Test func aPersonIsToldWhatItTakes() async throws {
        let scenario = """
            about: Fifty million
            sinks: {relay: {protocol: smtp, latency: 20-28ms, fail: "450=0.01;status=4.2.0"}}
            fleet: {workers: 4, settings: {providers: {relay: {limit: 500/s}}}}
            mailings: [{name: news, channel: email, provider: relay, recipients: 1000, lifetime: 3d}]
            script:
              - {at: 60s, do: add, role: worker, count: 2}
              - {at: 3600s, do: freeze, role: "sink:relay"}
              - {at: 4200s, do: thaw, role: "sink:relay"}
            """
        let outcome = try await simulate(scenario, ["--recipients", "50000000"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        for text in [
            "50,000,000 take 29 h", "the limit of provider:relay", "12 connections", "Redis", "498/s", "unavailable 10 min",
            "Ledger   grows by 10 GB",
        ] {
            #expect(outcome.output.contains(text), "\(text): \(outcome.output)")
        }
        let less = try await simulate(scenario, ["--recipients", "5000", "--workers", "1", "--json"])
        #expect(less.output.contains("\"workers\" : 1") && less.output.contains("\"sent\" : 5000"), "\(less)")
        let bad = try await simulate(scenario.replacingOccurrences(of: "latency: 20-28ms", with: "latensy: 20ms"))
        #expect(bad.status != 0 && bad.errors.contains("case.yaml:2"), "\(bad)")
    }
}
