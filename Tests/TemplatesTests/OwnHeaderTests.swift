import Foundation
import Model
import Testing
import Text

@testable import Templates

@Suite struct OwnHeaderTests {
    private func message(
        _ headers: [(String, String)], fields: [String] = ["id", "address", "name"], _ values: [String]
    ) throws -> [String] {
        var mailing = EmailComposerTests.mailing(text: "Hello", fields: fields)
        mailing.headers = headers.map { Mailing.Header(name: $0.0, value: Mailing.Template(source: $0.1, file: "mailing.yaml")) }
        let bytes = try EmailComposerTests.compose(try EmailComposerTests.composer(mailing), values)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(wireProblems(bytes) == [])
        let end = try #require(text.firstRange(of: "\r\n\r\n"))
        return text[..<end.lowerBound].replacing("\r\n ", with: " ").split(separator: "\r\n").map(String.init)
    }

    private let all = [("List-Unsubscribe", "<https://shop.example/u?e={{name}}>"), ("X-Customer", "{{name}}"), ("X-Empty", " {{empty}}")]

    @Test func writesAValueForWhereItStands() throws {
        let fields = ["id", "address", "name", "empty"]
        let lines = try message(all, fields: fields, ["1", "ann@example.org", "a+b&c>\r\nBcc: x@y.example", ""])
        #expect(lines.contains("List-Unsubscribe: <https://shop.example/u?e=a%2Bb%26c%3E%0D%0ABcc%3A%20x%40y.example>"))
        #expect(lines.contains("X-Customer: a+b&c> Bcc: x@y.example"))
        #expect(!lines.contains { $0.hasPrefix("X-Empty") || $0.hasPrefix("Bcc") })
    }

    @Test func keepsALongAddressWhole() throws {
        let long = "https://shop.example/u?t=" + String(repeating: "x", count: 600)
        let lines = try message([("List-Unsubscribe", "<\(long)>, <mailto:leave@example.com>")], ["1", "a@example.org", "x"])
        #expect(lines.contains("List-Unsubscribe: <\(long)>, <mailto:leave@example.com>"))
        let beyond = String(repeating: "y", count: 3000)
        #expect(try message([("X-Long", beyond)], ["1", "a@example.org", "x"]).contains { $0.hasPrefix("X-Long: =?utf-8?") })
    }

    @Test func writesNoAddressThatNobodyCanUse() throws {
        let headers = [
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"), ("List-Unsubscribe", "<https://shop.example/u?e={{name}}>"),
            ("List-Help", "<{{{name}}}>"),
        ]
        let long = try message(headers, ["1", "a@example.org", String(repeating: "é", count: 400)])
        #expect(!long.contains { $0.hasPrefix("List-") })
        let empty = try message(headers, ["1", "a@example.org", ""])
        #expect(
            empty.filter { $0.hasPrefix("List-") } == [
                "List-Unsubscribe: <https://shop.example/u?e=>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            ])
    }

    @Test(arguments: [
        "From", "to", "MESSAGE-ID", "Content-Type", "content-anything", "Received", "DKIM-Signature", "ARC-Seal", "Bcc", "Cc", "Resent-To",
        "",
        "X Y", "X:", "Überschrift", "X\r\nY", String(repeating: "x", count: 77), "X\u{0}",
    ]) func refusesAName(_ name: String) { #expect(OwnHeaders.fault(ofName: name) != nil) }

    @Test(arguments: ["List-Id", "X-Campaign", "Precedence", "Feedback-ID", "Auto-Submitted", "x.y!#$%&'*+-^_`|~"])
    func takesAName(_ name: String) { #expect(OwnHeaders.fault(ofName: name) == nil) }

    @Test(arguments: [
        ("Feedback-ID", "a:b:c:d:sender"), ("Feedback-ID", "a:a:sender"), ("Feedback-ID", "a:b:four"), ("feedback-id", "a:{{id}}:sender"),
        ("Feedback-ID", "a::sender"), ("Feedback-ID", "a:b:0123456789abcdef"), ("List-Id", "news"), ("List-Id", "<news>"),
        ("List-Id", "<{{id}}.example.com>"), ("List-Id", "<a b.example.com>"), ("List-Unsubscribe-Post", "yes"),
        ("List-Unsubscribe", "https://shop.example/u"), ("list-unsubscribe", "<javascript:x>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"), ("X-A", "one\ntwo"), ("X-A", "\u{0}"),
    ]) func refusesAValue(_ name: String, _ value: String) {
        let header = Mailing.Header(name: name, value: Mailing.Template(source: value))
        #expect(OwnHeaders.fault(of: header, among: [header]) != nil)
    }

    @Test func takesWhatMailboxProvidersAskFor() {
        let headers = [
            ("Feedback-ID", "spring:offers:mail:example"), ("Feedback-ID", "example"), ("List-Id", "<offers.example.com>"),
            ("List-Id", "Offers of \"Example\" <a_b.example.com>"), ("List-Unsubscribe", "<https://shop.example/{{id}}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ].map { Mailing.Header(name: $0.0, value: Mailing.Template(source: $0.1)) }
        #expect(headers.compactMap { OwnHeaders.fault(of: $0, among: headers) } == [])
    }

    @Test func namesWhatIsWrongInATemplate() throws {
        var mailing = EmailComposerTests.mailing(text: "Hello")
        mailing.headers = [Mailing.Header(name: "X-A", value: Mailing.Template(source: "{{nobody}}", file: "mailing.yaml", line: 7))]
        let error = try #require(throws: TemplateError.self) { try EmailComposerTests.composer(mailing) }
        #expect(error.problems.map { "\($0.file):\($0.line) \($0.what)" } == ["mailing.yaml:7 unknown field 'nobody'"])
    }

    @Test func anOlderReleaseLeavesAMailingWithHeaders() throws {
        var mailing = EmailComposerTests.mailing(text: "Hello")
        func version(_ mailing: Mailing) throws -> Int? {
            let data = try JSONEncoder().encode(MailingDefinition(mailing))
            #expect(try JSONDecoder().decode(MailingDefinition.self, from: data).mailing == mailing)
            return try (JSONSerialization.jsonObject(with: data) as? [String: Any])?["version"] as? Int
        }
        #expect(try version(mailing) == 1)
        mailing.headers = [Mailing.Header(name: "X-A", value: Mailing.Template(source: "b"))]
        #expect(try version(mailing) == 2)
    }
}
