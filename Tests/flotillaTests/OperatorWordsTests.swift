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

    /// A report takes the place of an earlier one, and of nothing else.
    @Test func aReportTakesThePlaceOfAReportAlone() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(2) + "x,nobody,A,1\n")
        let send = ["send", mailing.mailing, "--ledger", mailing.ledger, "--report"]
        for (file, words) in [
            (mailing.folder.path("message.html"), "it is no report: name another file"),
            (mailing.folder.path("recipients.csv"), "which the mailing needs"),
        ] {
            let before = try String(contentsOfFile: file, encoding: .utf8)
            let refused = try await Program.run(send + [file])
            #expect(refused.status == 1 && refused.errors.contains(words), "\(refused)")
            #expect(try String(contentsOfFile: file, encoding: .utf8) == before)
        }
        #expect(!FileManager.default.fileExists(atPath: mailing.ledger))
        let sent = try await Program.run(send + [mailing.report])
        #expect(
            sent.status == 0 && sent.output.contains("flotilla mailing excluded") && sent.output.contains("--ledger \(mailing.ledger)"),
            "\(sent)")
        #expect(try await Program.run(send + [mailing.report, "--again"]).status == 0)
        #expect(try mailing.states()["sent"] == 2)
        let printed = try await Program.run(send + ["-", "--again"])
        let report = try JSONSerialization.jsonObject(with: Data(printed.output.utf8)) as? [String: Any]
        #expect(printed.status == 0 && report?["recipients"] as? Int == 2, "\(printed)")
        let again = try await Program.run(["mailing", "report", report?["id"] as? String ?? "", "--ledger", mailing.ledger])
        #expect(again.output.contains("flotilla mailing excluded \(report?["id"] ?? "") --ledger \(mailing.ledger)"), "\(again)")
        try await sink.stop()
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
        #expect(settled.status == 0 && settled.errors.contains("order changes nothing: nobody is held"), "\(settled)")
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
    @Test func aRoleThatEndsBeforeItsStartSaysWhy() async throws {
        let port = try freePort()
        let worker = try RunningProgram(["worker", "--redis", "redis://127.0.0.1:\(port)"])
        try await eventually("it waits for Redis") { worker.errors.contains("cannot be reached") }
        worker.signal(SIGTERM)
        #expect(try await worker.end() == 0)
        #expect(worker.errors.contains("ends before its start: SIGTERM") && worker.errors.contains("reason=SIGTERM"), "\(worker.errors)")
    }

    @Test func aDescriptorAboveTheLimitKeepsNothingFromStarting() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(3))
        let send = "exec '\(Program.path)' send '\(mailing.mailing)' --ledger '\(mailing.ledger)'"
        let running = try RunningProgram(
            shell: "exec 500>/dev/null; ulimit -n 256; export FLOTILLA_METRICS_LISTEN=off; \(send)")
        #expect(try await running.end() == 0, "\(running.errors)")
        try await sink.stop()
    }

    @Test func questionsToTheLedgerTakeARedisWithAWord() async throws {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(2))
        #expect(try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger]).status == 0)
        let id = try await mailing.id()
        for question in [["mailing", "list"], ["mailing", "report", id], ["mailing", "excluded", id], ["audit"], ["dead", "list"]] {
            let answer = try await Program.run(question + ["--redis", "redis://127.0.0.1:1", "--ledger", mailing.ledger])
            #expect(answer.status == 0 && answer.errors.contains("warning: --redis changes nothing here"), "\(question): \(answer)")
        }
        let wrong = try await Program.run(["mailing", "list", "--redis", "nonsense", "--ledger", mailing.ledger])
        #expect(wrong.status == 64 && wrong.errors.contains("--redis 'nonsense'"), "\(wrong)")
    }

    @Test func aRestoredLedgerNamesTheMailingsThatAreInDoubt() async throws {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(2))
        #expect(try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger]).status == 0)
        let id = try await mailing.id()
        let copy = mailing.folder.path("copy")
        #expect(try await Program.run(["ledger", "backup", copy, "--ledger", mailing.ledger]).status == 0)
        let restored = try await Program.run(["ledger", "restore", copy, "--ledger", mailing.ledger])
        #expect(restored.output.contains("\n  flotilla mailing uncertain \(id) --ledger \(mailing.ledger)\n"), "\(restored)")
        #expect(!restored.output.contains(" ID"))
        #expect(try await mailing.run("stop", "--yes").status == 0)
    }

    @Test func aCopyIsWrittenOverNothingThatIsNeeded() async throws {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(2))
        #expect(try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger]).status == 0)
        for (path, words) in [
            (mailing.folder.path, "that is a folder"), (mailing.folder.path("none/copy"), "make it first"),
            ("/proc/copy", "it cannot be made"),
            (mailing.ledger, "which this command needs"), (mailing.ledger + "-wal", "which this command needs"),
            (mailing.mailing, "is no copy of a ledger"),
        ] {
            let refused = try await Program.run(["ledger", "backup", path, "--ledger", mailing.ledger])
            #expect(refused.status == 1 && refused.errors.hasPrefix("error: ") && refused.errors.contains(words), "\(path): \(refused)")
        }
        #expect(try await mailing.run("show").status == 0)
    }

    @Test func anotherFileIsNotReplacedByInventedRecipients() async throws {
        let folder = try TemporaryFolder()
        func generate(_ path: String, _ more: String...) async throws -> Program.Outcome {
            try await Program.run(["generate", "recipients", "5", "--out", path] + more, of: .laboratory)
        }
        for (path, words) in [(folder.path, "that is a folder"), (folder.path("none/r.csv"), "make it first"), ("", "names no file")] {
            let refused = try await generate(path)
            #expect(refused.status == 1 && refused.errors.contains(words), "\(refused)")
        }
        let own = try folder.write("id,email\n1,customer@example.org\n", to: "own.csv")
        for more in [[], ["--format", "ndjson"]] {
            let refused = try await Program.run(["generate", "recipients", "5", "--out", own] + more, of: .laboratory)
            #expect(refused.status == 1 && refused.errors.contains("was not made by this command; --force replaces it"), "\(refused)")
        }
        #expect(folder.text("own.csv")?.contains("customer@example.org") == true)
        for format in ["csv", "ndjson"] {
            for _ in 0..<2 { #expect(try await generate(folder.path("made.\(format)"), "--format", format).status == 0) }
        }
        #expect(try await generate(own, "--force").status == 0)
        #expect(folder.text("own.csv")?.contains("customer@example.org") == false)
    }

    @Test func aRecordIsAppendedToRecordsAlone() async throws {
        let folder = try TemporaryFolder()
        let own = try folder.write("id,email\n1,customer@example.org\n", to: "own.csv")
        for (path, words) in [(folder.path, "that is a folder"), (folder.path("none/r.tsv"), "make it first"), (own, "is no record")] {
            let refused = try await Program.run(["sink", "--smtp", "127.0.0.1:0", "--record", path], of: .laboratory, within: 30)
            #expect(refused.status != 0 && refused.errors.contains(words) && refused.output.isEmpty, "\(refused)")
        }
        #expect(folder.text("own.csv") == "id,email\n1,customer@example.org\n")
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
