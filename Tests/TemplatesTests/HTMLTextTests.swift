import Model
import Testing

@testable import Templates

@Suite struct HTMLTextTests {
    private func text(_ html: String, _ values: [String] = ["Ann", ""]) throws -> String {
        let source = TemplateSource(Mailing.Template(source: html), unifyingLineEnds: true)
        let fields = FieldNames(["a", "b"], nested: [])
        var (tokens, problems) = TemplateParser.parse(source)
        tokens = tokens.placed(in: .html, of: source, fields: fields, &problems)
        #expect(problems.isEmpty)
        let template = try CompiledTemplate(HTMLText.convert(tokens), of: source, fields: fields, form: .plain(.none))
        var out: [UInt8] = []
        template.render(recipients(values), row: 0, into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    @Test(arguments: [
        ("plain  text\n here", "plain text here\n"),
        ("<h1>Head</h1><p>One<br>two</p>\n<p>Three</p>", "Head\n\nOne\ntwo\n\nThree\n"),
        ("<p>Dear {{a}},</p>", "Dear Ann,\n"),
        ("<ul><li>one</li><li><b>two</b></li></ul>end", "- one\n- two\n\nend\n"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"),
        ("<a href=\"https://x.example/?a=1&amp;b={{a}}\">Go now</a>!", "Go now (https://x.example/?a=1&b=Ann)!\n"),
        (
            "<a href='https://x.example'>https://x.example</a>, <a href=mailto:me@x.example>me@x.example</a>",
            "https://x.example, me@x.example\n"
        ),
        ("<a href='#top'>up</a>", "up\n"),
        ("<a href=\"https://x.example/\"><img src=x alt=\"Our shop\"></a>", "Our shop (https://x.example/)\n"),
        ("<a href=\"https://x.example/\"><img src=x></a>", "https://x.example/\n"),
        (
            "a &lt;b&gt; &amp;amp; &#228;&#xE4;&auml;&yuml;&euro;&nbsp;&unknown; &; & b",
            "a <b> &amp; äääÿ€ &unknown; &; & b\n"
        ),
        ("1 < 2 <3 <!-- {{a}} <p> --> x", "1 < 2 <3 x\n"),
        ("<style>p {a: b}</style><script>if (a</b) {}</script><title>t</title>x", "x\n"),
        ("<p class=\"a>b\">x</p>", "x\n"),
        ("&#123;&#123;nope}}", "{{nope}}\n"),
        ("<pre>a\n  b</pre>", "a\n  b\n"),
        ("{{#b}}<p>hidden</p>{{/b}}<p>x</p>{{^b}}<p>shown</p>{{/b}}", "\n\nx\n\nshown\n"),
        ("<p class=\"{{#b}}c{{/b}}\">x</p>", "x\n"),
        ("{{#a}}<a href=A>{{/a}}{{#b}}<a href=B>{{/b}}t</a>", "At\n"),
        ("<a href=\"{{#b}}B{{/b}}{{^b}}C{{/b}}\">t</a>", "t (C)\n"),
        ("<a href=\"x{{#b}}\" {{/b}}>t</a>", "t\n"),
        ("<a href=x>open", "open (x)\n"),
        ("<p>unclosed <b", "unclosed <b\n"),
    ]) func makesText(_ html: String, _ expected: String) throws {
        #expect(try text(html) == expected)
    }

    @Test(arguments: [
        ("<p title=don't>It isn't <b>here</b></p>", "It isn't here\n"),
        ("<p title=\"a > b\" data-x='c > \"d\"'>words</p>", "words\n"),
        ("x<svg><text>svg</text><text>two</text></svg>words", "x svg two words\n"),
        ("n<textarea>words</textarea>n<object data=o>obj</object>word", "n words n obj word\n"),
        ("o<button>2</button><button>btn</button>.", "o 2 btn .\n"),
        ("Name<input value=\"{{a}}\">and<input type=submit value='Send &amp; go'>now", "Name Ann and Send & go now\n"),
        ("a<input type=HIDDEN value=secret><input type=checkbox value=1>b<input type=image alt=Go value=x>", "a b Go\n"),
        ("Shoes<img src=x alt=Hats><img src=y alt=Bags>Socks<img src=pixel alt=''>es", "Shoes Hats Bags Sockses\n"),
        ("<select><option>one<option>two</select><video>film</video>end", "one\ntwo film end\n"),
        ("<img alt=Anna's src=x> and <i>more</i>", "Anna's and more\n"),
        ("a<!-->b<!--->c<!-- -- > no --!>d<!--[if mso]>no<![endif]-->e<!--[if !mso]><!-->f<!--<![endif]-->", "abcdef\n"),
        ("<![if !mso]>shown<![endif]><noscript>seen</noscript><svg><text>drawn</text></svg>", "shownseen drawn\n"),
        ("don&#146;t &copy 2026 &amp &alpha;&Omega;&rarr;&#8364 &#0;&#xd800;", "don’t © 2026 & αΩ→€ \u{20}\u{fffd}\n"),
        ("<a href=\"x?a=1&copy=2&lt;\">t</a>", "t (x?a=1&copy=2<)\n"),
        ("I </3 you, 1 <2", "I </3 you, 1 <2\n"),
        ("a<textarea><b>&lt;{{a}}</b></textarea>z", "a <b><Ann</b> z\n"), ("<xmp><p>&lt;</XMP>z", "<p>&lt;\n\nz\n"),
        ("<plaintext><b>x</plaintext>", "<b>x</plaintext>\n"), ("<style>a</b><p title='</style>x", "x\n"),
        ("<my-tag>one</my-tag> <o:p>two</o:p>", "one two\n"),
    ]) func keepsEveryWord(_ html: String, _ expected: String) throws {
        #expect(try text(html) == expected)
    }

    @Test func valuesOfHTMLBecomeText() throws {
        let value = "<p title=don't>Tom &amp; <b>Jerry's</b></p><p>caf&eacute;</p>"
        #expect(try text("<div>Hi {{{a}}}!</div>", [value, ""]) == "Hi Tom & Jerry's\n\ncafé!\n")
        #expect(try text("<div>{{a}}</div>", ["<b> & \"c\"", ""]) == "<b> & \"c\"\n")
        let unfinished = String(repeating: "<a", count: 20_000)
        #expect(try text("{{{a}}}", [unfinished, ""]) == unfinished + "\n")
    }

    @Test func targetsOfLinksAreEncodedAsInTheHTML() throws {
        let values = ["Ada & Co #1", "ada+shop@example.com"]
        #expect(
            try text("<a href='https://x.example/?n={{a}}&amp;e={{b}}'>go</a>", values)
                == "go (https://x.example/?n=Ada%20%26%20Co%20%231&e=ada%2Bshop%40example.com)\n")
        #expect(try text("<a href=\"mailto:{{b}}\">{{b}}</a>", values) == "ada+shop@example.com\n")
    }

    @Test func anyHTMLMakesATemplateThatCompiles() throws {
        var generator = SeededGenerator(seed: 5)
        let pieces = [
            "<", ">", "</", "a", " href=", "\"", "'", "p", "<p>", "<a href=x>", "</a>", "<style>", "</style>", "<!--",
            "-->", "&", "amp;",
            "{{#a}}", "{{/a}}", "{{^b}}", "{{/b}}", "{{a}}", "{{{a}}}", " ", "\n", "<img alt=", "=", "/", "!", "--!>", "<title>",
        ]
        for _ in 0..<3000 {
            let html = (0..<Int.random(in: 0...16, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }.joined()
            let source = TemplateSource(Mailing.Template(source: html))
            let fields = FieldNames(["a", "b"], nested: [])
            var (tokens, problems) = TemplateParser.parse(source)
            tokens = tokens.placed(in: .html, of: source, fields: fields, &problems)
            guard (try? CompiledTemplate(tokens, of: source, fields: fields, form: .plain(.html))) != nil else {
                continue
            }
            #expect(throws: Never.self, "\(html)") {
                try CompiledTemplate(HTMLText.convert(tokens), of: source, fields: fields, form: .plain(.none))
            }
        }
    }
}
