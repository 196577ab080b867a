import Model
import Testing

@testable import Templates

/// What a value becomes where it stands in HTML.
@Suite struct PlaceTests {
    private let hostile = "Ada & Co #1 \"'<>`=/?+%é\t"

    private func html(_ template: String, _ value: String, also other: String = "") throws -> String {
        try CompiledTemplate.render(template, ["v": value, "w": other], escaping: .html)
    }

    @Test(arguments: [
        "https://x.example/?e={{v}}", "https://x.example/?a=1&amp;e={{v}}#x", "?{{v}}", "#{{v}}", "{{w}}?e={{v}}", "{{w}}&e={{v}}",
        "https://{{w}}/?e={{v}}", "mailto:a@example.com?subject={{v}}", "https://x.example/{{#w}}a{{/w}}?e={{v}}",
        "{{#w}}https://a.example/?e={{/w}}{{^w}}https://b.example/?f={{/w}}{{v}}",
    ]) func aPartOfAQueryIsPercentEncoded(_ url: String) throws {
        let encoded = "Ada%20%26%20Co%20%231%20%22%27%3C%3E%60%3D%2F%3F%2B%25%C3%A9%09"
        for attribute in ["href=\"\(url)\"", "HREF = '\(url)'", "src=\(url)", "xlink:href='\(url)'", "class=\"a>b\" action=\"\(url)\""] {
            let text = try html("<x \(attribute) id=z>", hostile, also: "w")
            #expect(text.contains(encoded), "\(attribute): \(text)")
        }
    }

    @Test func aPartOfAPathKeepsItsSlashes() throws {
        for before in ["https://x.example/", "https://x.example/a-", "/", "shop/", "mailto:", "tel:", "x", "https://x.example:{{w}}/"] {
            let text = try html("<a href=\"\(before){{v}}\">", "a/b?c #1+@:'\"")
            #expect(text.contains("a/b%3Fc%20%231+@%3A%27%22\""), "\(text)")
        }
    }

    @Test(arguments: [
        "https://x.example/a?b=c&d=é%20(1)", "//x.example/", "/path/a:b", "mailto:a@example.com", "tel:+4989123", "HTTP://x.example",
        "shop.html", "", "cid:a@b", "https://x.example/o'b?q=\"x\"",
    ]) func aWholeURLStaysItself(_ url: String) throws {
        for template in [
            "<a href=\"{{v}}\">", "<a href='{{v}}'>", "<a href={{v}} >", "<a href=\"\n {{v}}\">",
            "<a href='{{#w}}{{v}}{{/w}}{{^w}}{{v}}{{/w}}'>",
        ] {
            let text = try html(template, url)
            #expect(
                text.replacing("&amp;", with: "&").replacing("&#39;", with: "'").replacing("&quot;", with: "\"").contains(url), "\(text)")
        }
    }

    @Test(arguments: [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " \t\u{1}javascript:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)",
        "vbscript:x", "data:text/html,<script>alert(1)</script>", "javascript://x.example/%0aalert(1)", "\u{a0}javascript:x", "unknown:x",
    ]) func aURLThatRunsAScriptIsNone(_ url: String) throws {
        for before in ["", "{{w}}", " "] {
            #expect(try html("<a href=\"\(before){{v}}\">", url) == "<a href=\"\(before == " " ? " " : "")#\">")
        }
        #expect(try !html("<a href=\"java{{v}}\">", "script:alert(1)").contains("script:"))
        #expect(try html("<a href=\"{{{v}}}\">", url).contains(url))
    }

    @Test func aHostIsWrittenAsItIs() throws {
        #expect(try html("<a href=\"https://{{v}}/x\">", "shop.example:8080") == "<a href=\"https://shop.example:8080/x\">")
        #expect(
            try html("<img srcset='{{v}} 1x, {{v}} 2x'>", "https://x.example/?a&b")
                == "<img srcset='https://x.example/?a&amp;b 1x, https://x.example/?a&amp;b 2x'>")
    }

    @Test func anAttributeWithoutQuotesDoesNotEnd() throws {
        #expect(try html("<p class=a{{v}}>", " onclick=x>\n'") == "<p class=a&#32;onclick&#61;x&gt;&#10;&#39;>")
        #expect(try html("<p class={{v}} id=z>", "") == "<p class=\"\" id=z>")
        #expect(try html("<a href={{v}}>", "https://x.example/?a&b") == "<a href=\"https://x.example/?a&amp;b\">")
        #expect(try html("<p {{v}}>", "a onclick=x") == "<p a&#32;onclick&#61;x>")
        #expect(
            try html("<p class=\"{{v}}\" title='{{v}}'>{{v}}", "a='b'\"")
                == "<p class=\"a=&#39;b&#39;&quot;\" title='a=&#39;b&#39;&quot;'>a=&#39;b&#39;&quot;")
    }

    @Test func aScriptGetsStringsOfJSON() throws {
        let value = "</script>\"'\n\u{2028}&"
        let encoded = "\\u003C/script\\u003E\\u0022\\u0027\\n\\u2028\\u0026"
        #expect(
            try html("<script type=\"application/ld+json\">{\"n\":\"{{v}}\"}</script>{{v}}", value).hasPrefix(
                "<script type=\"application/ld+json\">{\"n\":\"\(encoded)\"}</script>&lt;"))
        #expect(try html("<b onclick=\"f('{{v}}')\">", value) == "<b onclick=\"f('\(encoded)')\">")
    }

    @Test(arguments: ["<style>p{a:{{v}}}</style>", "<p style=\"a:{{v}}\">", "<p STYLE = 'a:{{v}}'>", "<p style={{v}} id=z>"])
    func aValueOfCSSStaysOne(_ template: String) throws {
        for value in ["#ff0000", "red", "-1.5em", "50%", "Open Sans, Arial", "Straße_1"] {
            #expect(try html(template, value).contains(value))
        }
        let text = try html(template, "'\"}; b:url(//x)/*</style>\\&\n@!")
        let written = "\\27 \\22 \\7D \\3B  b\\3A url\\28 \\2F \\2F x\\29 \\2F \\2A \\3C \\2F style\\3E \\5C \\26 \\0A \\40 \\21 "
        #expect(text.contains(written), "\(text)")
        #expect(try html(template.replacing("{{v}}", with: "{{{v}}}"), "a;b").contains("a;b"))
    }

    @Test func aStyleWithoutQuotesDoesNotEnd() throws {
        #expect(try html("<p style=a:{{v}}>", "b;c d>") == "<p style=a:b\\3B&#32;c&#32;d\\3E&#32;>")
    }

    @Test func whatMailsHoldBesidesTagsHidesNoPlace() throws {
        for before in [
            "<!-- don't <a href=\" -->", "<!-->", "<!--[if mso]><v:rect href='x'><![endif]-->", "<!--[if !mso]><!-->",
            "<style>a{b:'c'}</style>",
            "<title>a \"b</title>", "<!DOCTYPE html PUBLIC \"-//W3C//DTD>\">", "1 < 2 & don't", "<p title=don't>", "<br/>",
            "<script>if(a<b)'</script>",
        ] {
            #expect(
                try html(before + "<a href=\"https://x.example/?e={{v}}\">{{v}}", "a b") == before
                    + "<a href=\"https://x.example/?e=a%20b\">a b")
        }
    }

    @Test func aDocumentInsideOfAnAttributeTakesNoValue() throws {
        for template in ["<iframe srcdoc=\"{{v}}\">", "<iframe srcdoc='<p>a {{v}}'>", "<iframe SRCDOC={{v}} >"] {
            let error = try #require(throws: TemplateError.self) { try html(template, "x") }
            #expect(error.description.contains("'{{v}}' stands in a srcdoc") && error.description.contains("'{{{v}}}'"), "\(error)")
            #expect(try html(template.replacing("{{v}}", with: "{{{v}}}"), "x").contains("x"))
        }
    }

    /// HTML Standard section 13.2.5.3: nobody reads entities in these.
    @Test(arguments: [
        ("<xmp>{{v}}</xmp>", "stands in <xmp>"), ("<p><XMP class=a>x </x {{v}}", "stands in <xmp>"),
        ("<iframe src=x><p>{{v}}</p></iframe>", "stands in <iframe>"), ("<noembed>{{v}}</noembed>", "stands in <noembed>"),
        ("<noframes>\"{{v}}", "stands in <noframes>"), ("<plaintext></plaintext><p>{{v}}", "stands in <plaintext>"),
        ("a <{{v}}", "where the name of an element begins"), ("</{{v}}>", "where the name of an element begins"),
        ("<p {{w}}=\"{{v}}\">", "whose name is a value itself"), ("<p on{{w}}={{v}} >", "whose name is a value itself"),
    ]) func aPlaceForWhichNothingCanBeEscapedIsRefused(_ template: String, _ words: String) throws {
        let error = try #require(throws: TemplateError.self) { try html("x\n" + template, "x") }
        #expect(error.problems.count == 1 && error.problems[0].line == 2 && error.problems[0].file == "message.html")
        #expect(error.description.contains("'{{v}}' ") && error.description.contains(words), "\(error)")
        #expect(try html(template.replacing("{{v}}", with: "{{{v}}}"), "x").contains("x"))
    }

    @Test(arguments: [
        ("<noscript><a href=\"?e={{v}}\">{{v}}</a></noscript>", "<noscript><a href=\"?e=a%20%3Cb\">a &lt;b</a></noscript>"),
        ("<textarea><a href={{v}}>{{v}}</TEXTAREA>", "<textarea><a href=a &lt;b>a &lt;b</TEXTAREA>"),
        ("<title>\"<!-- {{v}}</title>{{v}}", "<title>\"<!-- a &lt;b</title>a &lt;b"),
        ("<xmp><a title='</xmp>{{v}}", "<xmp><a title='</xmp>a &lt;b"),
        ("<iframe></iframe><p data-{{v}}='{{v}}'>", "<iframe></iframe><p data-a&#32;&lt;b='a &lt;b'>"),
        ("<!--{{v}} a > b <a href=\"-->{{v}}", "<!-- a &lt;b a > b <a href=\"-->a &lt;b"),
        ("<!--[note] a > b <a href=\"-->{{v}}", "<!--[note] a > b <a href=\"-->a &lt;b"),
        ("<!--[IF mso]><a href=\"{{v}}\"><![endif]-->", "<!--[IF mso]><a href=\"a%20&lt;b\"><![endif]-->"),
        ("<!{{v}}>{{v}}", "<! a &lt;b>a &lt;b"), ("<!-- x--{{v}}> <p title=\"-->{{v}}", "<!-- x-- a &lt;b> <p title=\"-->a &lt;b"),
    ]) func rawTextAndCommentsEndWhereBrowsersEndThem(_ template: String, _ expected: String) throws {
        #expect(try html(template, "a <b") == expected)
    }

    @Test func aValueBeginsAndEndsNoComment() throws {
        #expect(try html("<!{{v}}><p>", "--") == "<! --><p>")
        #expect(try html("<!--{{v}}><p> -->", "") == "<!-- ><p> -->")
    }

    @Test(arguments: ["0;url=", "5; URL = '", " 1.5 , ", "0;", "0;url=https://x.example/?a=b;c=1,"])
    func theTargetOfARefreshIsALink(_ before: String) throws {
        let isWhole = !before.contains("?")
        for meta in ["<meta http-equiv=refresh content=\"\(before){{v}}\">", "<META content=\"\(before){{v}}\" http-equiv=refresh>"] {
            #expect(try html(meta, "javascript:alert(1)").contains("script:") == false)
            #expect(
                try html(meta, "https://x.example/a b").contains(isWhole ? "https://x.example/a%20b" : "https%3A%2F%2Fx.example%2Fa%20b"))
        }
        #expect(try html("<meta name=description content=\"{{v}}; {{v}}\">", "50% off: 1, 2").contains("\"50% off: 1, 2; 50% off: 1, 2\""))
        #expect(try html("<meta name=description content=\"Now, 2; {{v}}\">", "a: b").contains("2; a: b"))
    }

    @Test(arguments: [
        "<a href=\"{{#w}}https://x.example/?u={{/w}}{{v}}\">", "<a {{#w}}href=\"{{/w}}{{v}}\">", "<a {{#w}}title='{{/w}}x={{v}}'>",
    ]) func aPlaceThatDependsOnASectionIsRefused(_ template: String) throws {
        let error = try #require(throws: TemplateError.self) { try html(template, "") }
        #expect(error.description.contains("the place of '{{v}}' depends on a section before it"))
        _ = try html(template.replacing("{{v}}", with: "{{{v}}}"), "")
    }

    @Test func aListMayBeWrittenSeveralTimes() throws {
        let text = try CompiledTemplate.render(
            "<a href=\"/x{{#v}}&i={{.}}{{/v}}\">{{#v}}<b>{{.}}</b>{{/v}}", ["v": "[\"a b\",\"c&\"]"], nested: ["v"])
        #expect(text == "<a href=\"/x&i=a%20b&i=c%26\"><b>a b</b><b>c&amp;</b>")
        #expect(throws: TemplateError.self) {
            try CompiledTemplate.render("<a href=\"{{#v}}{{.}}?{{/v}}\">", ["v": "[]"], nested: ["v"])
        }
    }

    /// No value of any kind ends the tag, attribute, string or link it stands in: the text around it is what it was.
    @Test func noValueLeavesItsPlace() throws {
        var generator = SeededGenerator(seed: 14)
        let pieces = [
            "\"", "'", "<", ">", "&", "=", " ", "/", "?", "#", ":", "javascript:", "\\", "\n", "]]>", "</script>", "é", "%", "x", "-->",
            "`", ";", "}", "*/", "(",
        ]
        let places = [
            "<a href=\"{{v}}\">", "<a href='?{{v}}'>", "<a href=x{{v}} >", "<p title=\"{{v}}\">", "<p title=x{{v}} >", "<p {{v}} >",
            "<p>{{v}}</p>",
            "<script>\"{{v}}\"</script>", "<style>{{v}}</style>", "<p style=\"color:{{v}}\">", "<p style=color:{{v}} >", "<!-- {{v}} -->",
            "<title>{{v}}</title>",
        ]
        for _ in 0..<2000 {
            let value = (0..<Int.random(in: 0...8, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            let template = places.randomElement(using: &generator) ?? ""
            let parts = template.split(separator: "{{v}}", omittingEmptySubsequences: false)
            let text = try html(template, value)
            var place = HTMLPlace()
            place.advance(Array(parts[0].utf8))
            let state = place.state
            var index = parts[0].utf8.count
            // The value begins what stands at the begin of an attribute or a name.
            place.advanceValue()
            let inside = place.state
            var reader = HTMLPlace()
            reader.advance(Array(parts[0].utf8))
            for byte in text.utf8.dropFirst(index).dropLast(parts[1].utf8.count) {
                reader.advance(byte)
                index += 1
                if case .comment = inside { continue }
                #expect(reader.state == inside || reader.state == state, "\(template) with \(value.debugDescription): \(text)")
                #expect(!reader.isClosing)
            }
        }
    }
}
