import Foundation
import TestServers
import Testing

/// What goes wrong at 3 a.m.: each fault ends with a clear word, and nothing is sent that should not be.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct BadInputTests {
    /// Sends with broken recipients.
    private func send(recipients: String) async throws -> Program.Outcome {
        try await MailingFolder(provider: "smtp://127.0.0.1:9", recipients: recipients).send()
    }

    @Test(arguments: [
        ("", "empty"), ("id,email,first_name,code\n", "no recipients"),
        ("id,mail,first_name,code\n1,a@example.com,A,1\n", "did you mean 'mail'"),
    ])
    func aFileWithoutRecipientsIsRefused(recipients: String, words: String) async throws {
        let outcome = try await send(recipients: recipients)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("recipients.csv") && outcome.errors.contains(words), "\(outcome.errors)")
    }

    @Test func aReportIsNotWrittenOverWhatIsRead() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(3))
        let add = try await Program.run(["mailing", "add", mailing.mailing, "--ledger", mailing.ledger])
        #expect(add.status == 0, "\(add.errors)")
        for target in [mailing.mailing, mailing.folder.path("recipients.csv"), mailing.ledger] {
            let before = try Data(contentsOf: URL(fileURLWithPath: target))
            let refused = try await mailing.send(["--report", target])
            #expect(refused.status == 1 && refused.errors.contains("which the mailing needs"), "\(refused.errors)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == before)
        }
        // The rights of a file that is no ledger are not changed.
        let table = mailing.folder.path("recipients.csv")
        #expect(chmod(table, 0o644) == 0)
        let wrong = try await Program.run(["mailing", "list", "--ledger", table])
        #expect(wrong.status == 1, "\(wrong.errors)")
        let rights = try FileManager.default.attributesOfItem(atPath: table)[.posixPermissions] as? Int
        #expect(rights == 0o644)
    }

    enum BrokenRow: String, CaseIterable {
        case ragged = "2,b@example.com"
        case zero = "2,b@example.com,\u{0},2"
        case unterminated = "2,b@example.com,\"B,2"
        case tenMegabytes

        var text: String {
            self == .tenMegabytes ? "2,b@example.com,\(String(repeating: "x", count: 10_000_000)),2" : rawValue
        }
    }

    @Test(arguments: BrokenRow.allCases)
    func aBrokenRowIsExcludedAndNoOther(row: BrokenRow) async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(
            provider: sink.url, recipients: "id,email,first_name,code\n1,a@example.com,A,1\n\(row.text)\n3,c@example.com,C,3\n")
        let outcome = try await mailing.send()
        #expect(outcome.status == 0, "\(outcome.errors.prefix(2000))")
        #expect(outcome.output.contains(/excluded: invalid_row +1\n/), "\(outcome.output)")
        try await sink.stop()
        #expect(try sink.arrived().count == 2)
    }

    @Test(arguments: ["send mailing.yaml", "up"]) func moreConnectionsThanFilesAreRefused(command: String) async throws {
        let folder = try TemporaryFolder()
        try folder.write("providers: {main: {url: 'smtp://127.0.0.1:9', connections: 5000}}\n", to: "flotilla.yaml")
        try folder.write("id,email\n1,a@example.com\n", to: "r.csv")
        try folder.write(
            """
            {name: m, channel: email, provider: main, from: a@example.com, subject: s, text: t,
             recipients: {file: r.csv, id: id, address: email}}
            """, to: "mailing.yaml")
        let program = try RunningProgram(shell: "cd \(folder.path) && ulimit -n 256 && exec \(Program.path) \(command)")
        #expect(try await program.end(within: 60) == 1)
        #expect(program.errors.contains("providers.main.connections is 5000, but this process may open 256 files"), "\(program.errors)")
    }

    @Test func aWebhookBodyThatIsNoJSONIsRefused() async throws {
        let mailing = try MailingFolder(
            provider: "http://127.0.0.1:9/", recipients: MailingFolder.recipients(2), body: #"{"to":"{{email}}", x}"#)
        let outcome = try await mailing.send()
        #expect(outcome.status == 1 && outcome.errors.contains("not JSON"), "\(outcome.errors)")
    }

    @Test func aTemplateIsNotBlamedForTheValuesOfTheFirstRows() async throws {
        let sink = try await RunningSink("http")
        let rows = (1...1_500).map { "\($0),a\($0)@example.com,\($0 == 1_500 ? "7" : "bad")\n" }
        for (rows, status) in [(rows, 0), (rows.dropLast(), 5)] as [([String], Int32)] {
            let mailing = try MailingFolder(
                provider: sink.url, recipients: "id,email,v\n" + rows.joined(), body: #"{"to":"{{email}}","v":{{v}}}"#)
            let outcome = try await mailing.send()
            #expect(outcome.status == status, "\(outcome.errors)")
            #expect(outcome.output.contains(/excluded: invalid_body +1,?499\n/), "\(outcome.output)")
            #expect(outcome.errors.contains("none of the first 100 recipients can be sent to"), "\(outcome.errors)")
        }
        try await sink.stop()
        #expect(try sink.lines().count == 1)
    }

    @Test func aRowThatWouldSpoilTheBodyIsExcludedWhereverItStands() async throws {
        for first in [true, false] {
            let sink = try await RunningSink("http")
            let rows = ["1,a@example.com,A,\n", "2,b@example.com,B,7\n"]
            let mailing = try MailingFolder(
                provider: sink.url, recipients: "id,email,first_name,code\n" + (first ? rows : rows.reversed()).joined(),
                body: #"{"to":"{{email}}","code":{{code}}}"#)
            let outcome = try await mailing.send()
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.contains(/excluded: invalid_body +1\n/), "\(outcome.output)")
            try await sink.stop()
            #expect(try sink.lines().count == 1)
        }
    }

    @Test func anUnknownMergeFieldIsNamedWithItsPlace() async throws {
        let mailing = try MailingFolder(
            provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(1),
            html: "<p>Hello</p>\n<p>{{first_nme}}</p>\n")
        let outcome = try await mailing.send()
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("message.html:2:") && outcome.errors.contains("first_name"), "\(outcome.errors)")
    }

    @Test func brokenMustacheIsNamedWithItsPlace() async throws {
        let mailing = try MailingFolder(
            provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(1), html: "<p>{{#code}}never closed</p>\n")
        let outcome = try await mailing.send()
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("message.html:1:"), "\(outcome.errors)")
    }

    @Test func anUnknownKeyOfTheMailingIsNamedWithItsPlace() async throws {
        let mailing = try MailingFolder(
            provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(1), extra: "sped: 5/s\n")
        let outcome = try await mailing.send()
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("mailing.yaml:9") && outcome.errors.contains("speed"), "\(outcome.errors)")
    }

    @Test func anUnknownSettingIsNamed() async throws {
        let mailing = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(1))
        let outcome = try await mailing.send(environment: ["FLOTILLA_REDDIS_URL": "x"])
        #expect(outcome.status != 0)
        #expect(outcome.errors.contains("FLOTILLA_REDDIS_URL"), "\(outcome.errors)")
    }

    @Test func anUnreachableRedisIsNamed() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(1))
        let port = try freePort()
        let outcome = try await mailing.send(
            ["--redis", "redis://127.0.0.1:\(port)"], environment: ["FLOTILLA_REDIS_TIMEOUT": "500ms"])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("Redis at redis://127.0.0.1:\(port)/0 cannot be reached"), "\(outcome.errors)")
    }

    @Test func aRedisThatAsksForAPasswordIsNamedAndThePasswordIsNot() async throws {
        let sink = try await RunningSink()
        let port = try freePort()
        let redis = try await RedisServer(["--requirepass", "sesam"], port: port)
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(3))
        let without = try await mailing.send(["--redis", "redis://127.0.0.1:\(port)"])
        #expect(without.status == 1 && without.errors.contains("FLOTILLA_REDIS_PASSWORD"), "\(without.errors)")
        let wrong = try await mailing.send(
            ["--redis", "redis://127.0.0.1:\(port)"], environment: ["FLOTILLA_REDIS_PASSWORD": "hunter2"])
        #expect(wrong.status == 1 && !wrong.errors.contains("hunter2"))
        let right = try await mailing.send(
            ["--redis", "redis://127.0.0.1:\(port)"], environment: ["FLOTILLA_REDIS_PASSWORD": "sesam"])
        #expect(right.status == 0, "\(right.errors)")
        redis.stop()
        try await sink.stop()
        #expect(try sink.arrived().count == 3)
    }

    @Test func aProviderThatRefusesConnectionsIsNamedBeforeAnythingIsSent() async throws {
        let port = try freePort()
        let mailing = try MailingFolder(
            provider: "smtp://127.0.0.1:\(port)", recipients: MailingFolder.recipients(1))
        let outcome = try await mailing.send()
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("127.0.0.1:\(port)") && outcome.errors.contains("refused"), "\(outcome.errors)")
    }

    @Test func aProviderThatNeverResponsesIsGivenUp() async throws {
        let folder = try TemporaryFolder()
        let mute = try SilentServer()
        let mailing = try MailingFolder(provider: "mute", recipients: MailingFolder.recipients(1))
        let config = try folder.write(
            "providers:\n  mute:\n    url: smtp://127.0.0.1:\(mute.port)\n    connect_timeout: 500ms\n    timeout: 500ms\n",
            to: "flotilla.yaml")
        let start = ContinuousClock.now
        let outcome = try await mailing.send(["--config", config])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("mute") && ContinuousClock.now - start < .seconds(40), "\(outcome.errors)")
    }

    @Test func aProviderThatIsBusyAtTheStartIsTriedAgain() async throws {
        let sink = try await RunningSink("smtp", ["--max-connections", "1"])
        let port = try #require(sink.url.split(separator: ":").last)
        // The only connection.
        let other = try RunningProgram(shell: "exec 3<>/dev/tcp/127.0.0.1/\(port); head -1 <&3; sleep 100")
        try await eventually("the connection is taken") { other.output.hasPrefix("220") }
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(5))
        let running = try RunningProgram(["send", mailing.mailing, "--ledger", mailing.ledger])
        try await eventually("the check has failed") { running.errors.contains("the mailing begins all the same") }
        #expect(running.errors.contains("421"))
        other.signal(SIGKILL)
        #expect(try await running.end() == 0, "\(running.errors)")
        #expect(try sink.arrived().count == 5)
    }

    @Test func twoSendsOnOneLedgerDoNotMeet() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(
            provider: sink.url, recipients: MailingFolder.recipients(300), extra: "speed: 10/s\n")
        let first = try RunningProgram(["send", mailing.mailing, "--ledger", mailing.ledger])
        try await eventually("the first sends") { try !sink.lines().isEmpty }
        let second = try await mailing.send()
        #expect(second.status == 1)
        #expect(second.errors.contains("process \(first.process.pid)"), "\(second.errors)")
        #expect(try await mailing.run("speed", "1000/s").status == 0)
        #expect(try await first.end() == 0)
        try await sink.stop()
        #expect(try sink.arrived().count == 300)
    }

    @Test func aLedgerOfANewerReleaseIsLeftAlone() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(1))
        #expect(try await mailing.send().status == 0)
        let shell = try ServerProcess(
            "sqlite3", [mailing.ledger, "INSERT INTO grdb_migrations VALUES ('from the future')"], package: "sqlite3")
        #expect(shell.wait() == 0)
        let outcome = try await mailing.send(["--again"])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("newer release"), "\(outcome.errors)")
    }

    @Test func aFullDiskUnderTheLedgerLosesNothing() async throws {
        let sink = try await RunningSink()
        let mailing = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(20_000))
        let disk = mailing.folder.path("disk")
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        // A small disk of its own, in a namespace of its own: root alone can have one.
        let script = """
            mount -t tmpfs -o size=700k tmpfs "$1" && shift && exec "$@"
            """
        let log = mailing.folder.path("log")
        let process = try ServerProcess(
            "unshare",
            [
                "--map-root-user", "--mount", "env", "-u", "FLOTILLA_TEST_PYTHON", "-u", "FLOTILLA_MUSTACHE_SPEC", "sh", "-c", script, "sh",
                disk, Program.path, "send", mailing.mailing, "--ledger", disk + "/ledger.sqlite",
            ],
            package: "util-linux", output: log)
        func words() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
        try await eventually("the disk is full: \(words())") {
            words().contains("no room is left for the ledger") || !process.isRunning
        }
        process.signal(SIGINT)
        #expect(try await eventually("it ends") { process.ended } != 0)
        #expect(words().contains("no room is left for the ledger"), "\(words())")
        try await sink.stop()
        #expect(try sink.lines().isEmpty)
    }
}
