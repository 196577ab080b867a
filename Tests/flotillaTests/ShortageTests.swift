import Foundation
import TestServers
import Testing

/// What is needed is short, or away for some seconds: nobody is lost, and nobody gets a second message that is not listed.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ShortageTests {
    private func people(_ count: Int) -> Set<String> { Set((0..<count).map { "person\($0)@example.com" }) }

    @Test func aProcessWithFewDescriptorsSendsWithFewerConnections() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(300))
        func send(_ limit: Int) throws -> RunningProgram {
            // What the tests' own caller has open may lie above the limit.
            let close = "for file in $(ls /proc/$$/fd); do [ $file -gt 2 ] && eval \"exec $file>&-\"; done"
            let send = "exec '\(Program.path)' send '\(mailing.mailing)' --ledger '\(mailing.ledger)'"
            return try RunningProgram(shell: "\(close); ulimit -n \(limit); export FLOTILLA_METRICS_LISTEN=off; \(send)")
        }
        let refused = try send(40)
        #expect(try await refused.end() == 1 && refused.errors.contains("may open 40 files"), "\(refused.errors)")
        let running = try send(64)
        #expect(try await running.end() == 0, "\(running.errors)")
        #expect(!running.errors.contains("Too many open files"), "\(running.errors)")
        #expect(try Set(sink.arrived()) == people(300) && sink.arrived().count == 300)
    }

    /// Connections stay open, and nothing answers on them: a Redis that is paused, and one whose machine is frozen.
    @Test(arguments: [true, false]) func aRedisThatDoesNotResponseForSecondsCostsNobody(isPaused: Bool) async throws {
        let fleet = try await Fleet(800, extra: "batch_size: 50\nspeed: 200/s\n", environment: ["FLOTILLA_REDIS_TIMEOUT": "500ms"])
        try fleet.start("planner", "collector", "worker")
        try await eventually("some have arrived") { try fleet.sink.lines().count > 100 }
        if isPaused {
            _ = try fleet.redis.cli("CLIENT", "PAUSE", "2000", "ALL")
        } else {
            fleet.redis.signal(SIGSTOP)
            try await eventually("that is noticed") {
                ["worker", "planner", "collector"].contains { fleet.errors($0).contains("no reply in time") }
            }
            fleet.redis.signal(SIGCONT)
        }
        try await fleet.speed("2000/s")
        try await fleet.state("sent")
        try await fleet.endAll()
        #expect(try Set(fleet.sink.arrived()) == people(800))
        #expect(try fleet.doubled().isSubset(of: fleet.listed()), "\(fleet.logs)")
    }

    @Test func withoutACollectorRedisStaysSmallAndTheLagIsShown() async throws {
        let fleet = try await Fleet(3000, sink: [], extra: "batch_size: 50\n", environment: ["FLOTILLA_PLANNER_WINDOW": "4"])
        try fleet.start("planner", "worker")
        try await eventually("results wait, and that is shown: \(fleet.logs)") {
            let shown = Data(try await fleet.run("top", "--output", "json", "--every", "0.1").output.utf8)
            let top = try JSONSerialization.jsonObject(with: shown) as? [String: Any]
            return (top?["lag_seconds"] as? Double ?? 0) > 3
        }
        // Three windows of results that nobody has read, and one on the way.
        let sent = try fleet.sink.arrived().count
        #expect(sent > 0 && sent <= 4 * 4 * 50, "\(sent)")
        try fleet.start("collector")
        try await fleet.state("sent")
        try await fleet.endAll()
        #expect(try fleet.sink.arrived().count == 3000 && Set(fleet.sink.arrived()) == people(3000))
    }

    /// Busy to everybody, gone, back for a moment, gone again, and well: each until the fleet has noticed.
    @Test func aProviderThatComesAndGoesCostsNobodyTheMessage() async throws {
        let folder = try TemporaryFolder()
        let port = try freePort()
        var records: [String] = []
        func provider(_ arguments: String...) async throws -> RunningProgram {
            records.append(folder.path("record\(records.count)"))
            let sink = try RunningProgram(
                ["sink", "--smtp", "127.0.0.1:\(port)", "--record", records[records.count - 1]] + arguments, of: .laboratory)
            try await eventually("the provider listens: \(sink.errors)") { sink.output.contains("://") }
            return sink
        }
        func lines() -> [[Substring]] {
            records.flatMap { ((try? String(contentsOfFile: $0, encoding: .utf8)) ?? "").split(separator: "\n") }
                .map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
        }
        func arrived() -> [String] { lines().filter { $0.count > 7 && $0[7] == "1" }.map { String($0[3]) } }
        func end(_ sink: RunningProgram) async throws {
            sink.signal(SIGTERM)
            _ = try await sink.end()
        }
        let busy = try await provider("--fail", "421=1")
        let mailing = try MailingFolder(
            provider: "smtp://127.0.0.1:\(port)", recipients: MailingFolder.recipients(400), extra: "batch_size: 50\n")
        // With each failed connection in its log.
        let running = try RunningProgram(
            ["send", mailing.mailing, "--ledger", mailing.ledger], environment: ["FLOTILLA_LOG_LEVEL": "debug"])
        func failures() -> Int { running.errors.split(separator: "\n").count { $0.contains("cannot connect") } }
        try await eventually("several are refused: \(running.errors)") { lines().count { $0.count > 3 } >= 5 }
        try await end(busy)
        for _ in 1...2 {
            let known = failures()
            try await eventually("it is noticed that the provider is gone: \(running.errors)") { failures() >= known + 2 }
            let before = arrived().count
            let flapping = try await provider("--latency", "20ms")
            try await eventually("some arrive: \(running.errors)") { arrived().count > before + 5 }
            try await end(flapping)
        }
        let well = try await provider()
        #expect(try await running.end() == 0, "\(running.errors)")
        try await end(well)
        let listed = Set(try mailing.query("SELECT address FROM uncertain_delivery"))
        #expect(Set(arrived()) == people(400))
        #expect(Set(Dictionary(grouping: arrived()) { $0 }.filter { $0.value.count > 1 }.keys).isSubset(of: listed))
    }
}
