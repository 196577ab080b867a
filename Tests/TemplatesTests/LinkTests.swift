import Model
import Signing
import Testing
import Text

@testable import Templates

@Suite struct LinkTests {
    private let keys: SigningKeys

    init() throws { keys = try SigningKeys([1: Secret(String(repeating: "k", count: 32))]) }

    private func tracking(_ rules: MailingTracking = MailingTracking()) -> MessageTracking {
        MessageTracking(base: "https://t.example", keys: keys, mailing: 77, rules)
    }

    /// The parts of one message, as another program reads them.
    private func parts(
        html: String = "", text: String = "", _ values: [String: String] = [:], nested: [String] = [],
        rules: MailingTracking? = MailingTracking(), eightBit: Bool = true
    ) throws -> [ReadMail.Part] {
        try mail(html: html, text: text, values, nested: nested, rules: rules, eightBit: eightBit).parts
    }

    private func mail(
        html: String = "", text: String = "", _ values: [String: String] = [:], nested: [String] = [],
        rules: MailingTracking? = MailingTracking(), eightBit: Bool = true
    ) throws -> ReadMail {
        let message = try message(
            html: html, text: text, values, nested: nested, rules, signing: rules.map { tracking($0) }, eightBit: eightBit)
        let read = try #require(try MailReader.read([message]).first)
        #expect(read.defects.isEmpty)
        return read
    }

    /// - Parameter tracking: nil for a message whose links nobody signs.
    private func message(
        html: String, text: String, _ values: [String: String], nested: [String] = [], _ rules: MailingTracking?,
        signing tracking: MessageTracking?, eightBit: Bool = true
    ) throws -> [UInt8] {
        let names = values.keys.sorted()
        var mailing = EmailComposerTests.mailing(
            subject: "x", html: html, text: text, fields: ["id", "address"] + names, nested: nested)
        mailing.tracking = rules
        var generator = SeededGenerator(seed: 1)
        let composer = try EmailComposer(mailing: mailing, tracking: tracking, using: &generator)
        return try EmailComposerTests.compose(
            composer, ["1", "ann@example.org"] + names.map { values[$0] ?? "" }, eightBit: eightBit)
    }

    /// The links of a text that lead to the tracker, with what they are for, and the text with `@` in their place.
    private func counted(_ text: String) throws -> (targets: [String], rest: String) {
        var targets: [String] = []
        let rest = try text.replacing(/https:\/\/t\.example\/c\/([A-Za-z0-9_\/-]+)/) { match in
            let (subject, link) = try TrackedLink.read(Array(match.1.utf8), keys: keys)
            #expect(subject == TokenSubject(mailing: 77, batch: 12, index: 0))
            targets.append(String(decoding: link.target, as: UTF8.self))
            return "@"
        }
        return (targets, rest)
    }

    private func withoutPixel(_ html: String) -> String {
        html.replacing(/<img src="https:\/\/t\.example\/o\/[A-Za-z0-9_-]{27}"[^>]*>/, with: "")
    }

    /// The targets of a template's links, with the message's HTML, the targets gone, as it is without tracking.
    private func html(_ html: String, _ values: [String: String] = [:], nested: [String] = []) throws -> [String] {
        let tracked = try #require(try parts(html: html, text: "x", values, nested: nested).last?.content)
        let (targets, rest) = try counted(withoutPixel(tracked))
        let plain = try #require(try parts(html: html, text: "x", values, nested: nested, rules: nil).last?.content)
        // What is no link is byte for byte what was written.
        let pieces = rest.split(separator: "@", omittingEmptySubsequences: false)
        #expect(plain.hasPrefix(pieces[0]))
        #expect(plain.hasSuffix(pieces[pieces.count - 1]))
        return targets
    }

    @Test(arguments: [
        (#"<a href="https://shop.example/a">x</a>"#, ["https://shop.example/a"]),
        (#"<A HREF='http://shop.example/?a=1&amp;b=2#c'>x</A>"#, ["http://shop.example/?a=1&b=2#c"]),
        (#"<a href=" https://shop.example/a  ">x</a>"#, ["https://shop.example/a"]),
        ("<a href=\"\n  https://shop.example/{{id}}\n\">x</a>", ["https://shop.example/1"]),
        (#"<a class=x href=https://shop.example/a id=y>x</a>"#, ["https://shop.example/a"]),
        ("<a\n  href = \"\n https://shop.example/long/\n path \">x</a>", ["https://shop.example/long/ path"]),
        (#"<area href="https://a.example"><a href="https://b.example">"#, ["https://a.example", "https://b.example"]),
        (#"<a href="https://a.example/&copy=1&eacute;">x</a>"#, ["https://a.example/&copy=1é"]),
        (#"<a href="https://a.example" href="https://b.example">x</a>"#, ["https://a.example"]),
        (#"<a href="https://müller.example/ü">x</a>"#, ["https://müller.example/ü"]),
    ]) func linksAreCounted(_ source: String, _ expected: [String]) throws {
        // A space within a target is no URL: it is left as it is.
        #expect(try html(source) == expected.filter { !$0.contains(" ") })
    }

    @Test(arguments: [
        #"<a href="mailto:a@example.com">x</a>"#, #"<a href="tel:+4930">x</a>"#, ##"<a href="#top">x</a>"##,
        #"<a href="javascript:alert(1)">x</a>"#, #"<a href="//evil.example/x">x</a>"#, #"<a href="/relative">x</a>"#,
        #"<a href="https:">x</a>"#, #"<a href="https:///x">x</a>"#, #"<a href="https://?x">x</a>"#,
        #"<a href="https:\\evil.example">x</a>"#,
        #"<a href="https://a.example" data-no-track>x</a>"#, #"<a data-no-track="" href="https://a.example">x</a>"#,
        #"<a href="https://a.example" DATA-NO-TRACK=1 class=x>x</a>"#, #"<link href="https://a.example/style.css">"#,
        #"<img src="https://a.example/i.png">"#, #"<!-- <a href="https://a.example">x</a> -->"#,
        #"<style>a { b: url(https://a.example) }</style>"#, #"<a title="https://a.example">x</a>"#, "https://a.example in text",
        #"<a href="{{unsubscribe_url}}">x</a>"#, #"<a href="{{preferences_url}}">x</a>"#,
        #"<a href="https://{{address}}/x">x</a>"#, #"<a href="https://a.example{{address}}">x</a>"#,
    ]) func whatIsNoLinkToTheWebIsLeftAlone(_ source: String) throws {
        let tracked = try #require(try parts(html: source, text: "x").last?.content)
        #expect(try counted(tracked).targets == [])
    }

    @Test func aTargetHoldsTheRecipientsValues() throws {
        #expect(
            try html(
                #"<a href="https://a.example/{{path}}?e={{email}}&amp;n={{name}}">x</a>"#,
                [
                    "path": "a b", "email": "a+b@example.com", "name": "Tom & Jerry",
                ]) == ["https://a.example/a%20b?e=a%2Bb%40example.com&n=Tom%20%26%20Jerry"])
        #expect(try html(#"<a href="{{url}}">x</a>"#, ["url": "https://a.example/?a=1&b=2"]) == ["https://a.example/?a=1&b=2"])
        #expect(try html(#"<a href={{url}}>x</a>"#, ["url": "https://a.example/"]) == ["https://a.example/"])
        #expect(try html(#"<a href="{{{url}}}">x</a>"#, ["url": "https://a.example/"]) == ["https://a.example/"])
        for bad in ["javascript:alert(1)", "mailto:x@example.com", "//evil.example", "", "ftp://a.example", "/x"] {
            #expect(try html(#"<a href="{{url}}">x</a>"#, ["url": bad]) == [])
        }
    }

    @Test func linksInSectionsAreCountedWhereTheyAreShown() throws {
        let source = """
            {{#vip}}<a href="https://a.example/vip">x</a>{{/vip}}{{^vip}}<a href="https://a.example/all">x</a>{{/vip}}
            <a href="https://b.example/{{#vip}}vip{{/vip}}{{^vip}}all{{/vip}}">x</a>
            """
        #expect(try html(source, ["vip": "1"]) == ["https://a.example/vip", "https://b.example/vip"])
        #expect(try html(source, ["vip": ""]) == ["https://a.example/all", "https://b.example/all"])
    }

    @Test func linksOfAListAreCounted() throws {
        let source = #"{{#items}}<a href="{{url}}">{{name}}</a> <a href="https://s.example/?q={{name}}">more</a>{{/items}}"#
        let items = #"[{"url":"https://a.example/1","name":"A&B"},{"url":"https://a.example/2","name":"C"}]"#
        #expect(
            try html(source, ["items": items], nested: ["items"]) == [
                "https://a.example/1", "https://s.example/?q=A%26B", "https://a.example/2", "https://s.example/?q=C",
            ])
    }

    @Test(arguments: [
        ("See https://a.example/x.", ["https://a.example/x"], "See @."),
        ("(https://a.example/x_(y)), and", ["https://a.example/x_(y)"], "(@), and"),
        (
            "<https://a.example/?a=1&b=2> xhttps://b.example HTTP://c.example/?", ["https://a.example/?a=1&b=2", "HTTP://c.example/"],
            "<@> xhttps://b.example @?"
        ),
        ("https://a.example/{{name}}! https://b.example/{{name}}", ["https://a.example/Ann", "https://b.example/Ann"], "@! @"),
        ("{{#name}}https://a.example/x{{/name}} y", ["https://a.example/x"], "@ y"),
        ("请访问https://a.example/a。谢谢 «https://b.example/é»", ["https://a.example/a", "https://b.example/é"], "请访问@。谢谢 «@»"),
        ("https:// http:///x mailto:a@b.example {{unsubscribe_url}}", [], nil),
    ]) func linksOfATextAreCounted(_ source: String, _ expected: [String], _ rest: String?) throws {
        let content = try #require(try parts(text: source, ["name": "Ann"]).first?.content)
        let (targets, left) = try counted(content)
        #expect(targets == expected)
        if let rest { #expect(left.trimmingCharacters == rest) }
    }

    @Test func theTextMadeFromHTMLIsCountedToo() throws {
        let parts = try parts(html: #"<p>Hi <a href="https://a.example/?e={{mail}}">shop</a></p>"#, ["mail": "a+b@example.com"])
        #expect(parts.count == 2)
        for part in parts { #expect(try counted(part.content).targets == ["https://a.example/?e=a%2Bb%40example.com"]) }
    }

    @Test(arguments: [
        (#"<p>Hi <a href="https://a.example/1" data-no-track>shop</a>, <a href="https://a.example/2">m</a></p>"#, ["https://a.example/2"]),
        (#"<a DATA-NO-TRACK=1 href="https://a.example/1">https://a.example/1</a> https://a.example/2"#, ["https://a.example/2"]),
        (#"{{#v}}<a data-no-track href="https://a.example/1">x{{/v}}</a> <a href="https://a.example/2">y</a>"#, ["https://a.example/2"]),
        (#"<a data-no-track href="https://a.example/1">x <a href="https://a.example/2">y"#, ["https://a.example/2"]),
        (#"<a href="https://a.example/2">x<a data-no-track href="https://a.example/1?{{v}}">y"#, ["https://a.example/2"]),
        (#"<a data-no-track href="https://a.example/1"></a>"#, []),
    ]) func anExemptLinkIsNotCountedInTheTextMadeFromHTML(_ source: String, _ expected: [String]) throws {
        let parts = try parts(html: source, ["v": "1"])
        let plain = try #require(try self.parts(html: source, ["v": "1"], rules: nil).first?.content)
        let (targets, rest) = try counted(parts[0].content)
        #expect(targets == expected && rest.contains("https://a.example/1"), "\(rest)")
        #expect(rest.replacing("@", with: targets.first ?? "") == plain)
    }

    @Test func whoObjectsIsNotCountedAndCanUnsubscribe() throws {
        let html = #"<body><a href="https://a.example">x</a> <a href="{{unsubscribe_url}}">y</a></body>"#
        var rules = MailingTracking()
        rules.unless = "private"
        for (value, isCounted) in [("", true), ("0", true), ("no", true), ("1", false), ("perhaps", false)] {
            let read = try mail(html: html, ["private": value], rules: rules)
            #expect(read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click")
            for part in read.parts {
                #expect(try counted(part.content).targets == (isCounted ? ["https://a.example"] : []))
                #expect(part.content.contains(/https:\/\/t\.example\/u\/[A-Za-z0-9_-]{27}/))
                #expect(part.content.contains("/o/") == (isCounted && part.content.contains("<body>")))
            }
            let plain = try #require(try mail(html: html, ["private": value], rules: MailingTracking(isCounted: false)).parts.last?.content)
            if !isCounted { #expect(read.parts.last?.content == plain) }
        }
    }

    @Test func aColumnThatIsMissingIsTakenForAnObjectionOfAll() throws {
        var rules = MailingTracking()
        rules.unless = "gone"
        let read = try mail(html: #"<a href="https://a.example">x</a>"#, rules: rules)
        for part in read.parts { #expect(try counted(part.content).targets == [] && !part.content.contains("/o/")) }
    }

    @Test func thePixelStandsAtTheEndOfTheBody() throws {
        let pixel = /<img src="https:\/\/t\.example\/o\/([A-Za-z0-9_-]{27})" width="1" height="1" alt="" style="border:0">/
        for (source, behind) in [("<html><body><p>x</p></body></html>", "</body></html>"), ("<p>x</p>", ""), ("<!-- </body> --><p>x", "")] {
            let html = try #require(try parts(html: source, text: "x").last?.content)
            let match = try #require(html.firstMatch(of: pixel))
            #expect(html[match.range.upperBound...].trimmingCharacters == behind)
            #expect(try keys.verify(Array(match.1.utf8), for: .open) == TokenSubject(mailing: 77, batch: 12, index: 0))
        }
    }

    @Test func whoHasNoBrowserUnsubscribesByMail() throws {
        let tracking = MessageTracking(base: "https://t.example", keys: keys, mailing: 77, mailDomain: "bounces.example.com")
        var out: [UInt8] = []
        try #require(TrackedMessage(tracking, batch: 12, index: 0)).writeUnsubscribeHeaders(into: &out)
        let header = String(decoding: out, as: UTF8.self)
        let form =
            /^List-Unsubscribe: <https:\/\/t\.example\/u\/(.{27})>,\r\n <mailto:unsubscribe\+(.{27})@bounces\.example\.com>\r\nList-Uns/
        let found = try #require(try form.firstMatch(in: header), "\(header)")
        #expect(found.1 == found.2)
        #expect(try keys.verify(Array(found.2.utf8), for: .unsubscribe) == TokenSubject(mailing: 77, batch: 12, index: 0))
    }

    @Test func theHeadersUnsubscribeWithOneClick() throws {
        let read = try mail(text: "x {{unsubscribe_url}}")
        let header = try #require(read["List-Unsubscribe"])
        #expect(read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click")
        let token = try #require(header.firstMatch(of: /^<https:\/\/t\.example\/u\/([A-Za-z0-9_-]{27})>$/)?.1)
        #expect(try keys.verify(Array(token.utf8), for: .unsubscribe) == TokenSubject(mailing: 77, batch: 12, index: 0))
        #expect(read.parts[0].content.contains("x https://t.example/u/\(token)"))
        #expect(try mail(text: "x", rules: nil)["List-Unsubscribe"] == nil)
    }

    @Test func aFieldOfTheNameOfAPageComesFirst() throws {
        let content = try parts(text: "{{unsubscribe_url}}", ["unsubscribe_url": "https://own.example"])[0].content
        #expect(content.trimmingCharacters == "https://own.example")
    }

    @Test func withoutATrackerItsPagesAreUnknown() {
        #expect(throws: TemplateError.self) { try parts(text: "{{unsubscribe_url}}", rules: nil) }
    }

    @Test func whatIsNotTrackedIsByteForByteAsItWasWritten() throws {
        let html = #"<p>é <a href='https://a.example/?a=1&amp;n={{name}}'>x</a> <a href=https://b.example>{{name}}</a></p></body>"#
        for (text, values) in [("", ["name": "A & B"]), ("https://a.example/{{name}}.\n.x", ["name": String(repeating: "é", count: 600)])] {
            let plain = try message(html: html, text: text, values, nil, signing: nil)
            #expect(try message(html: html, text: text, values, MailingTracking(), signing: nil) == plain)
            let off = MailingTracking(isCounted: false)
            #expect(try message(html: html, text: text, values, off, signing: tracking(off)) == plain)
        }
    }

    @Test func aMailingThatIsNotCountedHasThePagesThatItNames() throws {
        let read = try mail(
            html: #"<a href="{{unsubscribe_url}}">x</a> <a href="https://a.example">y</a>"#, rules: MailingTracking(isCounted: false))
        #expect(read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click")
        let html = try #require(read.parts.last?.content)
        #expect(html.contains(#"<a href="https://a.example">y</a>"#) && !html.contains("/o/"))
        #expect(html.contains(/href="https:\/\/t\.example\/u\/[A-Za-z0-9_-]{27}"/))
    }

    @Test(arguments: [
        ("https://a.example", "https://a.example?utm_source=news&utm_campaign=a%26b"),
        ("https://a.example/#top", "https://a.example/?utm_source=news&utm_campaign=a%26b#top"),
        ("https://a.example/?a=1#x?y", "https://a.example/?a=1&utm_source=news&utm_campaign=a%26b#x?y"),
        ("https://a.example/?", "https://a.example/?utm_source=news&utm_campaign=a%26b"),
        ("https://a.example/?a=1&utm_medium=x", "https://a.example/?a=1&utm_medium=x"),
    ]) func campaignParametersAreAddedToTargetsWithoutAny(_ target: String, _ expected: String) throws {
        let rules = MailingTracking(campaign: ["source": "news", "campaign": "a&b", "other": "x"])
        for part in try parts(html: #"<a href="\#(target)">x</a>"#, rules: rules) {
            #expect(try counted(part.content).targets == [expected])
        }
    }

    @Test(arguments: ["javascript:alert(1)", " JavaScript:x", "//evil.example/x", "\\\\evil.example", "data:text/html,x"])
    func aLinkThatLeadsNowhereIsToldOf(_ target: String) throws {
        var mailing = EmailComposerTests.mailing(html: "<p>\n<a href=\"\(target)\">x</a> <a href=\"https://a.example\">y</a>")
        mailing.tracking = MailingTracking()
        let composer = try EmailComposer(mailing: mailing)
        #expect(composer.warnings.map { [$0.line, $0.column] } == [[2, 10]])
        #expect(composer.warnings.first?.file == "message.html")
        #expect(composer.links.first?.target == "https://a.example")
    }

    @Test(arguments: [
        ("application/json", #"{"to":"{{address}}","text":"{{text}}"}"#, #"{"to":"+1","text":"Stop: https://t.example/u/@"}"#),
        ("application/x-www-form-urlencoded", "text={{text}}", "text=Stop: https%3A%2F%2Ft.example%2Fu%2F@"),
        ("application/xml", "<m>{{text}}</m>", "<m>Stop: https://t.example/u/@</m>"),
    ]) func bodiesHaveThePagesThatTheyName(_ type: String, _ body: String, _ expected: String) throws {
        var mailing = Mailing(name: "m", channel: .sms, provider: "gateway", fields: ["id", "address"])
        mailing.text = Mailing.Template(source: "Stop: {{unsubscribe_url}}")
        mailing.tracking = MailingTracking(isCounted: false)
        var provider = try ProviderURL.parse("http://127.0.0.1/x")
        (provider.contentType, provider.body) = (type, body)
        let composer = try BodyComposer(mailing: mailing, provider: provider, tracking: tracking())
        let id = try #require(MailingID("0123456789abc"))
        var out: [UInt8] = []
        composer.compose(recipients(["1", "+1"]), row: 0, of: BatchID(mailing: id, number: 12), into: &out)
        let written = String(decoding: out, as: UTF8.self)
        let token = try #require(written.firstMatch(of: /u(?:\/|%2F)([A-Za-z0-9_-]{27})/)?.1)
        #expect(try keys.verify(Array(token.utf8), for: .unsubscribe) == TokenSubject(mailing: 77, batch: 12, index: 0))
        // What stands around the address is escaped by the body's own rules.
        #expect(
            written.replacing(token, with: "@").replacing("+", with: " ").replacing("%20", with: " ").replacing("%3A ", with: ": ")
                == expected.replacing("+", with: " "))
    }

    /// Long links in every encoding: no line is too long, and each link survives.
    @Test(arguments: [true, false]) func longLinksSurviveEveryEncoding(_ eightBit: Bool) throws {
        for length in [10, 300, 700, 900, 2000, 4000] {
            let target = "https://a.example/" + String(repeating: "x", count: length)
            let parts = try parts(html: "<p>é <a href=\"\(target)?v={{v}}\">x</a></p>", ["v": "1"], eightBit: eightBit)
            for part in parts { #expect(try counted(part.content).targets == [target + "?v=1"]) }
        }
    }

    @Test func aTargetThatIsTooLongIsNotCounted() throws {
        #expect(try html("<a href=\"https://a.example/\(String(repeating: "x", count: 5000))\">x</a>") == [])
    }

    @Test func linksHaveTheirNumbersAndTargetsAsWritten() throws {
        var mailing = EmailComposerTests.mailing(
            html: #"<a href="https://a.example/?n={{name}}">x</a><a href="https://b.example">y</a>"#)
        mailing.tracking = MailingTracking()
        let composer = try EmailComposer(mailing: mailing)
        #expect(composer.links.prefix(2).map(\.target) == ["https://a.example/?n={{name}}", "https://b.example"])
        #expect(composer.links.map(\.number) == Array(0..<UInt16(composer.links.count)))
    }

    @Test func aRecipientWithoutRoomInATokenGetsPlainLinks() throws {
        var mailing = EmailComposerTests.mailing(text: "https://a.example")
        mailing.tracking = MailingTracking()
        let composer = try EmailComposer(mailing: mailing, tracking: tracking())
        let id = try #require(MailingID("0123456789abc"))
        var out: [UInt8] = []
        composer.compose(
            recipients(["1", "a@example.org", "x"]), row: 0, of: BatchID(mailing: id, number: 1 << 20), date: 0,
            for: MailExtensions(eightBitMIME: true, smtpUTF8: false), into: &out)
        #expect(String(decoding: out, as: UTF8.self).contains("\r\nhttps://a.example\r\n"))
    }
}

extension StringProtocol {
    fileprivate var trimmingCharacters: String { String(trimmingPrefix { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) }
}
