import Foundation
import TestServers
import Testing

/// The logs of all roles, read side by side.
@Suite(.timeLimit(.minutes(5))) struct MessageWayTests {
    @Test func aMessageIsFollowedByItsIdThroughAllRoles() async throws {
        let fleet = try await Fleet(
            7, extra: "batch_size: 3\n", environment: ["FLOTILLA_LOG_LEVEL": "trace", "FLOTILLA_LOG_FORMAT": "json"])
        try fleet.start("planner", "collector", "worker")
        try await fleet.state("sent")
        try await fleet.endAll()
        let sent = try fleet.sink.lines()
        #expect(sent.count == 7)
        for message in sent {
            // As the receiving side has it: the Message-ID's part before the host.
            let id = try #require(message[5].split(separator: "@").first.map(String.init))
            let parts = id.split(separator: ".").map(String.init)
            func way(_ role: String) throws -> [String] {
                try lines(fleet, role).filter { $0["message_id"] == id }.map { line in
                    #expect(line["mailing"] == fleet.id && line["batch"] == parts[1] && line["provider"] == fleet.sink.url, "\(line)")
                    if role != "planner" { #expect(line["worker"]?.isEmpty == false) }
                    return line["message"] ?? ""
                }
            }
            #expect(parts.first == fleet.id && parts.count == 3)
            #expect(try way("planner") == ["dispatched, attempt 1"])
            #expect(try way("worker") == ["sending, attempt 1", "response: accepted"])
            #expect(try way("collector") == ["written: sent, attempt 1"])
        }
        #expect(try lines(fleet, "worker").contains { $0["recipient"] == "p***@example.com" })
        for role in ["planner", "worker", "collector"] { #expect(!fleet.errors(role).contains("person")) }
        let planned = try lines(fleet, "planner").filter { $0["message"]?.contains("is planned") == true }
        #expect(planned.map { $0["provider"] } == [fleet.sink.url])
    }

    /// A role's log, of each line the fields that are text.
    private func lines(_ fleet: Fleet, _ role: String) throws -> [[String: String]] {
        try fleet.errors(role).split(separator: "\n").map { line in
            let fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            return fields.compactMapValues { $0 as? String }
        }
    }
}
