import Foundation
import TestServers
import Testing

/// docs/operations.md, "Exit status": one rule for all commands.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ExitStatusTests {
    /// 64: wrong whatever the ledger, the files and the settings hold.
    @Test(arguments: [
        ["nonsense"], ["send"], ["send", "x.yaml", "--nonsense"], ["send", "x.yaml", "--concurrency", "0"],
        ["send", "x.yaml", "--actor", ""],
        ["send", "x.yaml", "--again", "--only-new"], ["send", "x.yaml", "--provider", "ftp://x"], ["mailing", "add"],
        ["mailing", "add", "x.yaml", "--provider", "smtp://"], ["mailing", "show", ""], ["mailing", "speed", "x", "fast"],
        ["mailing", "excluded", "x", "--limit", "0"], ["mailing", "excluded", "x", "--reason", "x"],
        ["mailing", "excluded", "x", "--skipped", "--after", "1"], ["mailing", "uncertain", "x", "--resend"],
        ["mailing", "recipient", "x", ""], ["mailing", "history", ""], ["mailing", "list", "--limit", "0"],
        ["mailing", "list", "--redis", "nonsense"], ["mailing", "pause", "x", "--redis", "redis://u:p@h"],
        ["limit", "set", "nonsense", "1/s"], ["limit", "set", "channel:sms", "fast"], ["limit", "set", "mailing:x", "1/s"],
        ["audit", "--since", "yesterday"], ["audit", "--limit", "0"], ["dead", "retry"], ["dead", "drop", "1", "--all"],
        ["ledger", "prune", "--older-than", "long"], ["ledger", "restore"], ["suppressions", "add"], ["suppressions", "add", "x"],
        ["suppressions", "add", "a@b.de", "--category", "A B"], ["suppressions", "add", "a@b.de", "--channel", "fax"],
        ["suppressions", "add", "a@b.de", "--expiry", "soon"], ["suppressions", "add", "a@b.de", "--expiry", "2020-01-01"],
        ["suppressions", "undo"], ["suppressions", "undo", "--reason", "hard_bounce", "--since", "soon"],
        ["suppressions", "add", "nobody", "--channel", "email"], ["suppressions", "add", "1", "--channel", "sms", "--country", "X"],
        ["suppressions", "remove", "nobody", "--channel", "email"], ["suppressions", "check", "x", "--channel", "email"],
        ["suppressions", "check", " "], ["suppressions", "list", "--category", "A B"], ["suppressions", "list", "--limit", "0"],
        ["suppressions", "import", "x.csv", "--category", "A B"], ["suppressions", "categories", "add"],
        ["suppressions", "categories", "add", "A B"], ["suppressions", "categories", "add", "all"], ["top", "--every", "0"],
        ["responses", "--stage", "rcpt"], ["recipient", "find"], ["recipient", "find", "--message-id", ""],
        ["recipient", "erase", " "], ["recipient", "erase", "a@b.de", "--country", "X"], ["ledger", "backup", "-"],
    ])
    func aCommandLineThatIsWrongByItselfIs64(command: [String]) async throws {
        let folder = try TemporaryFolder()
        let ledger = command[0] == "responses" || command == ["nonsense"] ? [] : ["--ledger", folder.path("ledger.sqlite")]
        for arguments in [command, command + ledger] {
            let outcome = try await Program.run(arguments)
            #expect(outcome.status == 64 && outcome.errors.hasPrefix("error: ") && outcome.output.isEmpty, "\(arguments): \(outcome)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    /// A password in the command line is wrong whatever it opens, as that of `--redis` is.
    @Test(arguments: [
        ["mailing", "list"], ["mailing", "pause", "x"], ["send", "x.yaml"], ["ledger", "check"], ["recipient", "erase", "a@b.de"],
    ])
    func aPasswordThatEveryoneCouldReadIs64(command: [String]) async throws {
        for ledger in ["postgres://user:secret@host/flotilla", "mysql://host/x"] {
            let refused = try await Program.run(command + ["--ledger", ledger])
            #expect(refused.status == 64 && refused.errors.hasPrefix("error: --ledger") && !refused.errors.contains("secret"), "\(refused)")
        }
    }

    /// 1 where what is named is not there or does not fit; 0 where all is as asked, or was so already, or a search finds nobody.
    @Test func whatIsNotThereOrDoesNotFitIs1AndWhatIsSoAlreadyIs0() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(2))
        try #require(try await mailing.send().status == 0)
        let id = try await mailing.id()
        let empty = try mailing.folder.write("", to: "empty.csv")
        let copy = mailing.folder.path("copy")
        let table: [(Int32, [String])] = [
            (1, ["send", "none.yaml"]), (1, ["send", mailing.mailing, "--recipients", "none.csv"]),
            (1, ["send", mailing.mailing, "--provider", "nosuch"]), (1, ["send", mailing.mailing, "--report", mailing.folder.path]),
            (6, ["send", mailing.mailing]), (6, ["mailing", "add", mailing.mailing]), (0, ["send", mailing.mailing, "--only-new"]),
            (0, ["mailing", "list"]), (0, ["mailing", "show", id]), (1, ["mailing", "show", "zzz"]), (0, ["mailing", "report", id]),
            (1, ["mailing", "report", "zzz"]), (0, ["mailing", "excluded", id]), (0, ["mailing", "excluded", id, "--skipped"]),
            (1, ["mailing", "excluded", "zzz"]), (0, ["mailing", "recipient", id, "person1@example.com"]),
            (1, ["mailing", "recipient", id, "stranger@example.com"]), (0, ["mailing", "history", "stranger@example.com"]),
            (1, ["mailing", "pause", id]), (1, ["mailing", "resume", id]), (1, ["mailing", "stop", id]),
            (1, ["mailing", "speed", id, "1/s"]),
            (0, ["mailing", "uncertain", id]), (0, ["mailing", "uncertain", id, "--settle", "sent", "--all"]),
            (1, ["mailing", "uncertain", id, "--settle", "sent", "--recipient", "person1@example.com"]),
            (0, ["limit", "list"]), (1, ["limit", "set", "provider:nosuch", "1/s"]), (1, ["limit", "clear", "channel:sms"]),
            (0, ["limit", "set", "channel:sms", "1/s"]), (0, ["limit", "clear", "channel:sms"]), (0, ["audit"]),
            (0, ["audit", "--mailing", id]), (1, ["audit", "--mailing", "zzz"]), (0, ["receipts", "list"]), (0, ["dead", "list"]),
            (1, ["dead", "show", "7"]),
            (1, ["dead", "drop", "7"]), (0, ["dead", "drop", "--all"]), (0, ["ledger", "check"]), (0, ["ledger", "migrate"]),
            (1, ["ledger", "init"]), (0, ["ledger", "backup", copy]), (1, ["ledger", "backup", mailing.folder.path]),
            (1, ["ledger", "prune"]), (0, ["ledger", "prune", "--older-than", "1d"]), (0, ["suppressions", "list"]),
            (0, ["suppressions", "check", "a@example.com"]), (0, ["suppressions", "add", "a@example.com"]),
            (0, ["suppressions", "add", "a@example.com"]), (0, ["suppressions", "check", "a@example.com"]),
            (1, ["suppressions", "add", "a@example.com", "--category", "news"]), (0, ["suppressions", "categories", "list"]),
            (0, ["suppressions", "categories", "add", "news"]), (0, ["suppressions", "categories", "add", "news"]),
            (0, ["suppressions", "categories", "remove", "news"]), (1, ["suppressions", "categories", "remove", "news"]),
            (1, ["suppressions", "remove", "b@example.com"]), (1, ["suppressions", "remove", "b@example.com", "--output", "json"]),
            (1, ["suppressions", "remove", "a@example.com", "b@example.com"]), (1, ["suppressions", "import", "none.csv"]),
            (1, ["suppressions", "import", empty]), (0, ["suppressions", "export"]),
            (1, ["suppressions", "export", mailing.folder.path("no/such")]), (1, ["suppressions", "export", mailing.mailing]),
            (1, ["send", mailing.mailing, "--report", mailing.mailing]), (0, ["recipient", "find", "--message-id", "none"]),
            (0, ["recipient", "erase", "stranger@example.com", "--yes"]), (1, ["recipient", "erase", "stranger@example.com"]),
        ]
        for (status, command) in table {
            let outcome = try await Program.run(command + ["--ledger", mailing.ledger])
            #expect(outcome.status == status, "\(command): \(outcome)")
            // An order that is logged as refused is no success, and the other way round.
            #expect(!outcome.errors.contains("order refused") || status != 0, "\(command): \(outcome)")
            #expect(status != 1 || !outcome.errors.isEmpty, "\(command): \(outcome)")
        }
        try await sink.stop()
    }
}
