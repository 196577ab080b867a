import Model
import Testing

@testable import Policy

@Suite struct AnswerTableTests {
    private func rule(
        _ codes: ClosedRange<Int>, text: String? = nil, _ kind: ResponseClass, _ proto: ResponseProtocol = .smtp
    ) -> ResponseRule {
        ResponseRule(
            proto, ResponseRule.Condition(codes: codes, text: text.flatMap { TextPattern($0) }), kind, "because", origin: "answers.yaml:1")
    }

    @Test func anOperatorsRuleGoesBeforeTheStandardOnes() {
        let own = rule(550...550, text: "spamhaus", .misconfigured)
        let table = ResponseTable(own: [own, rule(550...550, .rejected)])
        #expect(table.decide(.smtp, code: 550, stage: .rcpt, text: "5.1.1 SPAMHAUS").rule == own)
        #expect(table.classify(.smtp, code: 550, stage: .rcpt, text: "5.1.1 no") == .rejected)
        #expect(table.classify(.smtp, code: 551, stage: .rcpt, text: "5.1.1 no") == .badRecipient)
        #expect(table.classify(.http, code: 429, text: "spamhaus") == .throttled)
    }

    @Test func successIsAcceptedWhateverTheRulesSay() {
        let table = ResponseTable(own: ResponseProtocol.allCases.map { rule(0...999, .rejected, $0) })
        for code in 200...299 {
            #expect(table.classify(.smtp, code: code, text: "") == .accepted)
            #expect(table.decide(.http, code: code, text: "").kind == .accepted)
        }
        #expect(table.decide(.smtp, code: 250, text: "").rule?.origin == nil)
    }

    @Test func aRuleAboutAMessageNeverFitsWhereThereIsNone() {
        for kind in ResponseClass.allCases {
            let table = ResponseTable(own: [rule(400...599, kind)])
            for stage in DeliveryStage.allCases {
                let isOpening = [.connect, .tls, .greeting, .auth].contains(stage)
                let found = table.classify(.smtp, code: 450, stage: stage, text: "")
                #expect(found == (isOpening && kind.isAboutMessage ? .throttled : kind), "\(kind) \(stage)")
            }
        }
    }

    @Test func whatNoRuleFitsIsTemporary() {
        let decision = ResponseTable.standard.decide(.smtp, code: 354, stage: .mail, text: "")
        #expect(decision.kind == .temporary && decision.rule == nil)
    }

    @Test(arguments: [
        ("5.1.1 unknown", [5, 1, 1]), ("2.0.0", [2, 0, 0]), ("4.7.123 x", [4, 7, 123]), ("5.1 x", []), ("3.1.1 x", []),
        ("5.1.1unknown", []), ("5.1111.1 x", []), ("5..1 x", []), ("", []), ("5.1.1\nmore", [5, 1, 1]),
    ])
    func enhancedCodesAreRead(_ text: String, _ numbers: [Int]) {
        let code = Array(text.utf8).withUnsafeBufferPointer { EnhancedCode(startOf: $0) }
        #expect((code.map { [$0.category, $0.subject, $0.detail] } ?? []) == numbers)
    }

    @Test(
        arguments: [
            ("5.7.1", "5.7.1", "5.7.10"), ("4.7.*", "4.7.999", "4.8.1"), ("*.2.2", "5.2.2", "5.2.1"),
            ("5.7.20-27", "5.7.27", "5.7.28"), ("*.*.*", "2.0.0", nil),
        ] as [(String, String, String?)])
    func enhancedPatternsFit(_ text: String, _ good: String, _ bad: String?) throws {
        let pattern = try #require(EnhancedCodePattern(text))
        #expect(pattern.description == text)
        func code(_ text: String) -> EnhancedCode? {
            Array(text.utf8).withUnsafeBufferPointer { EnhancedCode(startOf: $0) }
        }
        #expect(pattern.fits(try #require(code(good))))
        if let bad { #expect(!pattern.fits(try #require(code(bad)))) }
    }

    @Test(arguments: ["", "5", "5.7", "5.7.1.1", "5.7.", "6.1.1", "5.7.x", "5.7.27-20", "5.7.-1", "5.+7.1", "5.7.1000"])
    func whatIsNoEnhancedPatternIsRefused(_ text: String) {
        #expect(EnhancedCodePattern(text) == nil)
    }
}
