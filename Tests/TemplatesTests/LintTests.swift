import Model
import Testing

@testable import Templates

@Suite struct LintTests {
    private static func html(_ source: String) -> [MailingFinding] {
        HTMLLint.run(Mailing.Template(source: source, file: "m.html")).findings
    }

    private static func mailing(_ change: (inout Mailing) -> Void = { _ in }) -> Mailing {
        var mailing = Mailing(name: "m", channel: .email, provider: "p", fields: ["id", "email", "name"])
        mailing.from = "a@example.com"
        mailing.subject = .init(source: "Hello {{name}}", file: "m.yaml")
        mailing.html = .init(source: "<p>Dear {{name}}</p>", file: "m.html")
        change(&mailing)
        return mailing
    }

    private static func messages(
        _ names: [String] = ["Ada"], _ change: (inout Mailing) -> Void = { _ in }
    ) throws -> [MailingFinding] {
        let mailing = mailing(change)
        var recipients = Recipients(width: 3)
        for (index, name) in names.enumerated() { recipients.append(row: ["\(index)", "p\(index)@example.com", name]) }
        var generator = SystemRandomNumberGenerator()
        let batch = BatchID(mailing: MailingID(milliseconds: 0, using: &generator), number: 0)
        return MailingLint.messages(mailing, try EmailComposer(mailing: mailing), recipients, of: batch)
    }

    @Test("What readers and mail programs stumble over is found with its place")
    func places() {
        let found = Self.html(
            """
            <html><head><style>
              .a { color: red }
              .b { display: flex; position: relative }
            </style></head><body>
            <img src="https://e.example/a.webp">
            <a href="http://e.example/">x</a> <a href="#no">y</a> <a href="#yes">z</a>
            <div><b>bold</div>
            </i><p id="yes">
            <video src="x"></video>
            </body></html>
            """)
        func lines(_ rule: LintRule) -> [Int] { found.filter { $0.check == rule.rawValue }.compactMap(\.line) }
        #expect(lines(.unsupported) == [3, 3, 5, 9])
        #expect(lines(.imageWithoutAlt) == [5])
        #expect(lines(.insecureLink) == [6])
        #expect(lines(.deadAnchor) == [6])
        #expect(lines(.unclosedElement) == [7])
        #expect(lines(.strayEndTag) == [8])
        #expect(found.allSatisfy { $0.file == "m.html" && !$0.why.isEmpty && !$0.advice.isEmpty })
        #expect(found.first { $0.check == "unsupported" }?.what == "display: flex does not work in Outlook for Windows")
    }

    @Test(
        "What is fine is not found",
        arguments: [
            "<p>one<p>two<ul><li>a<li>b</ul>", "<table><tr><td>a<td>b<tr><td>c</table>", "<br><img alt='' src='{{url}}'><hr>",
            "<a href='#top' name='top'>x</a>", "{{#vip}}<b>{{name}}</b>{{/vip}}", "{{#vip}}<b>{{/vip}}x{{#vip}}</b>{{/vip}}",
            "<!--[if mso]><table><tr><td><![endif]--><p>x</p><!--[if mso]></td></tr></table><![endif]-->",
            "<div style='position: static'>x</div>",
            "<style>a:hover { color: red } /* position: fixed; */ .x::before { content: 'float: left;' }</style>",
            "<div style=\"background: url(data:a;float:b)\">x</div>", "<title></b></title>", "a < b", "<p", "",
        ])
    func fine(source: String) { #expect(Self.html(source).isEmpty) }

    @Test("Many findings of a kind are counted, and nesting without end costs no more than the template")
    func bounds() {
        let images = Self.html(String(repeating: "<img src='x'>\n", count: 5000))
        #expect(images.count == 11)
        #expect(images.last?.what == "there are 4990 more like this")
        let deep = Self.html(String(repeating: "<i>", count: 20_000) + String(repeating: "</b>", count: 10_000))
        #expect(deep.map(\.check) == ["too_deep"])
        #expect(Self.html(String(repeating: "<a href='", count: 2_000)).isEmpty)
        #expect(Self.html(String(repeating: "<style>", count: 5_000)).map(\.check) == ["unclosed_element"])
        #expect(Self.html(String(repeating: "{{#a}}", count: 5_000)).isEmpty)
        #expect(!Self.html("<p style='" + String(repeating: "float:left;", count: 5_000) + "'>").isEmpty)
    }

    @Test(
        "A link that unsubscribes is known by the tracker's field, or by its words",
        arguments: [
            ("<a href='{{unsubscribe_url}}'>x</a>", ""), ("<a href='{{{preferences_url}}}'>x</a>", ""),
            ("<a href='https://e.example/u'>Unsubscribe <b>here</b></a>", "own_unsubscribe_link"),
            ("<a href='https://e.example/abmelden?{{id}}'>x</a>", "own_unsubscribe_link"), ("<p>unsubscribe</p>", "no_unsubscribe_link"),
        ])
    func unsubscribing(source: String, rule: String) {
        let found = MailingLint.templates(Self.mailing { $0.html.source = source })
        #expect(found.map(\.check) == [rule].filter { !$0.isEmpty })
        if rule == "no_unsubscribe_link" {
            let orders = MailingLint.templates(
                Self.mailing {
                    $0.html.source = source
                    $0.category = "transactional"
                })
            #expect(orders.isEmpty)
        }
    }

    @Test("The header by which one click unsubscribes is looked for in the message")
    func header() throws {
        #expect(try Self.messages().map(\.check) == ["no_unsubscribe_header"])
        let own = [
            Mailing.Header(name: "List-Unsubscribe", value: .init(source: "<https://e.example/{{id}}>")),
            Mailing.Header(name: "List-Unsubscribe-Post", value: .init(source: "List-Unsubscribe=One-Click")),
        ]
        #expect(try Self.messages { $0.headers = own }.isEmpty)
        #expect(try Self.messages { $0.headers = [own[0]] }.map(\.check) == ["no_unsubscribe_header"])
        #expect(try Self.messages { $0.tracking = MailingTracking() }.isEmpty)
    }

    @Test("Subjects are judged with the values of the recipients")
    func subjects() throws {
        func found(_ subject: String, _ names: [String]) throws -> [MailingFinding] {
            try Self.messages(names) {
                $0.category = "transactional"
                $0.subject.source = subject
            }
        }
        #expect(try found("{{name}}", ["", "x"]).map(\.severity) == [.warning])
        #expect(try found("{{name}}", ["", " "]).map(\.severity) == [.fault])
        #expect(try found("{{name}}", ["x", String(repeating: "y", count: 71)]).map(\.check) == ["long_subject"])
        #expect(try found("SALE {{name}}", ["NOW"]).map(\.check) == ["capital_subject"])
        #expect(try found("USA", ["x"]).isEmpty)
        #expect(try found("Grüße an {{name}}", ["Zoë"]).isEmpty)
    }

    @Test("A message that Gmail clips, and one of images alone")
    func contents() throws {
        func checks(_ html: String, _ name: String) throws -> [String] {
            try Self.messages(["x", name]) {
                $0.category = "transactional"
                $0.subject.source = "Hello"
                $0.html.source = html
            }.map(\.check)
        }
        #expect(try checks("<p>{{name}}</p>", String(repeating: "y", count: 102 * 1024)) == ["clipped"])
        #expect(try checks("<p>{{name}}</p>", String(repeating: "y", count: 101 * 1024)).isEmpty)
        #expect(try checks("<img src='https://e.example/x.png'>", "y") == ["no_text_part"])
    }

    @Test("Each fact of what programs support names its page and the month of its test")
    func facts() {
        #expect(
            ClientSupport.all.allSatisfy { $0.tested.contains(/^20[12]\d-(0[1-9]|1[0-2])$/) && !$0.page.isEmpty && !$0.instead.isEmpty })
        #expect(Set(ClientSupport.all.map(\.page)).count == ClientSupport.all.count)
    }

    @Test("What is shown is what was sent, without SMTP's dots")
    func reading() throws {
        let mailing = Self.mailing { $0.html.source = "<p>\n.a\n..b {{name}}\n</p>" }
        var recipients = Recipients(width: 3)
        recipients.append(row: ["1", "a@example.com", "&\n.x"])
        var generator = SystemRandomNumberGenerator()
        let batch = BatchID(mailing: MailingID(milliseconds: 0, using: &generator), number: 0)
        let shown = try EmailComposer(mailing: mailing).reading(.html, recipients, row: 0, of: batch).map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(shown == "<p>\n.a\n..b &amp;\n.x\n</p>")
    }
}
