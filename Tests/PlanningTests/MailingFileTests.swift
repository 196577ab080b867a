import Foundation
import Model
import Planning
import TestServers
import Testing
import Text

@Suite struct MailingFileTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("\u{feff}<p>Hello {{first_name}}</p>\n", to: "message.html")
        try folder.write("Hello {{first_name}}\n", to: "message.txt")
        try folder.write("id,email\n1,a@example.com\n", to: "recipients.csv")
    }

    func load(_ yaml: String, _ overrides: MailingFile.Overrides = .init()) throws -> MailingFile {
        try MailingFile.load(try folder.write(yaml, to: "mailing.yaml"), overrides: overrides)
    }

    func problems(_ yaml: String, _ overrides: MailingFile.Overrides = .init()) -> [String] {
        do {
            _ = try load(yaml, overrides)
            return []
        } catch let error as MailingFileError {
            return error.problems.map { $0.description.replacing(folder.path + "/", with: "") }
        } catch {
            return ["\(error)"]
        }
    }

    let whole = """
        name: Spring sale
        channel: email                # email, sms, webhook, messenger
        from: "Example Shop <news@example.com>"
        reply_to: help@example.com
        subject: "{{first_name}}, 20 % off until Sunday"
        html: message.html            # inline or a file beside this one
        text: message.txt             # made from the html when left out
        recipients: {file: recipients.csv, id: id, address: email}
        provider: smtp://127.0.0.1:2525
        speed: 500/s
        batch_size: 250
        attempts: 7
        lifetime: 90m
        uncertain: redeliver

        """

    @Test func readsAWholeFile() throws {
        let file = try load(whole)
        let mailing = file.mailing
        #expect(
            mailing.name == "Spring sale" && mailing.channel == .email && mailing.provider == "smtp://127.0.0.1:2525")
        #expect(mailing.from == "Example Shop <news@example.com>" && mailing.replyTo == "help@example.com")
        #expect(mailing.subject.source == "{{first_name}}, 20 % off until Sunday" && mailing.subject.line == 5)
        #expect(mailing.subject.file == folder.path + "/mailing.yaml")
        #expect(
            mailing.html == .init(source: "<p>Hello {{first_name}}</p>\n", file: folder.path + "/message.html", line: 1)
        )
        #expect(mailing.text.source == "Hello {{first_name}}\n")
        #expect(mailing.speed == "500/s" && mailing.batchSize == 250 && mailing.attempts == 7)
        #expect(mailing.lifetime == 5_400 && mailing.uncertain == .redeliver)
        #expect(
            file.recipients
                == RecipientSource(
                    file: folder.path + "/recipients.csv", format: .csv, id: "id", address: "email"))
    }

    @Test func readsWhatIsSaidOfOpensAndClicks() throws {
        let unsaid = try load(whole).tracking
        #expect(unsaid.isCounted == nil && unsaid.campaign.isEmpty && unsaid.place == nil)
        let off = try load(whole + "tracking: no\n").tracking
        #expect(off.isCounted == false && off.place == nil)
        let file = try load(whole + "tracking: true\nutm: {source: news, campaign: \"a & b\"}\n").tracking
        #expect(file.isCounted == true && file.campaign == ["source": "news", "campaign": "a & b"])
        #expect(file.place == folder.path + "/mailing.yaml:15:11")
        let unless = try load(whole + "tracking: {unless: private}\n").tracking
        #expect(unless.isCounted == true && unless.unless == "private" && unless.place == folder.path + "/mailing.yaml:15:11")
        #expect(file.unless == nil)
    }

    @Test(arguments: [
        ("tracking: maybe", "15:11: tracking: 'maybe' is not allowed; it is true, false or {unless: COLUMN}"),
        ("tracking: {}", "15:11: tracking: is empty; it is true, false or {unless: COLUMN}"),
        ("tracking: {unless: }", "15:12: tracking.unless: is empty"),
        ("tracking: {unles: x}", "15:12: tracking.unles: is no key of tracking, which has 'unless: COLUMN'"),
        ("tracking: {unless: [x]}", "15:20: tracking.unless: must be a text"),
        ("utm: news", "15:6: utm: must be a mapping: {source: newsletter, medium: email, campaign: spring}"),
        ("utm: {sorce: x}", "15:7: utm.sorce: is no parameter; did you mean 'source'?"),
        ("utm: {source: \"{{name}}\"}", "15:15: utm.source: has merge fields in it"),
        ("tracking: false\nutm: {source: x}", "16:1: utm: is only used in links that are counted"),
    ]) func refusesWhatCannotBeOfOpensAndClicks(_ line: String, _ expected: String) {
        let found = problems(whole + line + "\n")
        #expect(found.count == 1 && found[0].hasPrefix("mailing.yaml:" + expected), "\(found)")
    }

    let short = """
        name: x
        channel: email
        from: a@example.com
        subject: Hi
        text: Hello
        recipients: {file: recipients.csv, address: email}
        provider: smtp://localhost

        """

    /// Content, name and speed do not count, and neither do links to the file.
    @Test func isKnownByItsKeyOrElseByItsFile() throws {
        let plain = try load(whole)
        #expect(plain.identity == .file(RealPath.of(folder.path + "/mailing.yaml")))
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/link.yaml", withDestinationPath: "mailing.yaml")
        #expect(try MailingFile.load(folder.path + "/link.yaml").identity == plain.identity)
        #expect(try load(whole + "key: spring 2026\n").identity == .key("spring 2026"))
        #expect(MailingIdentity("key:a:b") == .key("a:b") && MailingIdentity("\(plain.identity)") == plain.identity)
        #expect(MailingIdentity("") == nil && MailingIdentity("key:") == nil)
        #expect(problems(whole + "key: ''\n").first?.contains("key: is empty") == true)
        #expect(problems(whole + "key: \(String(repeating: "x", count: 201))\n").first?.contains("longer than 200 bytes") == true)
    }

    @Test func readsRepliesAndPreheader() throws {
        let text = short.replacing("text: Hello", with: "html: <p>\nreply_to: \"{{owner}} <{{mail}}>\"\npreheader: Only {{name}}")
        let mailing = try load(text).mailing
        #expect(mailing.replyTo == "{{owner}} <{{mail}}>")
        #expect(mailing.preheader == .init(source: "Only {{name}}", file: folder.path + "/mailing.yaml", line: 7))
        #expect(
            problems(short + "preheader: x\n") == ["mailing.yaml:8:1: preheader: stands in the HTML, and the mailing has none; add html"])
        let broken = problems(short + "html: <p>\npreheader: \"a\\nb\"\nreply_to: \"{{a}}\\r\\nBcc: x\"\n")
        #expect(broken.count == 2 && broken.allSatisfy { $0.contains("has a line break or another control character") }, "\(broken)")
    }

    /// A category says what people can be unsubscribed from, and not which mailing it is.
    @Test func theCategoryIsNoPartOfTheIdentity() throws {
        let file = try load(whole + "category: news\n")
        #expect(try file.mailing.category == "news" && file.identity == load(whole).identity)
        #expect(try load(short).mailing.category == nil)
    }

    @Test func hasDefaultsForWhatIsOptional() throws {
        let file = try load(short)
        #expect(file.mailing.speed == nil && file.mailing.batchSize == 500 && file.mailing.attempts == 5)
        #expect(file.mailing.lifetime == 86_400 && file.mailing.uncertain == .redeliver && file.mailing.html.isEmpty)
        #expect(file.recipients.id == "" && file.recipients.country == nil)
    }

    @Test func tellsWhereInlineTemplatesStart() throws {
        let file = try load(short.replacing("text: Hello\n", with: "text: |\n\n  Hello\n  {{name}}\nhtml: \"<p>\"\n"))
        #expect(file.mailing.text == .init(source: "\nHello\n{{name}}\n", file: folder.path + "/mailing.yaml", line: 6))
        #expect(file.mailing.html.line == 9)
    }

    @Test func aBlockIsNeverAFileName() throws {
        #expect(
            try load(short.replacing("text: Hello", with: "text: |\n  see notes.txt")).mailing.text.source
                == "see notes.txt\n")
        #expect(
            problems(short.replacing("text: Hello", with: "text: notes.txt")) == [
                "mailing.yaml:5:7: text: the file notes.txt does not exist; check the path"
            ])
    }

    @Test func readsTheOtherChannels() throws {
        try folder.write("{\"id\":1}\n", to: "r.jsonl")
        let sms = try load(
            "name: x\nchannel: sms\ntext: Hi {{name}}\nrecipients: {file: r.jsonl, address: phone, country: de}\nprovider: gateway\n"
        )
        #expect(
            sms.mailing.text.source == "Hi {{name}}" && sms.recipients.format == .ndjson
                && sms.recipients.country == "DE")
        let hook = try load(
            "name: x\nchannel: webhook\nbody: '{\"a\": \"{{a}}\"}'\nrecipients: {file: r.jsonl, address: id}\n"
                + "provider: https://x.example/hook\n")
        #expect(hook.mailing.body.source == "{\"a\": \"{{a}}\"}" && hook.mailing.provider == "https://x.example/hook")
    }

    @Test func theCommandLineWins() throws {
        let other = try folder.write("{\"id\":1}\n", to: "other.ndjson")
        let yaml = short.replacing("file: recipients.csv, ", with: "").replacing(
            "provider: smtp://localhost\n", with: "")
        let file = try load(yaml, .init(recipients: other, provider: "smtp://mail.example"))
        #expect(file.recipients.file == other && file.recipients.format == .ndjson)
        #expect(file.mailing.provider == "smtp://mail.example")
        #expect(problems(yaml, .init(recipients: other + "x", provider: "http://x")).count == 3)
    }

    @Test func readsAStartAndWhatToDoWhenItIsMissed() throws {
        let start = "start: \"2026-12-01T09:00:00+01:00\"\n"
        let whole = try load(short + start + "late: send\nmax_delay: 90m\n")
        #expect(whole.start == 1_796_112_000_000)
        #expect(whole.mailing.late == .send && whole.mailing.maximumDelay == 5_400)
        // The quotation marks may be left out.
        let plain = try load(short + start.replacing("\"", with: ""))
        #expect(plain.start == whole.start && plain.mailing.late == nil && plain.mailing.maximumDelay == nil)
        #expect(try load(short).start == nil)
    }

    @Test(
        arguments: [
            (
                "start: 2026-12-01T09:00:00",
                "mailing.yaml:8:8: start: '2026-12-01T09:00:00' does not say its offset from UTC; write it as "
                    + "2026-12-01T09:00:00+01:00, or with Z for UTC"
            ),
            ("start: tomorrow", ":8:8: start: 'tomorrow' is no time; write date, time and offset"),
            ("start: 2026-12-01", "is no time"), ("start: 2026-02-30T09:00:00Z", "is no day or time of the calendar"),
            ("start: [2026]", "start: must be a text"),
            ("late: send", "mailing.yaml:8:1: late: is only used together with start; leave it out"),
            ("max_delay: 1h", "max_delay: is only used together with start"),
            ("start: 2026-12-01T09:00:00Z\nlate: drop", ":9:7: late: 'drop' is not allowed; it is one of hold, send"),
            ("start: 2026-12-01T09:00:00Z\nmax_delay: soon", "max_delay: 'soon' is no length of time"),
            ("start: 2026-12-01T09:00:00Z\nmax_delay: 400d", "max_delay: is longer than 365d"),
        ])
    func refusesAScheduleThatIsNotClear(_ lines: String, _ part: String) {
        let found = problems(short + lines + "\n")
        #expect(found.count == 1 && found[0].contains(part), "\(found)")
    }

    @Test func tellsEverythingThatIsWrongAtOnceEachWithItsPlace() {
        let found = problems(
            """
            name:
            chanel: email
            channel: e-mail
            from: [a]
            subject: Hi
            recipients: {file: none.csv, adress: email}
            provider: smtp://user:secret@mail.example
            speed: 500
            batch_size: 20000
            attempts: five
            lifetime: 5 days
            uncertain: drop
            """)
        #expect(
            found == [
                "mailing.yaml:1:1: name: is empty; give it a value or leave it out",
                "mailing.yaml:2:1: chanel: is no key of a mailing; did you mean 'channel'? "
                    + "(the keys are name, key, channel, recipients, provider, speed, batch_size, attempts, lifetime, uncertain, "
                    + "start, late, max_delay, category, from, reply_to, headers, subject, preheader, html, text, body, "
                    + "attachments, inline, calendar, tracking, utm)",
                "mailing.yaml:3:10: channel: 'e-mail' is not allowed; did you mean 'email'? (it is one of email, sms, webhook, messenger)",
                "mailing.yaml:6:13: recipients.address: is missing: the column of the address",
                "mailing.yaml:6:20: recipients.file: none.csv does not exist; check the path",
                "mailing.yaml:6:30: recipients.adress: is no key of recipients; did you mean 'address'? (the keys are file, format, id, "
                    + "address, country)",
                "mailing.yaml:7:11: provider: has a password in it, which a file or a process list would show; name the provider in "
                    + "flotilla.yaml and set its password in the environment",
                "mailing.yaml:8:8: speed: '500' is no rate limit: needs a number, a slash and a unit. Write it as 500/s or "
                    + "6000/min,burst=50 (units: s, min, h, d).",
                "mailing.yaml:9:13: batch_size: '20000' is no whole number from 1 to 10000",
                "mailing.yaml:10:11: attempts: 'five' is no whole number from 1 to 100",
                "mailing.yaml:11:11: lifetime: '5 days' is no length of time; write it as 24h, 90m, 2d or 1h30m (units: d, h, m, s)",
                "mailing.yaml:12:12: uncertain: 'drop' is not allowed; it is one of redeliver, hold",
            ])
    }

    @Test(
        arguments: [
            ("from: a@example.com\n", "", "from: is missing"), ("subject: Hi\n", "", "subject: is missing"),
            ("text: Hello\n", "", "html: is missing; an e-mail needs html or text"),
            ("text: Hello\n", "text: Hello\nbody: x\n", ":6:1: body: is not used by the channel email"),
            ("a@example.com", "Shop", ":3:7: from: 'Shop' has no valid address: no @"),
            ("a@example.com", "\"{{x}}@example.com\"", "from: has merge fields"),
            ("a@example.com", "\"A\\r\\nBcc: b@example.com <a@example.com>\"", "has a line break"),
            ("subject: Hi", "subject: \"a\\nb\"", "subject: has a line break"),
            (
                "smtp://localhost", "http://localhost",
                ":7:11: provider: has the scheme http, but the channel email goes by smtp or smtps"
            ),
            ("smtp://localhost", "local host", "provider: is no URL"),
            ("{file: recipients.csv, address: email}", "r.csv", "must be a mapping"),
            ("recipients.csv", "recipients.csv, country: DE", "country: is only used by the channel sms"),
            ("recipients.csv", "message.html", "does not say its format"),
            ("recipients.csv", "recipients.csv, format: xls", "one of csv, ndjson"),
            ("text: Hello", "text: Hello\ntext: Bye", "has the key 'text' twice"),
            ("name: x", "name: x: y", "is not valid YAML"),
            ("name: x", "name: [", "is not valid YAML"),
            ("name: x", "name: &n x", ":1:7: has an anchor or alias"),
            ("name: x", "name: {a: b}", ":1:7: name: must be a text or a number"),
            ("text: Hello", "text:", "mailing.yaml:5:1: text: is empty"),
            ("smtp://localhost", "smtp://localhost\nlifetime: 400d", "longer than 365d"),
            ("name: x", "name: x\ncategory: Spring News", "mailing.yaml:2:11: category: 'Spring News' is no category"),
            ("name: x", "name: x\ncategory: all", "stands for all mailings"),
            ("name: x", "name: x\ncategory: [a]", "category: must be a text or a number"),
        ])
    func refusesSayingWhereAndWhy(_ old: String, _ new: String, _ part: String) {
        let found = problems(short.replacing(old, with: new))
        #expect(found.contains { $0.contains(part) }, "\(found)")
    }
}
