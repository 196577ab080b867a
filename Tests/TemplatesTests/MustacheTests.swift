import Model
import Testing

@testable import Templates

@Suite struct MustacheTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var template: String
        var values: KeyValuePairs<String, String> = ["word": "loud", "yes": "true", "no": ""]
        var nested: [String] = []
        var expected: String
        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "single braces are text", template: "{a} }} {b", expected: "{a} }} {b"),
        Case(name: "a value stands in place of its tag", template: "so {{word}}.", expected: "so loud."),
        Case(
            name: "white space inside of tags counts for nothing",
            template: "{{ word }}{{& word }}{{{ word }}}{{#  yes }}+{{/ yes}}",
            expected: "loudloudloud+"),
        Case(
            name: "the no-break spaces of editors are white space", template: "{{\u{a0}word\u{a0}}}{{\u{a0}#yes }}+{{/\u{feff}yes}}",
            expected: "loud+"),
        Case(
            name: "a no-break space in a name", template: "{{First\u{a0}name}}", values: ["First name": "Ann"], expected: "Ann"),
        Case(name: "white space around values stays", template: " {{word}}\t{{word}}\n", expected: " loud\tloud\n"),
        Case(
            name: "a field's name may have spaces", template: "{{First name}}", values: ["First name": "Ann"],
            expected: "Ann"),
        Case(name: "a value's tags are not read again", template: "{{{a}}}", values: ["a": "{{b}}"], expected: "{{b}}"),
        Case(name: "a comment leaves nothing", template: "a{{! word }}b{{!\n two\n lines }}c", expected: "abc"),
        Case(
            name: "a comment alone on lines takes them with it", template: "a\n  {{! one\n two }} \nb", expected: "a\nb"
        ),
        Case(name: "a section's lines go", template: "a\n{{#yes}}\nb\n{{/yes}}\nc\n", expected: "a\nb\nc\n"),
        Case(name: "indented lines of sections go", template: "a\n  {{^no}}\n b\n\t{{/no}}\nc", expected: "a\n b\nc"),
        Case(
            name: "CRLF lines of sections go", template: "a\r\n{{#yes}}\r\nb\r\n{{/yes}}\r\nc", expected: "a\r\nb\r\nc"),
        Case(name: "a variable's line stays", template: "  {{word}}\n  {{&no}}\n", expected: "  loud\n  \n"),
        Case(
            name: "two tags on a line keep it", template: "{{#yes}}{{/yes}}\n {{#yes}} {{/yes}} \n", expected: "\n   \n"
        ),
        Case(name: "a tag alone on the last line", template: "a\n {{#yes}}\nb\n {{/yes}}", expected: "a\nb\n"),
        Case(
            name: "false sections inside of true ones", template: "1{{#yes}}2{{#no}}3{{/no}}4{{^no}}5{{/no}}{{/yes}}6",
            expected: "12456"),
        Case(
            name: "true sections inside of false ones", template: "1{{#no}}2{{#yes}}3{{/yes}}{{/no}}4", expected: "14"),
        Case(
            name: "the same section twice", template: "{{#yes}}a{{/yes}}{{word}}{{#yes}}b{{/yes}}", expected: "aloudb"),
        Case(name: "the same section in itself", template: "{{#yes}}a{{#yes}}b{{/yes}}c{{/yes}}", expected: "abc"),
        Case(
            name: "a dot is the value of the section", template: "{{#word}}({{.}}{{^no}}{{.}}{{/no}}){{/word}}",
            expected: "(loudloud)"),
        Case(
            name: "delimiters change", template: "{{=<% %>=}}<%word%> {{word}} <%={{ }}=%>{{word}}",
            expected: "loud {{word}} loud"),
        Case(
            name: "delimiters may be one character, and alike", template: "{{= | | =}}|word| |&word|",
            expected: "loud loud"),
        Case(
            name: "delimiters of regular expressions are plain text", template: "{{=[ ]=}}[word].[#yes]*[/yes]",
            expected: "loud.*"),
        Case(name: "a line of delimiters goes", template: "a\n  {{=@ @=}}  \n@word@", expected: "a\nloud"),
        Case(name: "delimiters on a line with text leave its white space", template: "a {{=@ @=}} b", expected: "a  b"),
        Case(name: "triple braces with other delimiters", template: "{{=<% %>=}}<%{word}%>", expected: "loud"),
        Case(name: "text that begins like a delimiter", template: "{ {word} {{word}}}", expected: "{ {word} loud}"),
        Case(name: "an empty template", template: "", expected: ""),
        Case(name: "a field named with a dot", template: "{{a.b}}", values: ["a.b": "x"], expected: "x"),
        Case(
            name: "a member of an object", template: "{{a.b.c}}|{{a.x.y}}|{{a.b}}",
            values: ["a": #"{"b": {"c": 1.50}}"#],
            nested: ["a"], expected: "1.50||{&quot;c&quot;: 1.50}"),
        Case(
            name: "an object entered", template: "{{#a}}{{b}}{{word}}{{/a}}",
            values: ["a": #"{"b":"<"}"#, "word": "w"],
            nested: ["a"], expected: "&lt;w"),
        Case(
            name: "an object's member hides a field", template: "{{#a}}{{word}}{{/a}}",
            values: ["a": #"{"word":"in"}"#, "word": "out"],
            nested: ["a"], expected: "in"),
        Case(
            name: "a list of objects", template: "{{#a}}{{n}},{{/a}}", values: ["a": #"[{"n":1},{"n":2}]"#],
            nested: ["a"], expected: "1,2,"),
        Case(
            name: "a list of texts", template: "{{#a}}({{.}}){{/a}}{{^a}}none{{/a}}",
            values: ["a": #"["x","\u00e9",null]"#], nested: ["a"],
            expected: "(x)(é)()"),
        Case(
            name: "a list in a list", template: "{{#a}}{{#.}}{{.}}{{/.}};{{/a}}", values: ["a": "[[1,2],[3]]"],
            nested: ["a"], expected: "12;3;"),
        Case(
            name: "an empty list", template: "{{#a}}some{{/a}}{{^a}}none{{/a}}", values: ["a": " [ ]"], nested: ["a"],
            expected: "none"),
        Case(
            name: "an empty object is true", template: "{{#a}}some{{/a}}{{^a}}none{{/a}}", values: ["a": "{}"],
            nested: ["a"], expected: "some"),
        Case(
            name: "truth inside of JSON", template: "{{#a}}{{#b}}yes{{/b}}{{^b}}no{{/b}}{{/a}}",
            values: ["a": #"[{"b":true},{"b":false},{"b":null},{"b":""},{"b":0},{"b":[]},{"b":"x"},{}]"#],
            nested: ["a"],
            expected: "yesnononononoyesno"),
        Case(
            name: "text in a field for objects", template: "{{#a}}{{.}}{{/a}}", values: ["a": "[not JSON"],
            nested: ["a"], expected: "[not JSON"),
        Case(
            name: "JSON in a field of text is text", template: "{{#a}}{{.}}{{/a}}", values: ["a": "[1,2]"],
            expected: "[1,2]"),
    ]

    @Test(arguments: cases) func rendersAsMustacheSays(_ item: Case) throws {
        #expect(try CompiledTemplate.render(item.template, item.values, nested: item.nested) == item.expected)
    }

    @Test(arguments: ["", "0", "false", "FALSE", "False", " ", "\t\u{a0}", " 0 ", "false\n"]) func isFalse(_ value: String) throws {
        #expect(try CompiledTemplate.render("{{#a}}yes{{/a}}{{^a}}no{{/a}}", ["a": value]) == "no")
    }

    @Test(arguments: ["00", "no", "true", "1", "null", "falsE!", "fal se", " x", "\u{a0}1", "é"]) func isTrue(_ value: String) throws {
        #expect(try CompiledTemplate.render("{{#a}}yes{{/a}}{{^a}}no{{/a}}", ["a": value]) == "yes")
    }

    @Test func escapesForItsPlace() throws {
        let value = "\"<a> & 'b'\" \\\t\u{1}\r\nü\u{2028}"
        func rendered(_ escaping: Escaping) throws -> [String] {
            try ["{{v}}", "{{{v}}}", "{{&v}}"].map { tag in
                // Only inside of quotation marks is a value of JSON a text.
                let text = try CompiledTemplate.render(escaping == .json ? "\"\(tag)\"" : tag, ["v": value], escaping: escaping)
                return escaping == .json ? String(text.dropFirst().dropLast()) : text
            }
        }
        #expect(
            try rendered(.html) == ["&quot;&lt;a&gt; &amp; &#39;b&#39;&quot; \\\t\u{1}\r\nü\u{2028}", value, value])
        #expect(try rendered(.json) == [#"\"<a> & 'b'\" \\\t\u0001\r\nü"# + "\u{2028}", value, value])
        #expect(try rendered(.none) == [value, value, value])
        let encoded = "%22%3Ca%3E%20%26%20%27b%27%22%20%5C%09%01%0D%0A%C3%BC%E2%80%A8"
        #expect(try rendered(.form) == [encoded, value, value])
        #expect(
            try rendered(.xml)
                == ["&quot;&lt;a&gt; &amp; &#39;b&#39;&quot; \\&#9;&#13;&#10;ü\u{2028}", value, value])
        #expect(try rendered(.header) == Array(repeating: "\"<a> & 'b'\" \\ ü ", count: 3))
    }

    @Test func rendersEachRowWithItsOwnValues() throws {
        let template = try CompiledTemplate(
            Mailing.Template(source: "{{id}}{{#b}}-{{b}}{{/b}};"), fields: ["id", "address", "b"], escaping: .none)
        let table = recipients(["1", "x", "one"], ["2", "y", ""], ["3", "z", "three"])
        var out: [UInt8] = []
        for row in 0..<3 { template.render(table, row: row, into: &out) }
        #expect(String(decoding: out, as: UTF8.self) == "1-one;2;3-three;")
    }
}
