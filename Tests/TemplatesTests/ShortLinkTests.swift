import Foundation
import Model
import Signing
import Testing
import Text

@testable import Templates

/// Links of text messages, and where they lead.
@Suite struct ShortLinkTests {
    private let keys: SigningKeys
    private let id: MailingID

    init() throws {
        keys = try SigningKeys([1: Secret(String(repeating: "k", count: 32))])
        id = try #require(MailingID("0123456789abc"))
    }

    /// A mailing with the links that are found in its text.
    private func mailing(
        _ text: String, _ fields: [String] = [], nested: [String] = [], rules: MailingTracking = MailingTracking(),
        channel: Channel = .sms
    ) throws -> Mailing {
        var mailing = Mailing(name: "m", channel: channel, provider: "gateway", fields: ["id", "address"] + fields)
        mailing.nestedFields = nested
        mailing.text = Mailing.Template(source: text)
        mailing.tracking = rules
        let links = try BodyComposer(mailing: mailing, provider: gateway()).links
        mailing.tracking?.targets = links.map(\.target)
        return mailing
    }

    private func gateway(_ type: String = "text/plain", _ body: String? = "{{text}}") throws -> Provider {
        var provider = try ProviderURL.parse("http://127.0.0.1/x")
        (provider.contentType, provider.body) = (type, body)
        return provider
    }

    private func tracking(_ mailing: Mailing) throws -> MessageTracking {
        MessageTracking(base: "https://t.example", keys: keys, mailing: 77, try #require(mailing.tracking))
    }

    private func written(
        _ mailing: Mailing, _ values: [String] = [], provider: Provider? = nil, batch: Int = 12, isSigned: Bool = true
    ) throws -> String {
        let tracking = isSigned ? try tracking(mailing) : nil
        let composer = try BodyComposer(mailing: mailing, provider: provider ?? gateway(), tracking: tracking)
        var out: [UInt8] = []
        composer.compose(recipients(["1", "+1"] + values), row: 0, of: BatchID(mailing: id, number: batch), into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// The targets of a message's links, each by its token and from the ledger's side, and the message with `@` in their place.
    private func followed(
        _ mailing: Mailing, _ values: [String] = [], provider: Provider? = nil
    ) throws -> (targets: [String], rest: String) {
        var targets: [String] = []
        let link = /https(:|%3A)(\/\/|%2F%2F)t\.example(\/|%2F)([A-Za-z0-9_-]{27})/
        let rest = try written(mailing, values, provider: provider).replacing(link) {
            let subject = try keys.verify(Array($0.4.utf8), for: .shortLink)
            #expect((subject.mailing, subject.batch, subject.index) == (77, 12, 0))
            let target = try #require(try ShortLinkTarget(mailing, link: Int(subject.link)))
            let bytes = try #require(target.target(recipients(["1", "+1"] + values), row: 0))
            targets.append(String(decoding: bytes, as: UTF8.self))
            return "@"
        }
        return (targets, rest)
    }

    @Test func aLinkIs27CharactersBehindTheDomain() throws {
        let mailing = try mailing("20 % off: https://shop.example/spring/sale?from=sms&to=you. Ends Sunday.")
        let text = try written(mailing)
        #expect(text.contains(/^20 % off: https:\/\/t\.example\/[A-Za-z0-9_-]{27}\. Ends Sunday\.$/), "\(text)")
        #expect(try followed(mailing).targets == ["https://shop.example/spring/sale?from=sms&to=you"])
    }

    @Test(arguments: [
        ("See https://a.example/x.", ["https://a.example/x"], "See @."),
        ("(https://a.example/x_(y)), http://b.example", ["https://a.example/x_(y)", "http://b.example"], "(@), @"),
        ("https://a.example/{{code}}! https://a.example/?n={{code}}", ["https://a.example/Z9", "https://a.example/?n=Z9"], "@! @"),
        ("{{#code}}https://a.example/x{{/code}} y", ["https://a.example/x"], "@ y"),
        ("https://a.example/{{#code}}vip{{/code}}{{^code}}all{{/code}}", ["https://a.example/vip"], "@"),
        ("{{url}} and {{{url}}}", [], "https://own.example/1 and https://own.example/1"),
        ("[x](https://a.example/y) <https://b.example> a, b", ["https://a.example/y", "https://b.example"], "[x](@) <@> a, b"),
        ("Ü 请访问https://a.example/a。", ["https://a.example/a"], "Ü 请访问@。"),
        ("ftp://a.example tel:+1 https:// http:///x https://{{code}}/x", [], nil),
    ]) func linksAreShortened(_ source: String, _ expected: [String], _ rest: String?) throws {
        for channel in [Channel.sms, .messenger] {
            let mailing = try mailing(source, ["code", "url"], channel: channel)
            let found = try followed(mailing, ["Z9", "https://own.example/1"])
            #expect(found.targets == expected)
            if let rest { #expect(found.rest == rest) }
        }
    }

    @Test(arguments: [
        ("application/json", #"{"t":"{{text}}"}"#, #"{"t":"@\n\"&\" @"}"#),
        ("application/x-www-form-urlencoded", "t={{text}}", "t=@%0A%22%26%22%20@"),
        ("application/x-www-form-urlencoded", #"p={"t":"{{text}}"}"#, "p=%7B%22t%22%3A%22@%5Cn%5C%22%26%5C%22%20@%22%7D"),
        ("application/xml", "<t>{{text}}</t>", "<t>@&#10;&quot;&amp;&quot; @</t>"),
        ("text/html", "<p>{{text}}</p>", "<p>@\n&quot;&amp;&quot; @</p>"),
    ]) func linksStandInEveryBody(_ type: String, _ body: String, _ expected: String) throws {
        let mailing = try mailing("https://a.example/?a=1&b=%22{{code}}\n\"&\" https://b.example/é", ["code"])
        let provider = try gateway(type, body)
        let found = try followed(mailing, ["Z9"], provider: provider)
        #expect(found.targets == ["https://a.example/?a=1&b=%22Z9", "https://b.example/é"])
        // A form may write its own signs in either way.
        #expect(found.rest.removingPercentEncoding == expected.removingPercentEncoding, "\(found.rest)")
    }

    @Test func aBodyWithShortLinksIsJSONWithAnyValues() throws {
        let provider = try gateway("application/json", #"{"to":"{{address}}","text":"{{text}}"}"#)
        let mailing = try mailing(#"{{#code}}https://a.example/?q=\{{code}}{{/code}} "x" https://b.example"#, ["code"])
        let composer = try BodyComposer(mailing: mailing, provider: provider, tracking: tracking(mailing))
        #expect(composer.isAlwaysJSON && composer.links.count == 2)
        for value in ["", "a", "\"", "\\", "\n", "x y", "\u{2028}", "&"] {
            let body = try written(mailing, [value], provider: provider)
            let read = try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: String], "\(body)")
            #expect(read["text"]?.hasSuffix(" \"x\" ") == false && read["text"]?.contains("https://t.example/") == true)
        }
    }

    /// A value that makes no address of the web is written as in the template; the ledger's side knows no target then either.
    @Test func aValueThatMakesNoAddressLeavesTheLinkAsItWas() throws {
        let mailing = try mailing("https://a.example/?q={{code}}", ["code"])
        for value in ["a b", "a\u{7f}", String(repeating: "x", count: 4097)] {
            #expect(try written(mailing, [value]) == "https://a.example/?q=\(value)")
            let target = try #require(try ShortLinkTarget(mailing, link: 0))
            #expect(target.target(recipients(["1", "+1", value]), row: 0) == nil)
        }
    }

    @Test func withoutTrackingTheTextIsByteForByteWhatWasWritten() throws {
        let source = "Hi {{code}}: https://a.example/{{code}}?x=1&y=\"2\"\nhttps://b.example"
        let counted = try mailing(source, ["code"])
        let off = try mailing(source, ["code"], rules: MailingTracking(isCounted: false))
        for provider in [try gateway(), try gateway("application/json", nil), try gateway("application/x-www-form-urlencoded", nil)] {
            var plain = counted
            plain.tracking = nil
            let expected = try written(plain, ["Z9"], provider: provider, isSigned: false)
            #expect(try written(counted, ["Z9"], provider: provider, isSigned: false) == expected)
            #expect(try written(off, ["Z9"], provider: provider) == expected)
            // A recipient without room in a token.
            #expect(try written(counted, ["Z9"], provider: provider, batch: 1 << 20) == expected)
        }
    }

    @Test func campaignParametersAreAddedToTargets() throws {
        let mailing = try mailing("https://a.example/x#top", rules: MailingTracking(campaign: ["source": "sms"]))
        #expect(try followed(mailing).targets == ["https://a.example/x?utm_source=sms#top"])
    }

    @Test func linksBeyondThe64thAreAsTheyWereWritten() throws {
        let mailing = try mailing((0..<70).map { "https://a.example/\($0)" }.joined(separator: " "))
        let found = try followed(mailing)
        #expect(found.targets == (0..<64).map { "https://a.example/\($0)" })
        #expect(found.rest.hasSuffix("@ " + (64..<70).map { "https://a.example/\($0)" }.joined(separator: " ")))
    }

    /// A token tells of a recipient, and not of a member of a list.
    @Test func linksOfAListAreShortenedWhereTheyAreAllTheSame() throws {
        let mailing = try mailing(
            "{{#items}}{{name}} https://a.example/{{name}} https://b.example;{{/items}} https://c.example/{{code}}", ["items", "code"],
            nested: ["items", "code"])
        let found = try followed(mailing, [#"[{"name":"x"},{"name":"y"}]"#, "Z9"])
        #expect(found.targets == ["https://b.example", "https://b.example", "https://c.example/Z9"])
        #expect(found.rest == "x https://a.example/x @;y https://a.example/y @; @")
    }

    /// The worker's release and the definition have to agree on the numbers.
    @Test func linksThatTheDefinitionDoesNotHaveAreAsTheyWereWritten() throws {
        var mailing = try mailing("https://a.example https://b.example")
        for targets in [[], ["https://a.example"], ["https://b.example", "https://a.example"]] {
            mailing.tracking?.targets = targets
            #expect(try written(mailing) == "https://a.example https://b.example")
        }
    }

    @Test func anotherDelimiterDoesNotChangeWhereALinkLeads() throws {
        let mailing = try mailing("{{=<% %>=}}https://a.example/{{code}} https://b.example/<%code%>", ["code"])
        let found = try followed(mailing, ["Z9"])
        #expect(found.targets == ["https://b.example/Z9"] && found.rest == "https://a.example/{{code}} @")
    }

    @Test func aTargetOutlivesItsRecipientWhereItIsTheSameForAll() throws {
        let mailing = try mailing("https://a.example/all https://a.example/{{code}} https://a.example/{{^code}}x{{/code}}", ["code"])
        let targets = try (0..<3).map { try #require(try ShortLinkTarget(mailing, link: $0)) }
        #expect(targets.map(\.isSame) == [true, false, false])
        #expect(targets[0].target(nil, row: 0) == Array("https://a.example/all".utf8))
        for target in targets[1...] {
            // Pruned, erased, of another width, beyond the batch.
            #expect(target.target(nil, row: 0) == nil && target.target(recipients(["1", "", ""]), row: 0) == nil)
            #expect(target.target(recipients(["1", "+1"]), row: 0) == nil && target.target(recipients(["1", "+1", "x"]), row: 1) == nil)
        }
        #expect(try ShortLinkTarget(mailing, link: 3) == nil)
    }

    @Test func whoObjectsGetsPlainLinksAndThePages() throws {
        var rules = MailingTracking()
        rules.unless = "private"
        let mailing = try mailing("https://a.example {{unsubscribe_url}}", ["private"], rules: rules)
        for value in ["1", "true", " YES ", "x", "objection", "?", "2", "00"] {
            #expect(try written(mailing, [value]).contains(/^https:\/\/a\.example https:\/\/t\.example\/u\/[A-Za-z0-9_-]{27}$/), "\(value)")
        }
        for value in ["", "0", "false", " No ", "OFF", "n", "F", "null", " \t"] {
            let text = try written(mailing, [value])
            #expect(text.contains(/^https:\/\/t\.example\/[A-Za-z0-9_-]{27} https:\/\/t\.example\/u\//), "\(value)")
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>) func whateverATextIsALinkLeadsWhereItWould(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let pieces = [
            "https://a.example/", "http://b.example", "{{code}}", "{{{url}}}", "{{#code}}", "{{/code}}", "{{^code}}", " ", "\n", "(", ")",
            ".",
            "é", "\"", "&", "x", "/", "?q=", "{", "}", "{{! c }}", "{{=<% %>=}}", "<%={{ }}=%>", "<%code%>",
        ]
        var followedLinks = 0
        for _ in 0..<400 {
            let source = (0..<Int.random(in: 1...12, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            guard let mailing = try? mailing("x" + source, ["code", "url"]) else { continue }
            let values = [["", "Z9", "a b", "https://c.example"].randomElement(using: &generator) ?? "", "https://d.example/?e=f"]
            let plain = try written(mailing, values, isSigned: false)
            let (targets, rest) = try followed(mailing, values)
            // With the targets in the places of the links it is the text without tracking.
            var filled = ""
            var next = targets[...]
            for piece in rest.split(separator: "@", omittingEmptySubsequences: false) { filled += piece + (next.popFirst() ?? "") }
            #expect(filled == plain, "\(source)")
            followedLinks += targets.count
        }
        #expect(followedLinks > 20)
    }
}
