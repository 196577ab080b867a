import Foundation
import Model
import Testing
import Text

@testable import Templates

@Suite struct BodyComposerTests {
    private let fields = ["id", "phone", "name"]

    private func rendered(_ composer: BodyComposer, _ values: [String]) -> String {
        var out: [UInt8] = []
        composer.compose(recipients(values), row: 0, into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    private func sms(_ text: String, from: String = "Shop") -> Mailing {
        var mailing = Mailing(name: "x", channel: .sms, provider: "gateway", fields: fields)
        mailing.from = from
        mailing.text = Mailing.Template(source: text, file: "sms.txt")
        return mailing
    }

    @Test func webhookValuesAreEscapedForJSON() throws {
        let composer = try BodyComposer(
            template: Mailing.Template(source: #"{"n":"{{name}}","raw":{{{id}}}}"#), fields: fields)
        #expect(rendered(composer, ["7", "+49", "a\"\\\n"]) == #"{"n":"a\"\\\n","raw":7}"#)
        #expect(composer.jsonFault(recipients(["7", "+49", "\u{0}\u{1f}\"\r"]), row: 0) == nil)
    }

    @Test func aBodyThatIsNoJSONIsShown() throws {
        let composer = try BodyComposer(
            template: Mailing.Template(source: "{\"n\":{{name}},}", file: "hook.json", line: 4), fields: fields)
        let fault = "the body is not JSON: it has no JSON value (a text needs quotation marks), here: {\"n\": >>> Ann,}"
        #expect(composer.jsonFault(recipients(["7", "+49", "Ann"]), row: 0) == fault)
        #expect(composer.jsonWarning(fault, rows: 2).description.hasPrefix("hook.json:4: none of the first 2 recipients can be sent to"))
        let error = try #require(throws: TemplateError.self) { try composer.checkJSON() }
        #expect(error.description.hasPrefix("hook.json:4: whatever the values are, the body is not JSON: it "), "\(error)")
        #expect(error.description.hasSuffix("; put texts into quotes, and leave no comma before '}' or ']'"), "\(error)")
    }

    @Test(arguments: [
        (#"{"v":{{a}}}"#, true), (#"{"v":{{a}},}"#, false), (#"{"v":{{a}} {{b}}}"#, false), (#"{{{a}}}"#, true), (#"{"v":{{{a}}},}"#, true),
        (#"{"v":{{#a}}1{{/a}}{{^a}}2{{/a}}}"#, true), (#"{"v":{{#a}}1{{/a}}}"#, true), (#"{"v":{{^a}}1{{/a}}}"#, true),
        (#"[{{#a}}1,{{/a}}{{#b}}2,{{/b}}3]"#, true), (#"[{{#a}}1,{{/a}}{{#b}}2,{{/b}}]"#, true), (#"[{{#a}}1,{{/a}}{{#b}}2,{{/b}}"#, false),
        (#"{{^a}}{"v":{{a}}}{{/a}}"#, true), (#"{"v":"\u00{{a}}"}"#, true), ("{ {{a}}: 1}", false), (#"{"to":"{{a}}", x}"#, false),
    ])
    func onlyATemplateThatNoValueMakesJSONIsRefused(_ source: String, _ isTaken: Bool) throws {
        let nested = source.contains("#") || source.contains("^") ? [] : ["a", "b"]
        for nested in [[], nested] {
            let composer = try BodyComposer(
                template: Mailing.Template(source: source, file: "b"), fields: ["id", "a", "b"], nested: nested)
            #expect(((try? composer.checkJSON()) != nil) == isTaken, "\(nested)")
        }
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "01", "1.", "-", "1e", "tru", "\"\\x\"", "\"\\u12\"", "\"a\nb\"",
        "\"\\ud800\"", "[1] 2", "'a'", String(repeating: "[", count: 1000),
    ]) func isNoJSON(_ text: String) throws {
        let composer = try BodyComposer(template: Mailing.Template(source: "{{{name}}}"), fields: fields)
        #expect(composer.jsonFault(recipients(["1", "+49", text]), row: 0) != nil)
    }

    @Test(arguments: [
        "0", "-0.5e+3", " [ ] ", "{\"a\":[1,{\"b\":null}],\"c\":true}", "\"\\u00e9\\ud83d\\ude00\\/\"", "false",
    ])
    func isJSON(_ text: String) throws {
        let composer = try BodyComposer(template: Mailing.Template(source: "{{{name}}}"), fields: fields)
        #expect(composer.jsonFault(recipients(["1", "+49", text]), row: 0) == nil)
    }

    @Test func smsTakesTheBuiltInBodyAroundItsText() throws {
        let composer = try BodyComposer(gateway: sms("Hi \"{{name}}\",\n20 % off{{#id}}!{{/id}}"), body: nil)
        #expect(
            rendered(composer, ["1", "+491", "A\"n"])
                == #"{"to":"+491","from":"Shop","text":"Hi \"A\"n\",\n20 % off!"}"#)
        #expect(composer.jsonFault(recipients(["1", "+491", "\\"]), row: 0) == nil)
    }

    @Test func smsTakesTheBodyOfItsProvider() throws {
        let composer = try BodyComposer(
            gateway: sms("{{{name}}}", from: "S\"p"),
            body: #"{"messages":[{"ref":"{{id}}","destination":"{{address}}","body":"{{text}}","by":"{{from}}"}]}"#)
        #expect(
            rendered(composer, ["1", "+491", "\""])
                == #"{"messages":[{"ref":"1","destination":"+491","body":"\"","by":"S\"p"}]}"#)
    }

    private func gateway(_ type: String, _ body: String?) -> Provider {
        Provider(name: "gateway", scheme: .http, host: "127.0.0.1", port: 80).with {
            $0.contentType = type
            $0.body = body
        }
    }

    /// What a program takes is shown to nobody: `{{view_url}}` in it would lead to a page that says so.
    @Test func aWebhookHasNoPageThatShowsIt() throws {
        func problems(_ body: String, _ fields: [String] = ["id", "address"]) -> String {
            var mailing = Mailing(name: "m", channel: .webhook, provider: "gateway", fields: fields)
            mailing.body = .init(source: body)
            mailing.tracking = MailingTracking()
            do throws(TemplateError) {
                _ = try BodyComposer(mailing: mailing, provider: gateway("application/json", nil))
                return ""
            } catch { return "\(error)" }
        }
        #expect(problems(#"{"u":"{{unsubscribe_url}}","p":"{{preferences_url}}"}"#) == "")
        #expect(problems(#"{"v":"{{view_url}}"}"#, ["id", "address", "view_url"]) == "")
        #expect(problems(#"{"v":"{{view_url}}"}"#).contains("what a webhook is sent has none"))
        #expect(problems("{{#view_url}}{{/view_url}}").contains("what a webhook is sent has none"))
        #expect(problems("{{#unsubscribe_url}}1{{/unsubscribe_url}}").contains("and no section; write {{unsubscribe_url}} alone"))
        // A gateway's body is around a text for people, and may have all pages.
        var text = sms("Hi")
        text.tracking = MailingTracking()
        #expect(try BodyComposer(mailing: text, provider: gateway("application/json", #"{"v":"{{view_url}}"}"#)).namesPages)
    }

    private let hostile = ["1", "+447700900001", "x&To=+1 50% \"<b>\" ü\\"]

    @Test func formsAreEncodedAsForms() throws {
        for body in [nil, "to={{address}}\n&from={{from}}&text={{text}}\n"] {
            let composer = try BodyComposer(
                mailing: sms("Tea & {{name}}\nBye", from: "A&B"),
                provider: gateway("application/x-www-form-urlencoded; charset=UTF-8", body))
            #expect(
                rendered(composer, hostile)
                    == "to=%2B447700900001&from=A%26B&text=Tea%20%26%20x%26To%3D%2B1%2050%25%20%22%3Cb%3E%22%20%C3%BC%5C%0ABye")
        }
    }

    @Test func valuesOfXMLStayInTheirPlace() throws {
        let composer = try BodyComposer(
            mailing: sms("{{name}}"),
            provider: gateway("text/xml", "<s to='{{address}}'><t>{{text}}</t><![CDATA[{{text}}]]></s>"))
        #expect(
            rendered(composer, ["1", "+1", "<a> & ]]>\u{1}\n'"])
                == "<s to='+1'><t>&lt;a&gt; &amp; ]]&gt;&#10;&#39;</t><![CDATA[<a> & ]]]><![CDATA[]]]><![CDATA[>\n']]></s>")
    }

    @Test(arguments: ["multipart/form-data", "application/octet-stream", "", "application/json; charset=iso-8859-1", "text/csv"])
    func anUnknownContentTypeIsRefused(_ type: String) throws {
        let error = try #require(throws: TemplateError.self) {
            try BodyComposer(mailing: sms("x"), provider: gateway(type, "{{text}}"))
        }
        #expect(error.description.contains("values cannot be escaped for the content type '\(type)'"))
    }

    @Test func theContentTypeAmongTheHeadersCounts() throws {
        let provider = gateway("application/json", nil).with { $0.headers["content-Type"] = Secret("application/x-www-form-urlencoded") }
        #expect(try BodyComposer(mailing: sms("x"), provider: provider).format == .form)
    }

    /// Slack's way: a form whose one value is JSON.
    @Test(
        arguments: [
            #"payload={"text":"{{name}}"}&b=1"#, "payload=%7B%22text%22%3A%22{{name}}%22%7D&b=1", "a={{name}}&payload=[\"{{name}}\"]",
        ])
    func jsonInAFormIsEscapedForBoth(_ body: String) throws {
        let composer = try BodyComposer(template: Mailing.Template(source: body), fields: fields, format: .form)
        let value = #"a"b\c, "x":1 & d=e+%7D"#
        let fields = rendered(composer, ["1", "+1", value]).split(separator: "&").map { $0.split(separator: "=", maxSplits: 1) }
        let payload = try #require(fields.first { $0[0] == "payload" })
        let json = try #require(String(payload[1]).removingPercentEncoding)
        let parsed = try JSONSerialization.jsonObject(with: Data(json.utf8))
        #expect((parsed as? [String: String])?["text"] == value || (parsed as? [String]) == [value], "\(json)")
    }

    @Test func xmlHasNoUsualBody() {
        #expect(throws: TemplateError.self) { try BodyComposer(mailing: sms("x"), provider: gateway("text/xml", nil)) }
    }

    @Test func aValueOutsideOfAStringBringsNoMemberOfItsOwn() throws {
        let composer = try BodyComposer(template: Mailing.Template(source: #"{"n":{{name}}}"#), fields: fields)
        for value in ["1", "-2.5e3", "true", "null"] { #expect(composer.jsonFault(recipients(["1", "+1", value]), row: 0) == nil) }
        for value in ["1,\"admin\":true", "[1]", "{}", "1}", "\"x\""] {
            #expect(composer.jsonFault(recipients(["1", "+1", value]), row: 0) != nil, "\(value)")
        }
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

    @Test func onlyUTF8IsSentAsWhatItIs() {
        #expect(BodyFormat(contentType: "application/json; charset=\"UTF-8\"") == .json)
        for charset in ["us-ascii", "iso-8859-1", "utf-16"] { #expect(BodyFormat(contentType: "text/plain; charset=\(charset)") == nil) }
        for type in BodyFormat.types + BodyFormat.suffixes.map({ "application/x\($0)" }) {
            #expect(BodyFormat(contentType: type) != nil && BodyFormat.advice.contains(type.split(separator: "x+").last ?? "?"), "\(type)")
        }
    }
}
