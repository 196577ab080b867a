import Foundation
import TestServers
import Testing

/// The ledger as a whole: making, checking and pruning it, and paths that lead to none.
@Suite(.timeLimit(.minutes(3))) struct LedgerCommandTests {
    @Test(arguments: [
        ["mailing", "list"], ["mailing", "show", "x"], ["mailing", "report", "x"], ["mailing", "excluded", "x"], ["mailing", "pause", "x"],
        ["mailing", "resume", "x"], ["mailing", "stop", "x"], ["mailing", "speed", "x", "1/s"], ["mailing", "uncertain", "x"],
        ["mailing", "recipient", "x", "y"], ["mailing", "history", "y"], ["limit", "list"], ["limit", "set", "channel:sms", "1/s"],
        ["audit"], ["receipts", "list"], ["dead", "list"], ["dead", "drop", "--all"], ["top", "--once", "--redis", "redis://127.0.0.1:1"],
        ["ledger", "check"], ["ledger", "migrate"], ["ledger", "backup", "copy.sqlite"],
        ["ledger", "prune", "--older-than", "1d", "--yes"],
    ])
    func aMistypedPathIsAnErrorAndMakesNothing(command: [String]) async throws {
        let folder = try TemporaryFolder()
        let refused = try await Program.run(command + ["--ledger", folder.path("typo.sqlite")])
        #expect(refused.status == 1 && refused.errors.hasPrefix("error: no ledger at \(folder.path("typo.sqlite"));"), "\(refused)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test func whoeverBeginsWithALedgerSaysThatItIsNew() async throws {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(2))
        let first = try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger])
        #expect(first.status == 0 && first.errors.contains("a new ledger was made: \(mailing.ledger)"), "\(first)")
        let second = try await Program.run(["mailing", "add", mailing.mailing, "--again", "--ledger", mailing.ledger])
        #expect(second.status == 0 && !second.errors.contains("new ledger"), "\(second)")
        let folder = try TemporaryFolder()
        let sink = try await RunningSink()
        let sent = try await Program.run(
            ["send", mailing.mailing, "--provider", sink.url, "--ledger", folder.path("new.sqlite"), "--quiet"])
        #expect(sent.status == 0 && sent.errors.contains("a new ledger was made: \(folder.path("new.sqlite"))"), "\(sent)")
    }

    /// Everybody who has the message would get it again.
    @Test func aNameThatIsNearlyThatOfALedgerWhichKnowsTheMailingMakesNone() async throws {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(2))
        #expect(try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger]).status == 0)
        let elsewhere = try TemporaryFolder()
        for typo in [mailing.folder.path("leger.sqlite"), mailing.folder.path("ledger.db"), elsewhere.path("ledger.sqlite")] {
            for command in [["send"], ["send", "--only-new"], ["mailing", "add"]] {
                let refused = try await Program.run(command + [mailing.mailing, "--ledger", typo])
                #expect(refused.status == 1 && refused.errors.contains("\(mailing.ledger) knows this mailing"), "\(command): \(refused)")
                #expect(!FileManager.default.fileExists(atPath: typo), "\(command)")
            }
        }
        // Whoever means it says so.
        let meant = mailing.folder.path("leger.sqlite")
        #expect(try await Program.run(["mailing", "add", mailing.mailing, "--again", "--ledger", meant]).status == 0)
        #expect(try await Program.run(["ledger", "init", "--ledger", elsewhere.path("ledger.sqlite")]).status == 0)
        #expect(try await Program.run(["mailing", "add", mailing.mailing, "--ledger", elsewhere.path("ledger.sqlite")]).status == 0)
        let other = try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.folder.path("ledger2.sqlite")])
        #expect(other.status == 0 && other.errors.contains("\(mailing.ledger) knows this mailing"), "\(other)")
    }

    /// Whatever is logged.
    @Test func aPersonAtATerminalReadsThatALedgerIsNewAndWhichLieNear() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(1))
        #expect(try await Program.run(["ledger", "init", "--ledger", mailing.ledger]).status == 0)
        let typo = mailing.folder.path("leger.sqlite")
        let send = "FLOTILLA_LOG_LEVEL=critical \(Program.path) send \(mailing.mailing) --quiet --ledger \(typo)"
        let terminal = try RunningProgram(shell: "script -qec '\(send)' /dev/null")
        #expect(try await terminal.end() == 0, "\(terminal.output)")
        #expect(terminal.output.contains("a new ledger was made: \(typo)"), "\(terminal.output)")
        #expect(terminal.output.contains("earlier ledgers seen: \(mailing.ledger)"), "\(terminal.output)")
        let logged = try await Program.run(
            ["send", mailing.mailing, "--quiet", "--ledger", mailing.folder.path("third.sqlite")],
            environment: ["FLOTILLA_LOG_LEVEL": "warning"])
        #expect(logged.status == 0 && logged.errors.contains("a new ledger was made"), "\(logged)")
        try await sink.stop()
    }

    /// Otherwise the same slip would find a ledger the next time, and say nothing.
    @Test func aCommandThatIsRefusedLeavesNoNewLedger() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(1), extra: "category: news\n")
        let folder = try TemporaryFolder()
        let typo = folder.path("leger.sqlite")
        #expect(try await Program.run(["ledger", "init", "--ledger", mailing.ledger]).status == 0)
        for command in [["send", mailing.mailing], ["mailing", "add", mailing.mailing], ["mailing", "add", mailing.mailing, "--upload"]] {
            let refused = try await Program.run(command + ["--ledger", typo])
            #expect(refused.status == 1 && refused.errors.contains("'news' is not a known category"), "\(refused)")
            // The ledger that was meant lies beside the mailing file.
            #expect(refused.errors.contains("earlier ledgers seen: \(mailing.ledger)"), "\(refused)")
            #expect(refused.errors.contains("the new ledger \(typo) was removed again"), "\(refused)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [], "\(command)")
        }
        let password = try await Program.run(
            ["send", mailing.mailing, "--provider", "smtp://user:wrong@127.0.0.1:9", "--ledger", typo])
        #expect(password.status != 0, "\(password)")
        let failed = try await Program.run([
            "planner", "--redis", "redis://127.0.0.1:1", "--config", folder.path("none.yaml"), "--ledger", typo,
        ])
        #expect(failed.status == 1, "\(failed)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        // One that something was written to stays.
        #expect(try await Program.run(["suppressions", "categories", "add", "news", "--ledger", typo]).status == 0)
        #expect(try await Program.run(["send", mailing.mailing, "--recipients", "none.csv", "--ledger", typo]).status == 1)
        #expect(FileManager.default.fileExists(atPath: typo))
        try await sink.stop()
    }

    /// `up` with a Redis of its own is alone: nobody else could read the recipients.
    @Test func upWithAPrivateRedisFailsAMailingWhoseRecipientsAreGone() async throws {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(1))
        #expect(try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger]).status == 0)
        try FileManager.default.removeItem(atPath: mailing.folder.path("recipients.csv"))
        let up = try RunningProgram(["up", "--ledger", mailing.ledger])
        try await eventually("it fails: \(up.errors)") { try mailing.query("SELECT state FROM mailing") == ["failed"] }
        up.signal(SIGTERM)
        #expect(try await up.end() == 0)
    }

    @Test func whereTheSettingsNameALedgerNoOtherIsMade() async throws {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(1))
        let settings = try mailing.folder.write("ledger.path: \(mailing.ledger)\n", to: "flotilla.yaml")
        let typo = mailing.folder.path("leger.sqlite")
        #expect(try await Program.run(["mailing", "add", mailing.mailing, "--config", settings]).status == 0)
        for command in [
            ["send", mailing.mailing], ["mailing", "add", mailing.mailing], ["up"], ["planner", "--redis", "redis://127.0.0.1:1"],
            ["suppressions", "categories", "add", "news"],
        ] {
            let refused = try await Program.run(command + ["--config", settings, "--ledger", typo])
            #expect(refused.status == 1, "\(command): \(refused)")
            #expect(refused.errors.contains("the settings name one that is there, \(mailing.ledger)"), "\(command): \(refused)")
            #expect(refused.errors.contains("flotilla ledger init --ledger \(typo)"), "\(command): \(refused)")
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: mailing.folder.path)
        #expect(!files.contains { $0.hasPrefix("leger") }, "\(files)")
        // Whoever says so begins with a new one.
        #expect(try await Program.run(["ledger", "init", "--config", settings, "--ledger", typo]).status == 0)
        #expect(try await Program.run(["mailing", "add", mailing.mailing, "--config", settings, "--ledger", typo]).status == 0)
    }

    @Test func whereTheRedisOfTheFleetKnowsALedgerNoOtherIsMade() async throws {
        let fleet = try await Fleet(3)
        try fleet.start("planner", "worker", "collector")
        try await fleet.state("sent")
        try await fleet.endAll()
        let typo = fleet.mailing.folder.path("leger.sqlite")
        for command in [["mailing", "add", fleet.mailing.mailing], ["send", fleet.mailing.mailing], ["planner"]] {
            let refused = try await Program.run(
                command + ["--redis", "unix://\(fleet.redis.socket)"], environment: ["FLOTILLA_LEDGER_PATH": typo])
            #expect(refused.status == 1, "\(command): \(refused)")
            #expect(
                refused.errors.contains("the Redis of the fleet holds the mailings of one (\(fleet.mailing.ledger))"),
                "\(command): \(refused)")
        }
        #expect(!FileManager.default.fileExists(atPath: typo))
        let empty = ["FLOTILLA_LEDGER_URL": try await PostgreSQLServer.shared.database()]
        for command in [["mailing", "add", fleet.mailing.mailing], ["send", fleet.mailing.mailing], ["planner"], ["up"]] {
            let refused = try await Program.run(command + ["--redis", "unix://\(fleet.redis.socket)"], environment: empty)
            #expect(refused.status == 1, "\(command): \(refused)")
            #expect(refused.errors.contains("the Redis of the fleet holds the mailings of one ("), "\(command): \(refused)")
        }
        let none = try await Program.run(["mailing", "list"], environment: empty)
        #expect(none.status == 1 && none.errors.contains("the database has no tables"), "\(none)")
    }

    @Test func aDryRunChangesNothingOfAnOlderLedger() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("old.sqlite")
        let fixture = Repository.root.appending(path: "Tests/LedgerTests/Fixtures/ledger-2026-11-22.sql").path
        let shell = try RunningProgram(shell: "sqlite3 '\(path)' < '\(fixture)'")
        #expect(try await shell.end() == 0, "\(shell.errors)")
        let table = try folder.write("address\na@example.com\n", to: "s.csv")
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        for command in [["ledger", "prune", "--older-than", "1d"], ["suppressions", "import", table, "--channel", "email"]] {
            let dry = try await Program.run(command + ["--dry-run", "--ledger", path])
            #expect(dry.status == 1 && dry.errors.contains("flotilla ledger migrate --ledger \(path)"), "\(dry)")
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        #expect(try await Program.run(["ledger", "migrate", "--ledger", path]).status == 0)
        #expect(try await Program.run(["ledger", "prune", "--older-than", "1d", "--dry-run", "--ledger", path]).status == 0)
    }

    @Test func aLedgerThatIsGoneIsNotMadeAnewWithoutAQuestion() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(2))
        let send = ["send", mailing.mailing, "--ledger", mailing.ledger, "--quiet"]
        #expect(try await Program.run(send).status == 0)
        try FileManager.default.removeItem(atPath: mailing.ledger)
        let refused = try await Program.run(send)
        #expect(refused.status == 1 && refused.errors.contains("the ledger \(mailing.ledger) is gone"), "\(refused)")
        #expect(!FileManager.default.fileExists(atPath: mailing.ledger))
        #expect(try await Program.run(["ledger", "init", "--ledger", mailing.ledger]).status == 0)
        #expect(try await Program.run(send).status == 0)
    }

    @Test func itIsMadeMigratedAndChecked() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("ledger.sqlite")
        func run(_ arguments: String...) async throws -> Program.Outcome {
            try await Program.run(["ledger"] + arguments + ["--ledger", path])
        }
        let made = try await run("init")
        #expect(made.status == 0 && made.output.hasPrefix("\(path): a new ledger, version "), "\(made)")
        let again = try await run("init")
        #expect(again.status == 1 && again.errors.contains("there is a ledger at \(path) already"), "\(again)")
        let current = try await run("migrate")
        #expect(current.status == 0 && current.output.contains("which is this release's"), "\(current)")
        #expect(try await run("check").output.hasSuffix(": nothing is wrong\n"))

        let shell = try ServerProcess(
            "sqlite3", [path, "INSERT INTO timeline VALUES ('x', 1, 1, 1, 1, 0, 0, 0)"], package: "sqlite3", output: folder.path("out"))
        _ = shell.wait()
        let check = try await run("check", "--output", "json")
        #expect(check.status == 1 && check.output.contains("timeline whose mailing is not there"), "\(check)")
        #expect(try await run("check").status == 1)
    }

    @Test func aPrunedMailingSaysSoWhateverIsAsked() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(3) + "9,nobody,A,1\n")
        #expect(try await mailing.send().status == 0)
        let id = try await mailing.id()
        func prune(_ arguments: String...) async throws -> Program.Outcome {
            try await Program.run(["ledger", "prune", "--ledger", mailing.ledger] + arguments)
        }
        let unset = try await prune("--yes")
        #expect(unset.status == 1 && unset.errors.contains("ledger.keep"), "\(unset)")
        let young = try await prune("--older-than", "1d", "--yes")
        #expect(young.status == 0 && young.output.hasPrefix("no mailing that ended before"), "\(young)")
        try await eventually("it ended a second ago") { try await prune("--older-than", "1s", "--dry-run").output.contains(id) }
        let dry = try await prune("--older-than", "1s", "--dry-run")
        #expect(dry.status == 0 && dry.output.contains(id) && dry.output.contains("3 recipients of 1 mailing"), "\(dry)")
        let unsure = try await prune("--older-than", "1s")
        #expect(unsure.status == 1 && unsure.errors.contains("--yes"), "\(unsure)")
        #expect(try mailing.count("sent") == 3)

        let pruned = try await prune("--older-than", "1s", "--yes", "--actor", "Ann")
        #expect(pruned.status == 0 && pruned.output.hasPrefix("3 recipients of 1 mailing"), "\(pruned)")
        #expect(try mailing.count("sent") == 0)
        for command in [["recipient", "person0@example.com"], ["excluded"], ["uncertain"]] {
            let asked = try await Program.run(["mailing", command[0], id] + command.dropFirst() + ["--ledger", mailing.ledger])
            #expect(asked.status == 1 && asked.errors.contains("mailing \(id) was pruned"), "\(asked)")
        }
        let report = try await mailing.run("report")
        #expect(report.status == 0 && report.output.contains("was pruned") && report.output.contains("invalid_address"), "\(report)")
        let json = try await mailing.run("report", "--output", "json")
        #expect(json.output.contains(#""pruned" : ""#) && json.output.contains(#""sent" : 3"#), "\(json)")
        #expect(try await mailing.run("show").output.contains("pruned"))
        let history = try await Program.run(["mailing", "history", "person0@example.com", "--ledger", mailing.ledger])
        #expect(history.status == 0 && history.errors.contains("1 mailing was pruned"), "\(history)")
        let audit = try await Program.run(["audit", "--mailing", id, "--ledger", mailing.ledger])
        #expect(audit.output.contains("Ann  prune mailing:\(id)"), "\(audit)")
        #expect(try await Program.run(["ledger", "check", "--ledger", mailing.ledger]).status == 0)

        // It is still known as sent; and whom it reached is not known any more.
        #expect(try await mailing.send().status == 6)
        let new = try await mailing.send(["--only-new"])
        #expect(new.status == 6 && new.errors.contains("--only-new cannot leave out who has had it"), "\(new)")
        let added = try await Program.run(["mailing", "add", mailing.mailing, "--only-new", "--ledger", mailing.ledger])
        #expect(added.status == 6 && added.errors.contains("was pruned"), "\(added)")
        try await sink.stop()
        #expect(try sink.arrived().count == 3)
    }

    @Test func aRestoreAsksBeforeSomethingGoesBackAndSaysWhatItDid() async throws {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(3))
        let copy = mailing.folder.path("copy.sqlite")
        func run(_ arguments: String...) async throws -> Program.Outcome {
            try await Program.run(arguments + ["--ledger", mailing.ledger])
        }
        #expect(try await run("mailing", "add", mailing.mailing).status == 0)
        let id = try await mailing.id()
        let made = try await run("ledger", "backup", copy)
        #expect(made.status == 0 && !made.output.contains("in 1 s"), "\(made)")
        #expect(try await run("mailing", "stop", id, "--yes", "--actor", "Ann").status == 0)
        let refused = try await run("ledger", "restore", copy)
        #expect(refused.status == 1 && refused.errors.contains("it was stopped") && refused.errors.contains("--yes"), "\(refused)")
        #expect(try await run("mailing", "show", id).output.contains("stopped by Ann"))
        let restored = try await run("ledger", "restore", copy, "--yes")
        #expect(restored.status == 0 && restored.errors.contains("it was stopped"), "\(restored)")
        #expect(restored.output.contains("1 order of the audit log") && restored.output.contains("Start the roles again"), "\(restored)")
        let shown = try await run("mailing", "show", id)
        #expect(shown.output.contains("paused") && shown.output.contains("stopped by Ann"), "\(shown)")
        let audit = try await run("audit").output
        #expect(audit.contains("stop mailing:\(id)") && audit.contains("restore"), "\(audit)")
        // A mistyped path is not passed over in silence.
        let typo = try await Program.run(["ledger", "restore", copy, "--ledger", mailing.folder.path("typo.sqlite")])
        #expect(typo.status == 0 && typo.output.contains("there was no ledger at this path before"), "\(typo)")
    }

    @Test func aCollectorWaitsForTheLedgerOfAPlannerAndMakesNone() async throws {
        let redis = try await RedisServer()
        let folder = try TemporaryFolder()
        let path = folder.path("ledger.sqlite")
        let collector = try RunningProgram(["collector", "--redis", "unix://\(redis.socket)", "--ledger", path])
        try await eventually("it waits: \(collector.errors)") { collector.errors.contains("waiting for the ledger \(path)") }
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try await Program.run(["ledger", "init", "--ledger", path]).status == 0)
        try await eventually("it goes on: \(collector.errors)") { collector.errors.contains("collector starts") }
        collector.signal(SIGTERM)
        #expect(try await collector.end() == 0)
    }

    @Test func aLedgerHasOnePlace() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("ledger.sqlite")
        let made = try await Program.run(["ledger", "init", "--ledger", "sqlite:\(path)"])
        #expect(made.status == 0, "\(made)")
        let named = try await Program.run(["mailing", "list"], environment: ["FLOTILLA_LEDGER_URL": "sqlite:\(path)"])
        #expect(named.status == 0 && named.output == "no mailings yet\n", "\(named)")
        // Both name the same one, or a copy is looked at.
        for url in [path, folder.path("other.sqlite")] {
            let both = try await Program.run(["mailing", "list", "--ledger", path], environment: ["FLOTILLA_LEDGER_URL": url])
            #expect(both.status == 0, "\(both)")
        }
        let pause = ["mailing", "pause", "x", "--ledger", path]
        let other = try await Program.run(pause, environment: ["FLOTILLA_LEDGER_URL": folder.path("other.sqlite")])
        #expect(other.status == 1 && other.errors.contains("--ledger names \(path), and ledger.url another ledger"), "\(other)")
        let recount = try await Program.run(
            ["recount", "x", "--ledger", path], environment: ["FLOTILLA_LEDGER_URL": folder.path("other.sqlite")])
        #expect(recount.status == 1 && recount.errors.contains("and ledger.url another ledger"), "\(recount)")
        let same = try await Program.run(pause, environment: ["FLOTILLA_LEDGER_URL": path])
        #expect(same.status == 1 && same.errors.contains("no mailing begins with 'x'"), "\(same)")
    }
}
