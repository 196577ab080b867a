import Foundation
import Model
import Policy
import Testing

@testable import Settings

@Suite struct ResponseRuleFileTests {
    /// What a file of rules holds, and what is said of it; it is called `responses.yaml`.
    private func read(_ yaml: String) throws -> (rules: [ResponseRule], problems: [String]) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "flotilla-responses-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "responses.yaml")
        try Data(yaml.utf8).write(to: file)
        let (rules, problems, _) = ResponseRuleFile.read(file.path())
        return (
            rules,
            problems.map { $0.description.replacing(folder.path() + "/", with: "").replacing(folder.path(), with: "") }
        )
    }

    @Test func rulesAreReadInTheirOrder() throws {
        let (rules, problems) = try read(
            """
            - {protocol: smtp, code: 550, enhanced: 5.7.1, text: blocked * spamhaus, class: misconfigured, because: listed}
            - protocol: smtp
              code: 400-499
              enhanced: [4.7.*, "*.2.2"]
              stage: [rcpt, data]
              class: domain_throttled
            - {protocol: http, text: quota, class: throttled}
            """)
        #expect(problems == [])
        #expect(rules.map(\.reason) == [.setUp, .rate, .rate])
        #expect(rules.map(\.action) == [.pauseMailing, .slowDownDomain, .slowDown])
        #expect(rules[0].condition.codes == 550...550 && rules[0].condition.texts.map(\.description) == ["blocked * spamhaus"])
        #expect(rules[0].because == "listed" && rules[1].because == "the operator's rule")
        #expect(rules[1].condition.enhanced.map(\.description) == ["4.7.*", "*.2.2"] && rules[1].condition.stages == [.rcpt, .data])
        #expect(rules[2].condition.codes == 300...599 && rules[2].proto == .http)
        #expect(rules.compactMap { $0.origin?.split(separator: ":").last } == ["1", "2", "7"])
    }

    @Test func aRuleNamesAReasonAndPerhapsAnAction() throws {
        let (rules, problems) = try read(
            """
            - {protocol: smtp, code: 550, text: nope, reason: unknown_user, action: retry}
            - {protocol: http, code: 200, text: "ERROR:13", reason: unknown_user}
            - {protocol: http, code: 200-299, json: messages.0.status, text: failed, reason: policy}
            - {protocol: http, code: 200, json: error.code, reason: set_up}
            """)
        #expect(problems == [])
        #expect(rules.map(\.reason) == [.unknownUser, .unknownUser, .policy, .setUp] && rules.map(\.action) == [.retry, nil, nil, nil])
        #expect(rules.map(\.condition.member) == [nil, nil, "messages.0.status", "error.code"])
        let table = ResponseTable(own: rules)
        #expect(table.decide(.http, ResponseFacts(code: 200, text: "ERROR:13")).action == .fail)
        #expect(table.decide(.http, ResponseFacts(code: 200, text: "OK")).action == .accept)
    }

    @Test func anOldClassIsReadWithAWarning() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "flotilla-responses-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("- {protocol: http, code: 200, text: ERR, class: bad_recipient}".utf8).write(to: file)
        let settings = try Settings.load(environment: ["FLOTILLA_WORKER_RESPONSES": file.path()])
        #expect(settings.warnings.count == 1 && settings.warnings[0].contains("write reason: unknown_user, action: fail"))
    }

    @Test(arguments: [
        ("- {protocol: smtp, codes: 550, class: rejected}", "responses.yaml:1: codes: unknown key; did you mean code?"),
        (
            "- {protocol: smtp, colour: 550, class: rejected}",
            "responses.yaml:1: colour: unknown key; allowed here: protocol, code"
        ),
        (
            "- {protocol: ftp, code: 550, class: rejected}",
            "responses.yaml:1: protocol: 'ftp' is not allowed; allowed: smtp, http"
        ),
        ("- {code: 550, class: rejected}", "responses.yaml:1: protocol: is missing; a rule needs "),
        ("\n- {protocol: smtp, code: 550}", "responses.yaml:2: reason: is missing; a rule needs "),
        ("- {protocol: smtp, class: rejected, stage: rcpt}", "responses.yaml:1: code: is missing; a rule needs "),
        (
            "- {protocol: smtp, code: 250, class: rejected}",
            "responses.yaml:1: code: '250' is not allowed; allowed: a code from 400 to 599"
        ),
        ("- {protocol: smtp, code: 200-599, class: rejected}", "responses.yaml:1: code: '200-599' is not allowed"),
        (
            "- {protocol: http, code: 204, class: rejected}",
            "responses.yaml:1: code: '204' means accepted, unless a text or a json member says otherwise; add one"
        ),
        ("- {protocol: smtp, code: 5xx, class: rejected}", "responses.yaml:1: code: '5xx' is not allowed"),
        ("- {protocol: smtp, code: [550], class: rejected}", "responses.yaml:1: code: must be one value"),
        (
            "- {protocol: smtp, code: 550, class: accepted}",
            "responses.yaml:1: class: 'accepted' is not allowed; allowed: temporary, throttled"
        ),
        ("- {protocol: smtp, code: 550, class: unreachable}", "responses.yaml:1: class: 'unreachable' is not allowed"),
        ("- {protocol: smtp, code: 550, class: Rejected}", "responses.yaml:1: class: 'Rejected' is not allowed"),
        (
            "- {protocol: smtp, enhanced: 5.7, class: rejected}",
            "responses.yaml:1: enhanced: '5.7' is not allowed; allowed: 5.7.1"
        ),
        (
            "- {protocol: smtp, code: 451, enhanced: 5.7.1, class: rejected}",
            "responses.yaml:1: enhanced: '5.7.1' never matches code 451"
        ),
        ("- {protocol: http, enhanced: 5.7.1, class: rejected}", "responses.yaml:1: enhanced: is for SMTP only"),
        ("- {protocol: http, code: 500, stage: rcpt, class: rejected}", "responses.yaml:1: stage: is for SMTP only"),
        (
            "- {protocol: smtp, code: 500, stage: body, class: rejected}",
            "responses.yaml:1: stage: 'body' is not allowed; allowed: mail"
        ),
        (
            "- {protocol: smtp, code: 500, stage: greeting, class: rejected}",
            "responses.yaml:1: stage: 'greeting' is not allowed; allowed: mail, rcpt, data, response; at the others"
        ),
        ("- {protocol: smtp, text: '**', class: rejected}", "responses.yaml:1: text: '**' is not allowed"),
        ("- {protocol: smtp, code: 550, class: rejected, because: \"a\\nb\"}", "responses.yaml:1: because: "),
        ("- {}", "responses.yaml:1: is not a rule; it needs a protocol, a reason"),
        ("- smtp", "responses.yaml:1: is not a rule"),
        ("rules: []", "responses.yaml:1: must be a list of rules"),
        ("- {protocol: smtp, enhanced: *.7.1, class: rejected}", "responses.yaml:1: not valid YAML: "),
    ])
    func whatIsNoRuleIsRefusedWithItsPlaceAndWhatIsAllowed(_ yaml: String, _ start: String) throws {
        let (rules, problems) = try read(yaml)
        #expect(rules.isEmpty && problems.count == 1, "\(problems)")
        #expect(problems.first?.hasPrefix(start) == true, "\(problems)")
    }

    @Test func allThatIsWrongIsSaidAtOnceInTheOrderOfTheFile() throws {
        let (_, problems) = try read(
            "- class: no\n  text: '*'\n  protocol: smtp\n- {protocol: smtp, code: 1, class: rejected}\n- {}")
        #expect(
            problems.map { $0.split(separator: ":")[1...2].joined() } == [
                "1 class", "2 text", "4 code",
                "5 is not a rule; it needs a protocol, a reason, and a code, an enhanced code or a text",
            ])
    }

    @Test func aFileHasSoManyRulesAtMost() throws {
        let rule = "- {protocol: smtp, code: 550, class: rejected}\n"
        #expect(try read(String(repeating: rule, count: ResponseRuleFile.most)).rules.count == ResponseRuleFile.most)
        #expect(
            try read(String(repeating: rule, count: ResponseRuleFile.most + 1)).problems.first?.contains("501 rules") == true)
    }

    @Test func theSettingsHoldTheTableOrSayWhatIsWrong() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "flotilla-responses-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("- {protocol: http, code: 404, class: bad_recipient}".utf8).write(to: file)
        let settings = try Settings.load(environment: ["FLOTILLA_WORKER_RESPONSES": file.path()])
        #expect(settings.worker.responses.decide(.http, ResponseFacts(code: 404, text: "")).action == .fail)
        #expect(settings.worker.responses.decide(.http, ResponseFacts(code: 405, text: "")).action == .pauseMailing)
        let error = #expect(throws: SettingsError.self) {
            try Settings.load(environment: [
                "FLOTILLA_WORKER_RESPONSES": "none/responses.yaml", "FLOTILLA_WORKER_GROUP": "0",
            ])
        }
        #expect(error?.problems.count == 2)
        #expect(error?.description.contains("none/responses.yaml: there is no such file") == true)
    }

    @Test func theExampleOfThePageIsRead() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/responses.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let example = try #require(
            text.split(separator: "```yaml\n").dropFirst().first?.split(separator: "```\n").first)
        let (rules, problems) = try read(String(example))
        #expect(problems == [] && rules.count >= 3)
        let table = ResponseTable(own: rules)
        let refusal = "5.7.1 Service unavailable; client host blocked using zen.spamhaus.org"
        #expect(table.decide(.smtp, ResponseFacts(code: 550, stage: .rcpt, text: refusal)).subject == .everybody)
        #expect(table.classify(.smtp, code: 550, text: "5.4.5 Daily user sending limit exceeded") == .slowDown)
        #expect(table.decide(.http, ResponseFacts(code: 400, text: "Invalid MSISDN number")).reason == .unknownUser)
        #expect(table.decide(.http, ResponseFacts(code: 200, text: "", member: { $0 == "status" ? "failed: no" : nil })).reason == .policy)
    }
}
