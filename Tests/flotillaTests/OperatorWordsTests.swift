import Foundation
import TestServers
import Testing

/// What a command says to the person who gave it.
@Suite(.timeLimit(.minutes(3))) struct OperatorWordsTests {
    @Test func aSendWhoseMailingIsPausedSaysByWhomAndWhatToDo() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(2000), extra: "speed: 60/s\n")
        let running = try RunningProgram(["send", mailing.mailing, "--ledger", mailing.ledger, "--quiet"])
        try await eventually("some have arrived") { try sink.lines().count > 20 }
        let id = try await mailing.id()

        // No Redis is named: that of `send` is found by the ledger.
        let top = try await Program.run(["top", "--once", "--every", "0.5", "--ledger", mailing.ledger])
        #expect(top.status == 0 && top.output.contains("lane email:"), "\(top)")
        #expect(try await mailing.run("show").output.contains("limited by mailing:\(id)"))

        let paused = try await mailing.run("pause", "--actor", "Alice", "--reason", "wrong price")
        #expect(paused.status == 0 && !paused.errors.contains("warning:"), "\(paused)")
        let resume = "flotilla mailing resume \(id) --ledger \(mailing.ledger)"
        try await eventually("it is told") { running.errors.contains("paused by Alice: wrong price. This command waits: \(resume)") }
        running.signal(SIGINT)
        #expect(try await running.end() == 4)
        try await sink.stop()
        let alone = try await Program.run(["top", "--once", "--ledger", mailing.ledger])
        #expect(alone.status == 1 && alone.errors.contains("private Redis"), "\(alone)")
    }

    @Test func aReportThatCannotBeWrittenIsFoundBeforeAnythingIsSent() async throws {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(2))
        let folder = mailing.folder
        for (path, words) in [
            (folder.path, "that is a folder"), (folder.path("none/report.json"), "make it first"),
            (folder.path("mailing.yaml/report.json"), "is no folder"), ("/proc/report.json", "/proc/report.json"),
        ] {
            let refused = try await Program.run(["send", mailing.mailing, "--ledger", mailing.ledger, "--report", path])
            #expect(refused.status == 1 && refused.errors.hasPrefix("error: --report \(path)"), "\(refused)")
            #expect(refused.errors.contains(words), "\(refused.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: mailing.ledger))
    }

    @Test func aProviderThatNobodyKnowsIsNamedWithItsPlace() async throws {
        let mailing = try MailingFolder(provider: "nosuch", recipients: MailingFolder.recipients(2))
        let refused = try await mailing.send()
        #expect(refused.status == 1 && refused.errors.contains("mailing.yaml:3:11: provider 'nosuch'"), "\(refused.errors)")
    }

    @Test func deadLettersThatAreNotThereAreSaidToBe() async throws {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(2))
        #expect(try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger]).status == 0)
        let dropped = try await Program.run(["dead", "drop", "1", "--ledger", mailing.ledger])
        #expect(dropped.status == 1 && dropped.errors.contains("no dead letter: flotilla dead list"), "\(dropped)")
        #expect(dropped.errors.contains("order refused") && !dropped.errors.contains("order carried out"))
        let all = try await Program.run(["dead", "drop", "--all", "--ledger", mailing.ledger])
        #expect(all.status == 0 && all.output == "no dead letters\n", "\(all)")
        let settled = try await mailing.run("uncertain", "--settle", "sent", "--all")
        #expect(settled.errors.contains("order refused: nobody of those is held"), "\(settled)")
    }

    @Test func theAuditLogHasOneNameForEachValue() async throws {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(2))
        let added = try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger, "--only-new"])
        #expect(added.status == 0, "\(added.errors)")
        let text = try await Program.run(["audit", "--ledger", mailing.ledger])
        #expect(text.output.contains("\"only_new\":true") && !text.output.contains("onlyNew"), "\(text.output)")
        let json = try await mailing.run("show", "--output", "json")
        #expect(json.output.contains("\"recipients_file\" : \"") && json.output.contains("recipients.csv"), "\(json.output)")
    }

    /// posix_spawn(3) takes the number of such a descriptor for wrong, and the private Redis could not start.
    @Test func aDescriptorAboveTheLimitKeepsNothingFromStarting() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(3))
        let send = "exec '\(Program.path)' send '\(mailing.mailing)' --ledger '\(mailing.ledger)'"
        let running = try RunningProgram(
            shell: "exec 500>/dev/null; ulimit -n 256; export FLOTILLA_METRICS_LISTEN=off; \(send)")
        #expect(try await running.end() == 0, "\(running.errors)")
        try await sink.stop()
    }

    @Test func anAddressThatIsTakenIsSaidToBe() async throws {
        let sink = try await RunningSink()
        let second = try await Program.run(
            ["sink", "--smtp", String(sink.url.dropFirst("smtp://".count))], of: .laboratory, within: 30)
        #expect(second.status != 0 && second.errors.contains("Address already in use; name another"), "\(second)")
        #expect(!second.errors.contains("errno"))
        try await sink.stop()
    }
}
