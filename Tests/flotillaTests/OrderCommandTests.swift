import Foundation
import TestServers
import Testing

/// Orders of persons by commands, and the audit log.
@Suite struct OrderCommandTests {
    private func mailing(_ extra: String = "") async throws -> MailingFolder {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(2), extra: extra)
        let added = try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger, "--actor", "Ann"])
        try #require(added.status == 0, "\(added.errors)")
        return mailing
    }

    private func run(_ mailing: MailingFolder, _ arguments: String...) async throws -> Program.Outcome {
        try await Program.run(arguments + ["--ledger", mailing.ledger])
    }

    @Test func anEmptyIDNamesNothing() async throws {
        let mailing = try await mailing()
        for command in [
            ["show", ""], ["pause", ""], ["stop", ""], ["stop", "", "--yes"], ["report", ""], ["speed", "", "1/s"], ["history", ""],
        ] {
            let refused = try await Program.run(["mailing"] + command + ["--ledger", mailing.ledger])
            #expect(refused.status == 64 && refused.errors.contains("empty"), "\(command): \(refused)")
        }
        #expect(try await run(mailing, "audit", "--mailing", "").status == 64)
        #expect(try mailing.query("SELECT state FROM mailing") == ["scheduled"])
    }

    @Test func aStopWithoutATerminalNeedsTheWholeIDOrAYes() async throws {
        let mailing = try await mailing()
        let id = try await mailing.id()
        let refused = try await run(mailing, "mailing", "stop", String(id.prefix(5)))
        #expect(refused.status == 1 && refused.errors.contains("add --yes"), "\(refused.errors)")
        let stopped = try await run(mailing, "mailing", "stop", String(id.prefix(5)), "--yes")
        #expect(stopped.output == "\(id): stopped for good. 'Test': nobody was sent to.\n", "\(stopped)")
        #expect(try await run(mailing, "mailing", "stop", id).status == 1)
    }

    /// A terminal of its own: `script` of every Debian.
    @Test(arguments: [("n", "scheduled"), ("", "scheduled"), ("y", "stopped")])
    func aStopOnATerminalAsks(_ answer: String, _ state: String) async throws {
        let mailing = try await mailing()
        let id = try await mailing.id()
        let command = "\(Program.path) mailing stop \(id) --ledger \(mailing.ledger)"
        let terminal = try ServerProcess(
            "sh", ["-c", "echo '\(answer)' | script -qefc '\(command)' /dev/null"], package: "bsdutils",
            environment: Program.surroundings, output: mailing.folder.path("screen"))
        _ = terminal.wait()
        let screen = mailing.folder.text("screen") ?? ""
        #expect(screen.contains("Stop mailing \(id) 'Test'") && screen.contains("cannot be undone"), "\(screen)")
        #expect(try mailing.query("SELECT state FROM mailing") == [state])
    }

    @Test func theAuditLogSaysWhoOrderedWhat() async throws {
        let mailing = try await mailing()
        let id = try await mailing.id()
        #expect(try await run(mailing, "mailing", "pause", id, "--actor", "Bob\u{202e}").status == 64)
        #expect(try await run(mailing, "mailing", "pause", id, "--by", "Bob").errors.contains("--by is deprecated"))
        #expect(try await run(mailing, "mailing", "resume", id).status == 0)
        #expect(try await run(mailing, "limit", "set", "channel:sms", "5/s", "--actor", "Cy").status == 0)
        let list = try await run(mailing, "audit")
        let lines = list.output.split(separator: "\n")
        #expect(lines.count == 4 && lines[0].contains("  Cy  limit channel:sms  {\"limit\":\"5/s\"}"), "\(list)")
        #expect(
            lines[2].contains(
                "  Bob  pause mailing:\(id)  {\"state\":\"scheduled\"} -> {\"reason\":\"paused by Bob\",\"state\":\"paused\"}"))
        let json = try await run(mailing, "audit", "--mailing", String(id.prefix(6)), "--output", "json", "--since", "1h")
        let objects = try json.output.split(separator: "\n").map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
        #expect(objects.map { $0?["order"] as? String } == ["resume", "pause", "add"])
        #expect(objects[2]?["actor"] as? String == "Ann" && (objects[1]?["after"] as? [String: Any])?["state"] as? String == "paused")
        #expect(objects[0]?["actor"] as? String == NSUserName())
        #expect(try await run(mailing, "audit", "--since", "2999-01-01T00:00:00Z").output == "no orders\n")
        #expect(try await run(mailing, "audit", "--since", "yesterday").status == 64)
    }

    @Test func aQueuedMailingSaysThatItWaitsForAPlanner() async throws {
        let mailing = try await mailing()
        let shown = try await mailing.run("show")
        #expect(shown.output.contains("no planner is at work"), "\(shown.output)")
    }

    @Test func aStartLongPastIsToldWhenTheMailingIsAdded() async throws {
        let mailing = try MailingFolder(
            provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(2), extra: "start: 2020-01-01T00:00:00Z\n")
        let added = try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger])
        #expect(added.status == 0 && added.errors.contains("its start 2020-01-01T00:00:00Z is"), "\(added.errors)")
        #expect(added.errors.contains("the planner pauses it") && added.errors.contains("no planner is at work"))
        #expect(added.output == (try await mailing.id()) + "\n")
    }

    /// Two names of one ledger are one ledger.
    @Test func aLinkToTheLedgerIsTheSameLedger() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(300), extra: "speed: 20/s\n")
        let link = mailing.folder.path("link.sqlite")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: mailing.ledger)
        let first = try RunningProgram(["send", mailing.mailing, "--ledger", link])
        try await eventually("the first sends") { try !sink.lines().isEmpty }
        let second = try await mailing.send()
        #expect(second.status == 1 && second.errors.contains("is in use by process \(first.process.pid)"), "\(second.errors)")
        first.signal(SIGINT)
        #expect(try await first.end() == 2)
        #expect(first.errors.contains("send starts") && first.errors.contains("settings="), "\(first.errors)")
        #expect(first.errors.contains("send ends: SIGINT"))
        try await sink.stop()
    }
}
