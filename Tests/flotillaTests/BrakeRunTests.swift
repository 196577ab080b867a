import Foundation
import TestServers
import Testing

/// A mailing to a list of which every eighth address is unknown.
@Suite(.timeLimit(.minutes(5))) struct BrakeRunTests {
    private static let share = 8

    /// Messages by the time of their response, in microseconds since 1970.
    private func answered(_ fleet: Fleet) throws -> [(at: Int64, isRefused: Bool)] {
        var answers: [(at: Int64, isRefused: Bool)] = []
        for line in try fleet.sink.lines() { answers.append((Int64(line[1]) ?? 0, line[6] == "550")) }
        return answers.sorted { $0.at < $1.at }
    }

    /// When the limit was reached: 200 messages taken, and a tenth of all refused.
    private func reached(_ answers: [(at: Int64, isRefused: Bool)]) -> Int64? {
        var (count, refused) = (0, 0)
        for answer in answers {
            (count, refused) = (count + 1, refused + (answer.isRefused ? 1 : 0))
            if count - refused >= 200, refused * 10 >= count { return answer.at }
        }
        return nil
    }

    private func isPaused(_ fleet: Fleet) throws -> Bool { try fleet.mailing.query("SELECT state FROM mailing") == ["paused"] }

    @Test func tooManyUnknownAddressesPauseWithinASecondAndAResumeCountsAnew() async throws {
        let fleet = try await Fleet(
            4_000, extra: "batch_size: 100\nspeed: 400/s\n", local: { $0 % Self.share == 0 ? "bounce-\($0)" : "person\($0)" },
            environment: ["FLOTILLA_METRICS_LISTEN": "off"])
        try fleet.start("planner", "collector-1", "collector-2", "worker-1", "worker-2")
        try await eventually("the brake pauses: \(fleet.logs)") { try isPaused(fleet) }
        let shown = try await fleet.run("mailing", "show", fleet.id).output
        #expect(shown.contains("messages of the last hour bounced for good (") && shown.contains("brake"), "\(shown)")
        let report = try await fleet.run("mailing", "report", fleet.id, "--output", "json").output
        #expect(report.contains("\"reason_kind\" : \"brake\"") && report.contains("\"level\" : \"pause\""), "\(report)")
        let audit = try await fleet.run("audit", "--mailing", fleet.id).output
        #expect(audit.contains("brake") && audit.contains("bounced for good"), "\(audit)")
        #expect(try await fleet.run("top", "--once").output.contains("bounced for good"))
        try await eventually("nothing is in flight") {
            try fleet.mailing.query("SELECT count(*) FROM progress WHERE dispatched > 0") == ["0"]
        }
        let first = try answered(fleet)
        let limit = try #require(reached(first))
        #expect((first.last?.at ?? 0) - limit < 1_000_000, "\(first.count) messages")
        #expect(first.count < 1_000)

        let resumed = try await fleet.run("mailing", "resume", fleet.id)
        #expect(resumed.status == 0, "\(resumed)")
        try await eventually("the brake pauses again: \(fleet.logs)") { try isPaused(fleet) }
        try await eventually("nothing is in flight") {
            try fleet.mailing.query("SELECT count(*) FROM progress WHERE dispatched > 0") == ["0"]
        }
        let second = Array(try answered(fleet).dropFirst(first.count))
        #expect(second.count >= 200 && second.count < 1_400, "\(second.count)")
        #expect(fleet.logs.contains("is paused by the brake"))
        let numbers = try await fleet.run("mailing", "report", fleet.id, "--output", "json").output
        #expect(numbers.contains("\"reconciled\" : true"), "\(numbers)")
        try await fleet.endAll()
    }
}
