import Model
import Testing

@testable import Templates

/// Addresses for replies that differ, and preheaders.
@Suite struct ReplyAddressTests {
    private static let fields = ["id", "address", "name", "owner", "mail"]

    private func mail(_ replyTo: String, _ owner: String, _ mail: String) throws -> ReadMail {
        var mailing = EmailComposerTests.mailing(replyTo: replyTo, text: "Hello", fields: Self.fields)
        mailing.subject.source = "s"
        let message = try EmailComposerTests.compose(try EmailComposerTests.composer(mailing), ["1", "a@example.org", "A", owner, mail])
        #expect(wireProblems(message) == [])
        return try #require(try MailReader.read([message]).first)
    }

    private func fault(_ replyTo: String, _ owner: String, _ mail: String) throws -> String? {
        let mailing = EmailComposerTests.mailing(replyTo: replyTo, text: "Hello", fields: Self.fields)
        return try #require(try ReplyAddress(mailing)).fault(recipients(["1", "a@example.org", "A", owner, mail]), row: 0)
    }

    @Test(arguments: [
        ("{{mail}}", "", "ann@example.com", "ann@example.com"), ("{{owner}} <{{mail}}>", "Ann", "ann@example.com", "Ann <ann@example.com>"),
        ("\"{{owner}}\" <{{mail}}>", "Smith, Ann <x@y.example>", "ann@example.com", "\"Smith, Ann <x@y.example>\" <ann@example.com>"),
        ("Desk {{owner}} <d-{{mail}}@example.com>", "Zoë", "7", "Desk Zoë <d-7@example.com>"),
        ("{{mail}}", "", "Ann <ann@bücher.example>", "Ann <ann@xn--bcher-kva.example>"),
        ("{{#owner}}{{mail}}{{/owner}}", "1", "ann@example.com", "ann@example.com"),
    ]) func writesTheAddressOfTheRecipient(_ template: String, _ owner: String, _ address: String, _ expected: String) throws {
        let read = try mail(template, owner, address)
        #expect(read["Reply-To"] == expected && read.headers.count { $0[0] == "Reply-To" } == 1 && read.defects == [])
        #expect(try fault(template, owner, address) == nil)
    }

    @Test(arguments: [
        ("{{mail}}", "", "ann@example.com\r\nBcc: x@y.example"), ("{{mail}}", "", "no address"), ("{{mail}}", "", "a@example.com\u{0}"),
        ("{{owner}} <{{mail}}>", "An\nn", "ann@example.com"), ("{{owner}} <{{mail}}>", "Ann", "a@example.com, b@example.com"),
        ("{{mail}}", "", "олена@example.com"), ("{{owner}} <{{mail}}>", "Ann", "x@y.example> <z"),
    ]) func saysOfWhomThereIsNone(_ template: String, _ owner: String, _ address: String) throws {
        #expect(try fault(template, owner, address)?.hasPrefix("reply_to ") == true)
        // The planner excludes them; a worker writes nothing that would be no address.
        #expect(try mail(template, owner, address)["Reply-To"] == nil)
    }

    @Test func withoutAnAddressRepliesGoToTheSender() throws {
        #expect(try mail("{{owner}} <{{mail}}>", "Ann", " ")["Reply-To"] == nil)
        #expect(try fault("{{owner}} <{{mail}}>", "Ann", "") == nil)
    }

    @Test func theSameForAllIsNoTemplate() throws {
        #expect(try ReplyAddress(EmailComposerTests.mailing(text: "t")) == nil)
        #expect(throws: TemplateError.self) { try ReplyAddress(EmailComposerTests.mailing(replyTo: "{{x}}@example.com", text: "t")) }
    }

    private func html(_ html: String, _ preheader: String, name: String = "Ann & <b>") throws -> [ReadMail.Part] {
        var mailing = EmailComposerTests.mailing(html: html)
        mailing.preheader = Mailing.Template(source: preheader, file: "mailing.yaml", line: 7)
        let message = try EmailComposerTests.compose(try EmailComposerTests.composer(mailing), ["1", "a@example.org", name])
        #expect(wireProblems(message) == [])
        let read = try #require(try MailReader.read([message]).first)
        #expect(read.defects == [])
        return read.parts
    }

    @Test(arguments: [
        "<p>Hi</p>\n|", "<html><body style=\"margin:0\">|<p>Hi</p></body></html>\n", "<!DOCTYPE html>|\n<p>Hi</p>\n",
        "<!doctype html><html>|<p>Hi</p></html>\n", "<html><head><title><body></title></head>|<p>Hi</p></html>\n",
        "<!--[if mso]><body class=a><![endif]--><!--[if !mso]><!--><body>|<!--<![endif]--><p>Hi</p></body>\n",
    ]) func aPreheaderStandsHiddenAtTheBeginOfTheBody(_ marked: String) throws {
        // The last line's end is that of the part.
        let marked = marked.hasSuffix("|") ? "|" + marked.dropLast(2) : marked.hasSuffix("\n") ? String(marked.dropLast()) : marked
        let parts = try html(marked.replacing("|", with: ""), "20 % off <today> for {{name}} & {{{name}}}")
        let text = parts[1].content.replacing("\r\n", with: "\n")
        let begin = try #require(text.firstRange(of: "<div style=\"display:none;"))
        let end = try #require(text.firstRange(of: "</div>"))
        // The rest is as it was written.
        #expect(text[..<begin.lowerBound] + "|" + text[end.upperBound...] == marked)
        let hidden = text[begin.lowerBound..<end.upperBound]
        #expect(hidden.contains("\n20 % off &lt;today&gt; for Ann &amp; &lt;b&gt; &amp; Ann &amp; &lt;b&gt;\n"))
        #expect(parts[0].content == "Hi" && parts[1].encoding == "7bit")
    }

    @Test func aFaultOfAPreheaderHasItsPlace() throws {
        let error = #expect(throws: TemplateError.self) { try html("<p>{{name}}</p>", "{{nmae}}") }
        #expect(error?.problems.map(\.description).first?.hasPrefix("mailing.yaml:7:1: unknown field 'nmae'") == true)
    }
}
