import Foundation
import TestServers
import Testing

/// `flotilla top`, and mailings that do not get on.
@Suite(.timeLimit(.minutes(5))) struct TopTests {
    private func top(_ fleet: Fleet) async throws -> (mailing: [String: Any], processes: [[String: Any]]) {
        let run = try await fleet.run("top", "--json", "--every", "0.5")
        let view = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any], "\(run.errors)")
        let mailings = try #require(view["mailings"] as? [[String: Any]])
        return (mailings.first ?? [:], try #require(view["processes"] as? [[String: Any]]))
    }

    private func scrape(_ port: Int) throws -> String {
        let folder = try TemporaryFolder()
        let curl = try ServerProcess(
            "curl", ["-s", "-m", "5", "http://127.0.0.1:\(port)/metrics"], package: "curl", output: folder.path("page"))
        _ = curl.wait()
        return try String(contentsOfFile: folder.path("page"), encoding: .utf8)
    }

    @Test func itShowsWhatHoldsAMailingUp() async throws {
        let fleet = try await Fleet(20_000, sink: [], extra: "speed: 20/s\n")
        try fleet.start("planner", "collector", "worker-1", "worker-2")
        try await eventually("it is throttled: \(fleet.logs)") {
            let (mailing, processes) = try await top(fleet)
            return mailing["holdup"] as? String == "throttled by mailing:\(fleet.id)" && processes.count == 4
                && processes.allSatisfy { $0["isAlive"] as? Bool == true }
                && processes.contains { $0["hasDuty"] as? Bool == true && $0["role"] as? String == "planner" }
        }
        let page = try await fleet.run("top", "--once")
        #expect(page.status == 0 && page.output.contains("^ throttled by mailing:\(fleet.id)"))
        for name in ["worker-1", "worker-2"] { try await fleet.kill(name) }
        try await eventually("nobody is there") {
            let (mailing, processes) = try await top(fleet)
            return mailing["holdup"] as? String == "no worker that serves email is alive"
                && processes.count { $0["isAlive"] as? Bool == false } == 2
        }
        _ = try await fleet.run("mailing", "pause", fleet.id)
        #expect(try await top(fleet).mailing["holdup"] as? String == "paused by hand")
        #expect(try await fleet.end("planner") == 0)
        try await eventually("who ends in good order is not missed") {
            try await top(fleet).processes.allSatisfy { $0["role"] as? String != "planner" }
        }
        try await fleet.endAll()
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
            return mailing["isStuck"] as? Bool == true && (mailing["holdup"] as? String ?? "").hasPrefix("stuck: nobody got a result")
        }
        #expect(fleet.errors("planner").contains("is stuck: nobody got a result for"))
        #expect(try await fleet.run("mailing", "show", fleet.id).output.contains("stuck: nobody got a result for"))
        #expect(try await fleet.run("mailing", "report", fleet.id).output.contains("stuck: nobody"))
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
