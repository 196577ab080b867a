import Foundation
import Settings
import TestServers
import Testing

/// Mail that comes back from a real Postfix with a queue, and what is forged.
@Suite(.timeLimit(.minutes(10))) struct BounceTests {
    private static func report(_ id: String, _ recipient: String, action: String = "failed", status: String = "5.1.1") -> String {
        """
        Return-Path: <>
        From: MAILER-DAEMON@mx.example.net
        Content-Type: multipart/report; report-type=delivery-status; boundary="b"

        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example.net

        Original-Recipient: rfc822;\(recipient)
        Final-Recipient: rfc822;\(recipient)
        Action: \(action)
        Status: \(status)
        Diagnostic-Code: smtp; \(status.prefix(1))50 \(status) user unknown

        --b
        Content-Type: message/rfc822

        Message-ID: <\(id)@example.com>

        x
        --b--

        """
    }

    @Test func whatIsMadeOfAMailIsShown() async throws {
        let folder = try TemporaryFolder()
        let file = folder.path("bounce.eml")
        try Data(Self.report("m1.2.3", "ann@example.net").utf8).write(to: URL(fileURLWithPath: file))
        let shown = try await Program.run(["bounces", "read", file, "--output", "json"])
        let line = try #require(try JSONSerialization.jsonObject(with: Data(shown.output.utf8)) as? [String: Any], "\(shown)")
        let recipient = try #require((line["recipients"] as? [[String: Any]])?.first)
        #expect(line["kind"] as? String == "bounced" && line["messages"] as? [String] == ["m1.2.3@example.com"])
        #expect(recipient["address"] as? String == "ann@example.net" && recipient["reason"] as? String == "unknown_user")
        #expect(recipient["hard"] as? Bool == true && recipient["suppresses"] as? Bool == true)
        let text = try await Program.run(["bounces", "read", file])
        #expect(text.output.contains("bounce.eml: bounced\n  ann@example.net  unknown_user, hard, would be suppressed, 5.1.1\n"), "\(text)")
        let missing = try await Program.run(["bounces", "read", folder.path("nothing")])
        #expect(missing.status == 1 && missing.errors.contains("cannot be read"), "\(missing)")
    }

    private func states(_ fleet: Fleet, _ id: String) async throws -> [String: Int] {
        let outcome = try await fleet.run("mailing", "report", id, "--output", "json")
        let report = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        return try #require(report["states"] as? [String: Int]).filter { $0.value > 0 }
    }

    @Test func whatARelayBouncesFailsInTheReportAndWhatIsForgedDoesNot() async throws {
        let folder = try TemporaryFolder()
        let (port, keys, maildir) = (try freePort(), folder.path("keys"), folder.path("Maildir"))
        try TrackerKeyFile.make(keys)
        for name in ["new", "cur", "tmp"] {
            try FileManager.default.createDirectory(atPath: "\(maildir)/\(name)", withIntermediateDirectories: true)
        }
        let fleet = try await Fleet(
            1,
            environment: [
                "FLOTILLA_EMAIL_RETURN_PATH": "bounces.example.com", "FLOTILLA_TRACKER_KEYS": keys,
                "FLOTILLA_BOUNCES_LISTEN": "127.0.0.1:\(port)", "FLOTILLA_BOUNCES_MAILDIR": maildir,
            ])
        let next = fleet.sink.url.split(separator: ":").last ?? ""
        let postfix = try await Postfix(transports: [
            "example.com smtp:[127.0.0.1]:\(next)", "bounces.example.com lmtp:inet:127.0.0.1:\(port)",
        ])
        try fleet.start("planner", "worker", "collector", "bounces")
        try await eventually("mail is taken: \(fleet.errors("bounces"))") { canConnect(port) }
        let words = ["bounce-", "reject-", "person"]
        let mailing = try MailingFolder(
            provider: "smtp://127.0.0.1:\(postfix.port)", recipients: MailingFolder.recipients(30) { "\(words[$0 / 10])\($0)" })
        let id = try await fleet.run("mailing", "add", mailing.mailing).output.trimmingCharacters(in: .whitespacesAndNewlines)
        try await eventually("bounces are in the report: \(postfix.log.suffix(2000))\n\(fleet.logs)") {
            try await states(fleet, id) == ["sent": 10, "failed": 20]
        }
        let report = try await fleet.run("mailing", "report", id).output
        #expect(report.contains("10  unknown_user") && report.contains("reconciled  yes"))
        let list = try await fleet.run("suppressions", "list").output
        #expect(
            list.split(separator: "\n").count { $0.contains("hard_bounce") && $0.contains("bounce-") } == 10 && !list.contains("reject-"))

        // Whoever has a message knows its id: for another recipient, or with a token that nobody signed, it changes nothing.
        let forged = [
            try folder.write(Self.report("\(id).0.20", "person21@example.com"), to: "other"),
            try folder.write(Self.report("0123456789abc.0.20", "person20@example.com"), to: "unknown"),
        ]
        for name in forged { #expect(try await MailClient.send("smtp", port: port, to: "bounces@bounces.example.com", name) == "250=1") }
        let token = "bounces+1\(id)0000000" + String(repeating: "0", count: 16) + "@bounces.example.com"
        let right = try folder.write(Self.report("\(id).0.22", "person22@example.com"), to: "right")
        #expect(try await MailClient.send("lmtp", port: port, to: token, right) == "250=1")
        // What is right comes by the Maildir, after an end in between.
        try await fleet.kill("bounces")
        try Self.report("\(id).0.29", "person29@example.com", action: "delivered", status: "2.0.0")
            .write(toFile: "\(maildir)/new/1", atomically: true, encoding: .utf8)
        try fleet.start("bounces")
        try await eventually("it is delivered: \(fleet.errors("bounces"))") {
            try await states(fleet, id) == ["sent": 9, "delivered": 1, "failed": 20]
        }
        #expect(try await fleet.end("bounces") == 0)
        try await fleet.endAll()
    }
}
