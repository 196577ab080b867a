import Foundation
import Settings
import TestServers
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// What a provider tells of a fleet's messages, by a webhook that a file defines.
@Suite(.timeLimit(.minutes(10))) struct ReceiptTests {
    private let folder: TemporaryFolder
    private let port: Int
    private let environment: [String: String]

    private static let definition = """
        signature: {token: header X-Token}
        event: event
        words:
          - {word: delivered, kind: delivered}
          - {word: bounce, kind: bounced}
          - {word: complaint, kind: complained}
        message_id: id
        time: at
        detail: text
        """

    init() throws {
        folder = try TemporaryFolder()
        port = try freePort()
        let (keys, definition) = (folder.path("keys"), folder.path("own.yaml"))
        try TrackerKeyFile.make(keys)
        try Self.definition.write(toFile: definition, atomically: true, encoding: .utf8)
        environment = [
            "FLOTILLA_TRACKER_URL": "https://t.example.com", "FLOTILLA_TRACKER_KEYS": keys,
            "FLOTILLA_TRACKER_LISTEN": "127.0.0.1:\(port)", "FLOTILLA_TRACKER_SPOOL": folder.path("spool"),
            "FLOTILLA_TRACKER_WEBHOOKS_OWN_KIND": definition, "FLOTILLA_TRACKER_WEBHOOKS_OWN_SECRET": "word",
        ]
    }

    private func tell(_ receipts: [[String: Any]], token: String = "word") async throws -> Int {
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)/h/own")))
        request.httpMethod = "POST"
        request.setValue(token, forHTTPHeaderField: "X-Token")
        request.httpBody = try JSONSerialization.data(withJSONObject: receipts)
        let (_, response) = try await URLSession.shared.data(for: request)
        return try #require(response as? HTTPURLResponse).statusCode
    }

    private func start(_ fleet: Fleet) async throws {
        try fleet.start("tracker")
        try await eventually("the tracker listens: \(fleet.errors("tracker"))") { canConnect(port) }
    }

    /// Recipients by state, as the report has them.
    private func states(_ fleet: Fleet) async throws -> [String: Int] {
        let outcome = try await fleet.run("mailing", "report", fleet.id, "--output", "json")
        let report = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        return try #require(report["states"] as? [String: Int]).filter { $0.value > 0 }
    }

    @Test func whatWasAnsweredCountsOnceOverAnyEnd() async throws {
        let fleet = try await Fleet(60, environment: environment)
        try fleet.start("planner", "worker", "collector")
        try await start(fleet)
        try await fleet.state("sent")
        #expect(try await tell([["event": "delivered"]], token: "wrong") == 403)
        func receipts(_ event: String, _ range: Range<Int>) -> [[String: Any]] {
            range.map {
                ["event": event, "id": "\(fleet.id).0.\($0)@example.com", "at": 1_796_032_800 + $0, "text": "550 5.1.1 no \(event)"]
            }
        }
        // The collector is gone: receipts wait, and the tracker ends the moment that it has answered.
        try await fleet.kill("collector")
        #expect(try await tell(receipts("delivered", 0..<30) + receipts("bounce", 30..<40)) == 200)
        try await fleet.kill("tracker")
        try await start(fleet)
        #expect(try await tell(receipts("bounce", 30..<40) + receipts("complaint", 40..<41)) == 200)
        #expect(try await tell([["event": "delivered", "id": "0123456789abc.0.1@example.com"], ["event": "news"]]) == 200)
        try fleet.start("collector")
        try await eventually("receipts are written") { try await states(fleet)["failed"] == 10 }
        try await fleet.kill("collector")
        try fleet.start("collector")
        #expect(try await tell(receipts("delivered", 0..<40)) == 200)
        try await eventually("unknown ones are aside") {
            try await fleet.run("receipts", "list").output.split(separator: "\n").count == 2
        }
        try await eventually("all are delivered") { try await states(fleet) == ["sent": 20, "delivered": 30, "failed": 10] }
        let report = try await fleet.run("mailing", "report", fleet.id).output
        #expect(report.contains("As providers tell:") && report.contains("bounced"))
        let lines = try await fleet.run("receipts", "list", "--output", "json").output.split(separator: "\n")
        #expect(lines.count == 2 && lines.contains { $0.contains("\"news\"") })
        #expect(try await fleet.run("suppressions", "list").output.contains("complaint"))
        let check = try await fleet.run("ledger", "check")
        #expect(check.status == 0, "\(check.output)\(check.errors)")
        try await fleet.endAll()
    }
}
