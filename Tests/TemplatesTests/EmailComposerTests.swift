import Model
import Testing

@testable import Templates

@Suite struct EmailComposerTests {
    static let headerNames = [
        "Date", "From", "Reply-To", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type",
    ]

    static func mailing(
        from: String = "Example Shop <news@example.com>", replyTo: String = "help@example.com",
        subject: String = "Hello {{name}}", html: String = "", text: String = "",
        fields: [String] = ["id", "address", "name"],
        nested: [String] = []
    ) -> Mailing {
        var mailing = Mailing(name: "x", channel: .email, provider: "smtp://127.0.0.1", fields: fields)
        mailing.from = from
        mailing.replyTo = replyTo
        mailing.subject = Mailing.Template(source: subject, file: "mailing.yaml", line: 4)
        mailing.html = Mailing.Template(source: html, file: "message.html")
        mailing.text = Mailing.Template(source: text, file: "message.txt")
        mailing.nestedFields = nested
        return mailing
    }

    static func composer(_ mailing: Mailing) throws -> EmailComposer {
        var generator = SeededGenerator(seed: 1)
        return try EmailComposer(mailing: mailing, using: &generator)
    }

    static func compose(
        _ composer: EmailComposer, _ values: [String], eightBit: Bool = true, smtpUTF8: Bool = false
    ) throws -> [UInt8] {
        let id = try #require(MailingID("0123456789abc"))
        var out: [UInt8] = []
        composer.compose(
            recipients(values), row: 0, of: BatchID(mailing: id, number: 12), date: 1_751_364_000_999,
            for: MailExtensions(eightBitMIME: eightBit, smtpUTF8: smtpUTF8), into: &out)
        return out
    }

    @Test func writesTheWholeMessage() throws {
        let composer = try Self.composer(
            Self.mailing(html: "<p>Dear {{name}},</p>\n.dot\n", text: "Dear {{name}},\n.\n{{name}}"))
        let message = try Self.compose(composer, ["1", "ann@example.org", "Änn & <co>"])
        let boundary = try #require(
            String(decoding: message, as: UTF8.self).firstMatch(of: /boundary="(=_[a-z0-9]{26})"/)?.1)
        let expected = """
            Date: Tue, 01 Jul 2025 10:00:00 +0000
            From: Example Shop <news@example.com>
            Reply-To: help@example.com
            To: ann@example.org
            Subject: =?utf-8?B?SGVsbG8gw4RubiAmIDxjbz4=?=
            Message-ID: <0123456789abc.12.0@example.com>
            MIME-Version: 1.0
            Content-Type: multipart/alternative; boundary="\(boundary)"
            Content-Transfer-Encoding: 8bit

            --\(boundary)
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: 8bit

            Dear Änn & <co>,
            ..
            Änn & <co>
            --\(boundary)
            Content-Type: text/html; charset=utf-8
            Content-Transfer-Encoding: 8bit

            <p>Dear Änn &amp; &lt;co&gt;,</p>
            ..dot
            --\(boundary)--

            """
        #expect(
            String(decoding: message, as: UTF8.self)
                == expected.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n"))
    }

    @Test func textAloneIsASinglePart() throws {
        let composer = try Self.composer(Self.mailing(replyTo: "", text: "Hi {{name}}"))
        let message = String(decoding: try Self.compose(composer, ["1", "a@example.org", "Ann"]), as: UTF8.self)
        #expect(!message.contains("multipart") && !message.contains("Reply-To"))
        #expect(message.hasSuffix("Content-Transfer-Encoding: 7bit\r\n\r\nHi Ann\r\n"))
    }

    @Test func textIsMadeOfTheHTML() throws {
        let composer = try Self.composer(
            Self.mailing(html: "<p>Dear {{name}},</p><p><a href=\"https://x.example/?u={{id}}\">look</a></p>"))
        let mail = try MailReader.read([try Self.compose(composer, ["7", "a@example.org", "A&B"])])
        #expect(mail[0].parts.map(\.type) == ["text/plain", "text/html"])
        #expect(mail[0].parts[0].content == "Dear A&B,\r\n\r\nlook (https://x.example/?u=7)")
        let image = try Self.composer(Self.mailing(html: "<img src='https://x.example/{{id}}.png'>"))
        let single = try MailReader.read([try Self.compose(image, ["7", "a@example.org", "A"])])
        #expect(single[0].parts.map(\.type) == ["text/html"])
    }

    @Test(arguments: [
        ("plain", "Ann", true, "7bit"), ("plain", "Ann", false, "7bit"), ("plain", "Änn", true, "8bit"),
        ("plain", "Änn", false, "quoted-printable"), ("plän", "Ann", true, "8bit"),
        ("plän", "Ann", false, "quoted-printable"),
        (String(repeating: "x", count: 998), "", true, "7bit"),
        (String(repeating: "x", count: 999), "", true, "quoted-printable"),
        ("a", String(repeating: "x", count: 997), true, "7bit"),
        ("a", String(repeating: "x", count: 998), true, "quoted-printable"),
        ("a", String(repeating: "x\n", count: 2000), true, "7bit"),
    ]) func choosesThePlainestEncoding(_ text: String, _ name: String, _ eightBit: Bool, _ expected: String) throws {
        let composer = try Self.composer(Self.mailing(subject: "s", text: text + "{{name}}"))
        let message = try Self.compose(composer, ["1", "a@example.org", name], eightBit: eightBit)
        #expect(wireProblems(message, eightBit: expected == "8bit") == [])
        #expect(String(decoding: message, as: UTF8.self).contains("Content-Transfer-Encoding: \(expected)\r\n"))
    }

    @Test func aLineThatSectionsJoinIsMeasuredWhole() throws {
        let half = String(repeating: "x", count: 600)
        let composer = try Self.composer(Self.mailing(subject: "s", text: "\(half){{#name}}\n\n{{/name}}\(half)"))
        for name in ["", "1"] {
            let message = try Self.compose(composer, ["1", "a@example.org", name])
            #expect(wireProblems(message) == [])
        }
    }

    @Test func valuesOfJSONAreMeasuredAsTheyAreWritten() throws {
        let composer = try Self.composer(
            Self.mailing(
                subject: "s", text: "{{#list}}{{.}}{{/list}}", fields: ["id", "address", "list"], nested: ["list"]))
        let item = String(repeating: "x", count: 300)
        for (list, encoding) in [
            ("[\"\\u00e9\"]", "8bit"), ("[\"\(item)\",\"\(item)\",\"\(item)\",\"\(item)\"]", "quoted-printable"),
        ] {
            let message = try Self.compose(composer, ["1", "a@example.org", list])
            #expect(wireProblems(message) == [])
            #expect(String(decoding: message, as: UTF8.self).contains("Content-Transfer-Encoding: \(encoding)\r\n"))
        }
    }

    @Test func reportsAllThatIsWrongAtOnce() throws {
        let error = try #require(throws: TemplateError.self) {
            try EmailComposer(
                mailing: Self.mailing(from: "nobody", subject: "{{nam}}", html: "<p>{{>x}}\n{{y}}", text: "{{#name}}"))
        }
        #expect(
            error.problems.map { "\($0.file):\($0.line) \($0.what)" } == [
                ":0 'from: nobody' is not an e-mail sender",
                "mailing.yaml:4 unknown field 'nam'",
                "message.txt:1 the section 'name' that begins here has no end",
                "message.html:1 '{{>x}}' is a partial, which is not supported",
                "message.html:2 unknown field 'y'",
            ])
        #expect(throws: TemplateError.self) { try Self.composer(Self.mailing()) }
    }

    @Test func readsBackAsItWasWritten() throws {
        var generator = SeededGenerator(seed: 3)
        let pieces = [
            "\r", "\n", "\r\n", "\u{0}", "\u{1}", "\u{7f}", "\u{85}", "\u{2028}", "\u{2029}", ": ",
            "Bcc: x@example.com", "--", "=_", "=?utf-8?Q?x?=",
            "=?", "?=", ".", "..", " ", "  ", "\t", "=", "é", "日本語", "👩‍👩‍👧", "<b>", "&amp;", "\"", "'", ",", "@", "x",
            String(repeating: "w", count: 120), String(repeating: "long words ", count: 30),
            String(repeating: "ü", count: 700),
            "From ", "\r\n.\r\n", "\r\n\r\n", "{{name}}",
        ]
        func hostile() -> String {
            (0..<Int.random(in: 0...8, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }
                .joined()
        }
        var messages: [[UInt8]] = []
        var sources: [(name: String, text: String, html: String, eightBit: Bool)] = []
        for _ in 0..<250 {
            let text = hostile().replacing("{{name}}", with: "")
            let html = hostile().replacing("{{name}}", with: "")
            let composer = try Self.composer(
                Self.mailing(
                    subject: "S {{name}}{{{name}}}", html: "<p>\(html){{name}}</p>\(html){{{name}}}",
                    text: "\(text){{name}}\(text)\n{{name}}t"))
            let name = hostile()
            let eightBit = Bool.random(using: &generator)
            messages.append(try Self.compose(composer, ["1", "a@example.org", name], eightBit: eightBit))
            sources.append((name, text, html, eightBit))
        }
        for (index, message) in messages.enumerated() {
            #expect(wireProblems(message, eightBit: sources[index].eightBit) == [], "message \(index)")
        }
        let mails = try MailReader.read(messages)
        #expect(mails.count == messages.count)
        for (mail, source) in zip(mails, sources) {
            let names = mail.headers.map { $0[0] }
            #expect(names.filter { $0 != "Content-Transfer-Encoding" } == Self.headerNames)
            #expect(mail.defects == [])
            #expect(mail["To"] == "a@example.org")
            #expect(mail["Subject"].map(Self.unspaced) == Self.unspaced("S " + source.name + source.name))
            #expect(mail.parts.map(\.type) == ["text/plain", "text/html"])
            guard mail.parts.count == 2 else { continue }
            let name = Self.normalised(source.name)
            let text = Self.normalised(source.text)
            let html = Self.normalised(source.html)
            let escaped = name.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
                .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
            #expect(
                Self.normalised(mail.parts[0].content) == text + name + Self.normalised(source.text + "\n") + name + "t"
            )
            // The last line end is the boundary's (RFC 2046 section 5.1.1).
            let expected = "<p>" + html + escaped + "</p>" + html + name
            #expect(
                Self.normalised(mail.parts[1].content)
                    == (expected.hasSuffix("\n") ? String(expected.dropLast()) : expected))
        }
    }

    /// Line ends as LF, and no NUL.
    private static func normalised(_ text: String) -> String {
        var result: [UInt8] = []
        var last: UInt8 = 0
        for byte in text.utf8 {
            if byte == 0x0d || byte == 0x0a && last != 0x0d { result.append(0x0a) }
            if byte != 0x0d, byte != 0x0a, byte != 0 { result.append(byte) }
            last = byte
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Without white space and control characters, which headers hold in other forms.
    private static func unspaced(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter { !$0.properties.isWhitespace && $0.properties.generalCategory != .control })
        )
    }
}
