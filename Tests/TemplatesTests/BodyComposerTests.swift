import Model
import Testing

@testable import Templates

@Suite struct BodyComposerTests {
    private let fields = ["id", "phone", "name"]

    private func rendered(_ composer: BodyComposer, _ values: [String]) -> String {
        var out: [UInt8] = []
        composer.compose(recipients(values), row: 0, into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    private func sms(_ text: String, from: String = "Shop") -> Mailing {
        Mailing(
            name: "x", channel: .sms, provider: "gateway", from: from,
            text: Mailing.Template(source: text, file: "sms.txt"), fields: fields)
    }

    @Test func webhookValuesAreEscapedForJSON() throws {
        let composer = try BodyComposer(
            template: Mailing.Template(source: #"{"n":"{{name}}","raw":{{{id}}}}"#), fields: fields)
        #expect(rendered(composer, ["7", "+49", "a\"\\\n"]) == #"{"n":"a\"\\\n","raw":7}"#)
        try composer.checkJSON(recipients(["7", "+49", "\u{0}\u{1f}\"\r"]), row: 0)
    }

    @Test func aBodyThatIsNoJSONIsShown() throws {
        let composer = try BodyComposer(
            template: Mailing.Template(source: "{\"n\":{{name}},}", file: "hook.json", line: 4), fields: fields)
        let error = try #require(throws: TemplateError.self) {
            try composer.checkJSON(recipients(["7", "+49", "Ann"]), row: 0)
        }
        #expect(
            error.description
                == "hook.json:4: with the values of recipient '7' the body is not JSON: "
                + "it has no JSON value (a text needs quotation marks), "
                + "here: {\"n\": >>> Ann,}; put texts into quotes, and leave no comma before '}' or ']'")
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "01", "1.", "-", "1e", "tru", "\"\\x\"", "\"\\u12\"", "\"a\nb\"",
        "\"\\ud800\"", "[1] 2", "'a'", String(repeating: "[", count: 1000),
    ]) func isNoJSON(_ text: String) throws {
        let composer = try BodyComposer(template: Mailing.Template(source: "{{{name}}}"), fields: fields)
        #expect(throws: TemplateError.self) { try composer.checkJSON(recipients(["1", "+49", text]), row: 0) }
    }

    @Test(arguments: [
        "0", "-0.5e+3", " [ ] ", "{\"a\":[1,{\"b\":null}],\"c\":true}", "\"\\u00e9\\ud83d\\ude00\\/\"", "false",
    ])
    func isJSON(_ text: String) throws {
        let composer = try BodyComposer(template: Mailing.Template(source: "{{{name}}}"), fields: fields)
        try composer.checkJSON(recipients(["1", "+49", text]), row: 0)
    }

    @Test func smsTakesTheBuiltInBodyAroundItsText() throws {
        let composer = try BodyComposer(gateway: sms("Hi \"{{name}}\",\n20 % off{{#id}}!{{/id}}"), body: nil)
        #expect(
            rendered(composer, ["1", "+491", "A\"n"])
                == #"{"to":"+491","from":"Shop","text":"Hi \"A\"n\",\n20 % off!"}"#)
        try composer.checkJSON(recipients(["1", "+491", "\\"]), row: 0)
    }

    @Test func smsTakesTheBodyOfItsProvider() throws {
        let composer = try BodyComposer(
            gateway: sms("{{{name}}}", from: "S\"p"),
            body: #"{"messages":[{"ref":"{{id}}","destination":"{{address}}","body":"{{text}}","by":"{{from}}"}]}"#)
        #expect(
            rendered(composer, ["1", "+491", "\""])
                == #"{"messages":[{"ref":"1","destination":"+491","body":"\"","by":"S\"p"}]}"#)
    }

    @Test func smsReportsTheProblemsOfBothTemplates() throws {
        let error = try #require(throws: TemplateError.self) {
            try BodyComposer(gateway: sms("{{nam}}"), body: "{{text}}{{#text}}{{/text}}")
        }
        #expect(error.problems.map(\.file) == ["sms.txt", "body of provider gateway"])
    }

    @Test(arguments: [
        (#"{"a":"{{a}}"}"#, true), (#"{"a":"x{{#a}}, {{b}}\"{{/a}}{{^a}}no{{/a}}"}"#, true), (#"["{{a}}{{b}}", 1, {"{{a}}": null}]"#, true),
        (#"{"a":{{a}}}"#, false), (#"{"a":"{{{a}}}"}"#, false), (#"{{#a}}{"a":1}{{/a}}"#, false), (#"{"a":"{{#a}}","b":"{{/a}}"}"#, false),
        (#"{"a":"\{{a}}"}"#, false), (#"{"a":"\u00{{a}}41"}"#, false), (#"{"a":"{{#a}}\{{/a}}n"}"#, false), (#"{"a":"{{a}}"#, false),
        (#"{"a":"{{a}}"} x"#, false),
    ])
    func knowsATemplateThatNoValueCanSpoil(_ source: String, _ isSafe: Bool) throws {
        let composer = try BodyComposer(template: Mailing.Template(source: source, file: "b"), fields: ["id", "a", "b"])
        #expect(composer.isAlwaysJSON == isSafe)
        guard isSafe else { return }
        for values in [["1", "", ""], ["1", "\"\\\n\u{1}", "{"], ["0", "false", "字\u{2028}"]] {
            #expect(composer.jsonFault(recipients(values), row: 0) == nil)
        }
    }
}
