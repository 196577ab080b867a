import Foundation
import TestServers
import Testing

/// The commands that look at a mailing before it is sent.
@Suite struct MailingCheckTests {
    private struct Report: Decodable {
        struct Finding: Decodable {
            var severity: String
            var check: String
            var line: Int?
            var what: String
        }

        struct Recipients: Decodable {
            struct Excluded: Decodable {
                var reason: String
                var count: Int
            }

            var rows: Int
            var recipients: Int
            var excluded: [Excluded]
        }

        struct Spam: Decodable {
            var score: Double
            var required: Double
        }

        var findings: [Finding]
        var recipients: Recipients?
        var spam: Spam?

        func checks(_ severity: String) -> [String] { findings.filter { $0.severity == severity }.map(\.check) }
    }

    private static func check(_ folder: MailingFolder, _ arguments: [String] = []) async throws -> (Int32, Report) {
        let outcome = try await Program.run(
            ["mailing", "check", folder.mailing, "--ledger", folder.ledger, "--output", "json"] + arguments)
        return (outcome.status, try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8)))
    }

    /// A folder with a configuration of its own, which the arguments name.
    private static func tracked(_ folder: MailingFolder, _ extra: String = "") throws -> [String] {
        let settings = "tracker:\n  url: https://t.example.com\n" + extra
        return ["--config", try folder.folder.write(settings, to: "flotilla.yaml")]
    }

    @Test("Warnings are said, and leave the exit status 0; nothing is written")
    func warnings() async throws {
        let folder = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(3) + "4,nobody,x,y\n")
        let before = try FileManager.default.contentsOfDirectory(atPath: folder.folder.path).sorted()
        let (status, report) = try await Self.check(folder)
        #expect(status == 0)
        #expect(report.checks("fault").isEmpty)
        #expect(report.checks("warning").sorted() == ["no_unsubscribe_header", "no_unsubscribe_link"])
        #expect(report.recipients?.rows == 4 && report.recipients?.recipients == 3)
        #expect(report.recipients?.excluded.map(\.reason) == ["invalid_address"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.folder.path).sorted() == before)
    }

    @Test("Faults of all parts are found in one go, with an exit status of their own")
    func faults() async throws {
        let folder = try MailingFolder(
            provider: "relay", recipients: "id,email,first_name,code\n1,x,y,z\n", extra: "speed: fast\n",
            html: "<p>{{firstname}}</p><img src='x'>")
        let (status, report) = try await Self.check(folder)
        #expect(status == 7)
        #expect(report.checks("fault").sorted() == ["mailing", "provider", "recipients", "template"])
        #expect(report.checks("warning").contains("image_without_alt"))
        #expect(report.recipients?.excluded.first?.count == 1)
        let text = try await Program.run(["mailing", "check", folder.mailing])
        #expect(text.status == 7)
        #expect(text.output.contains("did you mean 'first_name'"))
    }

    @Test("The provider is tried only with --connect")
    func connect() async throws {
        let folder = try MailingFolder(provider: "smtp://127.0.0.1:\(try freePort())", recipients: MailingFolder.recipients(1))
        #expect(try await Self.check(folder).0 == 0)
        let (status, report) = try await Self.check(folder, ["--connect"])
        #expect(status == 7)
        #expect(report.checks("fault") == ["provider"])
    }

    @Test("Suppressions and earlier mailings of a ledger are looked at, and the ledger stays as it is")
    func ledger() async throws {
        let sink = try await RunningSink()
        let folder = try MailingFolder(provider: sink.url, recipients: MailingFolder.recipients(3))
        #expect(try await folder.send().status == 0)
        let suppressed = try await Program.run([
            "suppressions", "add", "person1@example.com", "--channel", "email", "--ledger", folder.ledger,
        ])
        #expect(suppressed.status == 0, "\(suppressed.errors)")
        let before = try folder.query("SELECT count(*) FROM audit; SELECT count(*) FROM mailing")
        let (status, report) = try await Self.check(folder)
        #expect(status == 0)
        #expect(report.recipients?.excluded.map(\.reason) == ["suppressed"])
        #expect(report.findings.contains { $0.check == "mailing" && $0.what.contains("was sent before") })
        #expect(try folder.query("SELECT count(*) FROM audit; SELECT count(*) FROM mailing") == before)
    }

    @Test("What cannot be read, and fields with terminal escapes")
    func badInput() async throws {
        let none = try await Program.run(["mailing", "check", "/nowhere/m.yaml"])
        #expect(none.status == 7 && none.output.contains("does not exist"))
        let folder = try MailingFolder(
            provider: "smtp://127.0.0.1:9", recipients: "id,email,first_name,code\n1,\u{1b}[2J,a,b\n2,a@example.com,\u{1b}[31mred,c\n")
        let shown = try await Program.run(["mailing", "check", folder.mailing])
        #expect(shown.status == 0 && !shown.output.contains("\u{1b}"))
        let preview = try await Program.run(["mailing", "preview", folder.mailing, "--as", "html"])
        #expect(preview.output.contains("Hello \\u{1b}[31mred") && !preview.output.contains("\u{1b}"))
        let large = try MailingFolder(
            provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(1), html: String(repeating: "<i>", count: 3_500_000))
        let (status, report) = try await Self.check(large)
        #expect(status == 7 && report.findings.first?.what.contains("is larger than 4 MB") == true)
    }

    @Test("SpamAssassin is asked for its score")
    func spam() async throws {
        let folder = try MailingFolder(
            provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(1),
            html: "<p>XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X {{code}}</p>")
        let (status, report) = try await Self.check(folder, ["--spam"])
        #expect(status == 0)
        let spam = try #require(report.spam, "apt-get install spamassassin: \(report.findings)")
        #expect(spam.score >= 1000)
        #expect(report.checks("warning").contains("spam"))
    }

    /// A message without what differs from one sending to the next: its date, the mailing's id and the boundary.
    private static func fixed(_ message: String) -> String {
        message.replacing(/Date: [A-Za-z0-9,:+ ]*/, with: "").replacing(/Message-ID: <[^.]*/, with: "").replacing(
            /=_[a-z0-9]{26}/, with: "")
    }

    @Test("A preview is the message that is sent, but for its date, id and boundary")
    func preview() async throws {
        let receiver = try await MailReceiver()
        let folder = try MailingFolder(provider: receiver.url, recipients: MailingFolder.recipients(5))
        let file = folder.folder.path("p.eml")
        let shown = try await Program.run(
            ["mailing", "preview", folder.mailing, "--recipient", "3", "--as", "source", "--write", file])
        #expect(shown.status == 0, "\(shown.errors)")
        let source = try String(contentsOfFile: file, encoding: .utf8)
        #expect(!FileManager.default.fileExists(atPath: folder.ledger))
        #expect(try await folder.send().status == 0)
        let mails = try receiver.mails()
        try #require(mails.count == 5)
        #expect(mails[3].raw.contains(".0.3@example.com>\r\n"))
        #expect(Self.fixed(source) == Self.fixed(mails[3].raw))
        #expect(try await Program.run(["mailing", "preview", folder.mailing, "--as", "source", "--write", file]).status == 1)
    }

    @Test("A preview is of the first recipient, or of whoever has the address or id")
    func recipients() async throws {
        let folder = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(5))
        let byAddress = try await Program.run(["mailing", "preview", folder.mailing, "--recipient", "PERSON3@example.com", "--as", "html"])
        #expect(byAddress.output == "<h1>Hello Zoë 3</h1>\n<p>Your code: C3</p>\n")
        #expect(try await Program.run(["mailing", "preview", folder.mailing]).output.hasPrefix("Hello Zoë 0"))
        let unknown = try await Program.run(["mailing", "preview", folder.mailing, "--recipient", "x@example.com"])
        #expect(unknown.status == 1 && unknown.errors.contains("has no 'x@example.com'"))
    }

    private static let judge = """
        import dkim, re, sys
        records = {}
        for line in open(sys.argv[2]).read().splitlines():
            records[line.split(' ')[0].rstrip('.')] = ''.join(re.findall('"([^"]*)"', line))
        find = lambda name, timeout=5: records.get(name.decode().rstrip('.'), '').encode()
        one = dkim.DKIM(open(sys.argv[1], 'rb').read())
        print([one.verify(idx=i, dnsfunc=find) for i in range(2)])
        """

    @Test("A preview has valid signatures of DKIM, by dkimpy")
    func signed() async throws {
        let folder = try MailingFolder(provider: "smtp://127.0.0.1:9", recipients: MailingFolder.recipients(1))
        let (keys, mail, verdict) = (folder.folder.path("keys"), folder.folder.path("mail.eml"), folder.folder.path("verdict"))
        let config = try folder.folder.write("email:\n  dkim: \(keys)\n", to: "flotilla.yaml")
        let made = try await Program.run(["dkim", "generate", "example.com", "--config", config])
        #expect(made.status == 0, "\(made.errors)")
        let shown = try await Program.run(
            ["mailing", "preview", folder.mailing, "--as", "source", "--config", config, "--write", mail])
        #expect(shown.status == 0, "\(shown.errors)")
        let judge = try ServerProcess(
            "/usr/bin/python3", ["-c", Self.judge, mail, try folder.folder.write(made.output, to: "records")], package: "python3-dkim",
            output: verdict)
        _ = judge.wait()
        #expect(try String(contentsOfFile: verdict, encoding: .utf8) == "[True, True]\n")
    }

    @Test("A test is sent to another address, marked, with links that count nowhere and unsubscribe nobody")
    func test() async throws {
        let receiver = try await MailReceiver()
        let folder = try MailingFolder(
            provider: receiver.url, recipients: MailingFolder.recipients(3),
            extra: "headers: {List-Unsubscribe: \"<https://shop.example/u/{{id}}>\", X-Code: \"{{code}}\"}\n",
            html: "<p>{{email}} <a href='https://shop.example/{{code}}'>x</a> <a href='{{unsubscribe_url}}'>u</a></p>")
        let sent = try await Program.run(
            ["mailing", "test", folder.mailing, "--to", "Me@Example.NET", "--recipient", "2"]
                + Self.tracked(folder, "email:\n  return_path: bounces.example.com\n"))
        #expect(sent.status == 0, "\(sent.errors)")
        #expect(sent.output.hasPrefix("accepted by \(receiver.url) for Me@example.net: 250"), "\(sent.output)")
        #expect(sent.output.contains("queued as TEST1"))
        let mail = try #require(try receiver.mails().first)
        #expect(mail.to == ["Me@example.net"])
        #expect(mail.from.hasPrefix("bounces+") && mail.from.hasSuffix("@bounces.example.com"))
        #expect(mail.raw.contains("\r\nTo: Me@example.net\r\n"))
        // `[Test] Zoë `, and the rest of the subject.
        #expect(mail.raw.contains("\r\nSubject: =?utf-8?B?W1Rlc3RdIFpvw6sg"))
        #expect(mail.raw.contains("person2@example.com") && mail.raw.contains("https://shop.example/C2"))
        #expect(mail.raw.contains("\r\nX-Code: C2\r\n") && !mail.raw.contains("https://shop.example/u/"))
        #expect(mail.raw.contains("https://t.example.com/u/"))
        for counted in ["/c/", "/o/"] { #expect(!mail.raw.contains("https://t.example.com\(counted)")) }
        #expect(!FileManager.default.fileExists(atPath: folder.ledger))
    }

    @Test("A test of an SMS goes to nobody else, whatever column the provider's body names")
    func shortMessage() async throws {
        let sink = try await RunningSink("http")
        let folder = try TemporaryFolder()
        try folder.write("id,phone,name,mobile\n1,+4915112345678,Ada,+4915117777777\n", to: "r.csv")
        let mailing = try folder.write(
            "name: S\nchannel: sms\nfrom: Shop\ntext: Hi {{name}}\nprovider: gw\nrecipients: {file: r.csv, id: id, address: phone}\n",
            to: "m.yaml")
        func test(_ column: String) async throws -> Program.Outcome {
            let body = "    body: '{\"to\":\"{{\(column)}}\",\"text\":\"{{text}}\"}'\n"
            let config = try folder.write("providers:\n  gw:\n    url: \(sink.url)/sms\n\(body)", to: "flotilla.yaml")
            return try await Program.run(["mailing", "test", mailing, "--to", "+4915119999999", "--config", config])
        }
        let other = try await test("mobile")
        #expect(other.status == 1 && other.errors.contains("does not name {{address}}"), "\(other.errors)")
        let sent = try await test("phone")
        #expect(sent.status == 0, "\(sent.errors)")
        try await sink.stop()
        #expect(try sink.lines().count == 1)
    }

    @Test("A test that the provider does not take, and addresses that are none")
    func refused() async throws {
        let folder = try MailingFolder(provider: "smtp://127.0.0.1:\(try freePort())", recipients: MailingFolder.recipients(1))
        let down = try await Program.run(["mailing", "test", folder.mailing, "--to", "me@example.com"])
        #expect(down.status == 1 && down.errors.contains("cannot connect"))
        #expect(try await Program.run(["mailing", "test", folder.mailing, "--to", "me"]).status == 1)
        #expect(try await Program.run(["mailing", "test", folder.mailing, "--to", ""]).status == 64)
        #expect(try await Program.run(["mailing", "preview", folder.mailing, "--recipient", ""]).status == 64)
    }
}
