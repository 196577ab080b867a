import Foundation
import TestServers
import Testing

/// `flotilla top`, and mailings that are stuck.
@Suite(.timeLimit(.minutes(5))) struct TopTests {
    private func top(_ fleet: Fleet) async throws -> (mailing: [String: Any], processes: [[String: Any]]) {
        let view = try view(try await fleet.run("top", "--json", "--every", "0.5"))
        let mailings = try #require(view["mailings"] as? [[String: Any]])
        return (mailings.first ?? [:], try #require(view["processes"] as? [[String: Any]]))
    }

    private func view(_ run: Program.Outcome) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any], "\(run.errors)")
    }

    private func scrape(_ port: Int) throws -> String {
        let folder = try TemporaryFolder()
        let curl = try ServerProcess(
            "curl", ["-s", "-m", "5", "http://127.0.0.1:\(port)/metrics"], package: "curl", output: folder.path("page"))
        _ = curl.wait()
        return try String(contentsOfFile: folder.path("page"), encoding: .utf8)
    }

    @Test func itShowsWhatBlocksAMailing() async throws {
        let fleet = try await Fleet(20_000, sink: [], extra: "speed: 20/s\n")
        try fleet.start("planner", "collector", "worker-1", "worker-2")
        try await eventually("it is limited: \(fleet.logs)") {
            let (mailing, processes) = try await top(fleet)
            return mailing["blocking_reason"] as? String == "limited by mailing:\(fleet.id)" && processes.count == 4
                && mailing["blocking_kind"] as? String == "limit" && processes.allSatisfy { $0["is_alive"] as? Bool == true }
                && processes.contains { $0["is_leader"] as? Bool == true && $0["role"] as? String == "planner" }
        }
        try await eventually("it is said to people") {
            let page = try await fleet.run("top", "--once")
            return page.status == 0 && page.output.contains("^ limited by mailing:\(fleet.id)")
        }
        for name in ["worker-1", "worker-2"] { try await fleet.kill(name) }
        try await eventually("nobody is there") {
            let (mailing, processes) = try await top(fleet)
            return mailing["blocking_kind"] as? String == "no_worker"
                && processes.count { $0["is_alive"] as? Bool == false } == 2
        }
        // Their batches are with nobody who works on them; the planner has more of them ready.
        let streams = try #require(try view(try await fleet.run("top", "--json", "--every", "0.1"))["lanes"] as? [[String: Any]])
        let email = try #require(streams.first { $0["channel"] as? String == "email" })
        #expect((email["in_flight"] as? Int ?? 0) > 0 && (email["oldest_seconds"] as? Double ?? 0) > 0, "\(streams)")
        #expect(try await fleet.run("top", "--once", "--every", "0.1").output.contains("lane email:"))
        #expect(try await fleet.run("mailing", "pause", fleet.id, "--by", " \n").status != 0)
        #expect(try await fleet.run("mailing", "pause", fleet.id).status == 0)
        let blockingReason = try #require(try await top(fleet).mailing["blocking_reason"] as? String)
        #expect(blockingReason.wholeMatch(of: /paused by \S+/) != nil, "\(blockingReason)")
        _ = try await fleet.run("mailing", "resume", fleet.id)
        #expect(try await fleet.run("mailing", "pause", fleet.id, "--actor", "Alice, on call").status == 0)
        #expect(try await top(fleet).mailing["blocking_reason"] as? String == "paused by Alice, on call")
        #expect(try await fleet.run("mailing", "show", fleet.id).output.contains("paused by Alice, on call"))
        #expect(try await fleet.end("planner") == 0)
        try await eventually("who ends in good order is not missed") {
            try await top(fleet).processes.allSatisfy { $0["role"] as? String != "planner" }
        }
        try await fleet.endAll()
    }

    /// The limit would allow a hundred times as much.
    @Test func aLimitThatIsNotUsedUpIsNotWhatBlocksAMailing() async throws {
        let fleet = try await Fleet(
            2000, sink: ["--latency", "100ms"], extra: "speed: 1000/s\n", environment: ["FLOTILLA_WORKER_CONCURRENCY": "1"])
        try fleet.start("planner", "collector", "worker-1")
        try await eventually("its connection is what blocks it: \(fleet.logs)") {
            let (mailing, _) = try await top(fleet)
            return mailing["blocking_kind"] as? String == "connections"
        }
        try await eventually("it is said to people") {
            try await fleet.run("mailing", "show", fleet.id).output.contains("all are in use (worker.concurrency=1 for each worker)")
        }
        #expect(try await fleet.run("mailing", "stop", fleet.id).status == 0)
        try await fleet.endAll()
    }

    @Test func whoMayOnlyReadCanWatch() async throws {
        let redis = try await RedisServer([
            "--user", "watcher", "on", ">pass", "~*", "+@read", "+info", "+time", "+client|setname",
        ])
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(3))
        let fleet = ["FLOTILLA_REDIS_URL": "unix://\(redis.socket)", "FLOTILLA_LEDGER_PATH": mailing.ledger]
        #expect(try await Program.run(["mailing", "add", mailing.mailing], environment: fleet).status == 0)
        let roles = [try RunningProgram(["planner"], environment: fleet), try RunningProgram(["collector"], environment: fleet)]
        let watcher = fleet.merging(["FLOTILLA_REDIS_USERNAME": "watcher", "FLOTILLA_REDIS_PASSWORD": "pass"]) { $1 }
        try await eventually("the watcher sees all") {
            let view = try view(try await Program.run(["top", "--json", "--every", "0.1"], environment: watcher))
            return (view["problems"] as? [String]) == [] && (view["processes"] as? [Any])?.count == 2
                && (view["mailings"] as? [[String: Any]])?.first?["blocking_kind"] as? String == "no_worker"
        }
        for role in roles {
            role.signal(SIGTERM)
            #expect(try await role.end() == 0)
        }
    }

    /// A terminal of its own: `script` of every Debian.
    @Test func theLiveViewOutlivesALedgerThatCannotBeRead() async throws {
        let redis = try await RedisServer()
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(3))
        let fleet = ["FLOTILLA_REDIS_URL": "unix://\(redis.socket)", "FLOTILLA_LEDGER_PATH": mailing.ledger]
        #expect(try await Program.run(["mailing", "add", mailing.mailing], environment: fleet).status == 0)
        let folder = try TemporaryFolder()
        let terminal = try ServerProcess(
            "script",
            ["-qefc", "echo $$ > \(folder.path("pid")); exec \(Program.path) top --every 0.1", "/dev/null"],
            package: "bsdutils", environment: Program.surroundings.merging(fleet) { $1 }, output: folder.path("screen"))
        func screens() throws -> [Substring] {
            try String(contentsOfFile: folder.path("screen"), encoding: .utf8).split(separator: "\u{1B}[H")
        }
        func rename(_ table: String, to other: String) throws {
            let shell = try ServerProcess(
                "sqlite3", ["-cmd", ".timeout 5000", mailing.ledger, "ALTER TABLE \(table) RENAME TO \(other)"], package: "sqlite3")
            #expect(shell.wait() == 0)
        }
        try await eventually("the mailing is shown") { try screens().last { $0.hasSuffix("\u{1B}[J") }?.contains("Test") == true }
        try rename("mailing", to: "gone")
        try await eventually("what is wrong is said, and the mailing is still shown") {
            try screens().contains { $0.contains("! the mailings are those of an earlier snapshot") && $0.contains("Test") }
        }
        try rename("gone", to: "mailing")
        try await eventually("all is well again") { try screens().last { $0.hasSuffix("\u{1B}[J") }?.contains("! ") == false }
        let id = try #require(pid_t(try String(contentsOfFile: folder.path("pid"), encoding: .utf8).filter(\.isNumber)))
        #expect(kill(id, SIGINT) == 0)
        #expect(terminal.wait() == 0)
    }

    @Test func aMailingThatIsStuckIsSaidToBe() async throws {
        let fleet = try await Fleet(
            30, sink: [], local: { $0 == 0 ? "stall1" : "person\($0)" },
            environment: ["FLOTILLA_PLANNER_STUCK_AFTER": "2s", "FLOTILLA_SHUTDOWN_GRACE": "1s"])
        let port = try freePort()
        try fleet.start("planner", environment: ["FLOTILLA_METRICS_LISTEN": "127.0.0.1:\(port)"])
        try fleet.start("collector", "worker-1")
        try await eventually("it is stuck: \(fleet.logs)") {
            let (mailing, _) = try await top(fleet)
            return mailing["is_stuck"] as? Bool == true && mailing["blocking_kind"] as? String == "stuck"
        }
        #expect(fleet.errors("planner").contains("is stuck: no recipient got a result for"))
        #expect(try await fleet.run("mailing", "show", fleet.id).output.contains("stuck: no recipient got a result for"))
        #expect(try await fleet.run("mailing", "report", fleet.id).output.contains("stuck: no recipient"))
        let isStuck = "flotilla_mailing_stuck{mailing=\"\(fleet.id)\"} 1\n"
        try await eventually("the planner shows it") {
            let page = try scrape(port)
            return page.contains(isStuck) && page.contains("flotilla_workers{state=\"alive\"} 1\n")
        }
        // Another worker gets the message, and the provider answers the second attempt.
        try await fleet.kill("worker-1")
        try fleet.start("worker-2")
        try await fleet.state("sent")
        try await eventually("nothing is stuck any more") { try !scrape(port).contains(isStuck) }
        #expect(try await !fleet.run("mailing", "show", fleet.id).output.contains("stuck"))
        try await fleet.endAll()
    }
}
