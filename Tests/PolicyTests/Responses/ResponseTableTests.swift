import Model
import Testing

@testable import Policy

@Suite struct ResponseTableTests {
    private func rule(
        _ codes: ClosedRange<Int>, text: String? = nil, _ reason: ResponseReason, action: ResponseAction? = nil,
        _ proto: ResponseProtocol = .smtp
    ) -> ResponseRule {
        ResponseRule(
            proto, ResponseRule.Condition(codes: codes, texts: text.map { [TextPattern(known: $0)] } ?? []), reason, action: action,
            "because", origin: "responses.yaml:1")
    }

    private func decide(_ table: ResponseTable, _ code: Int, _ stage: DeliveryStage = .rcpt, _ text: String = "") -> ResponseTable.Decision
    {
        table.decide(.smtp, ResponseFacts(code: code, stage: stage, text: text))
    }

    @Test func anOperatorsRuleGoesBeforeTheStandardOnes() {
        let own = rule(550...550, text: "spamhaus", .setUp)
        let table = ResponseTable(own: [own, rule(550...550, .policy)])
        #expect(decide(table, 550, .rcpt, "5.1.1 SPAMHAUS").rule == own)
        // An operator who says that a response pauses the mailing means it.
        #expect(decide(table, 550, .rcpt, "5.1.1 SPAMHAUS").subject == .everybody)
        #expect(decide(table, 550, .rcpt, "5.1.1 no").reason == .policy)
        #expect(decide(table, 551, .rcpt, "5.1.1 no").reason == .unknownUser)
        #expect(table.decide(.http, ResponseFacts(code: 429, text: "spamhaus")).action == .slowDown)
    }

    @Test func anActionOfARuleWinsOverThatOfItsReason() {
        let table = ResponseTable(own: [rule(550...550, .unknownUser, action: .retry)])
        #expect(decide(table, 550).reason == .unknownUser && decide(table, 550).action == .retry)
        for reason in ResponseReason.allCases {
            let table = ResponseTable(own: [rule(400...599, reason)])
            #expect(decide(table, 450).action == reason.consequence.temporary)
            #expect(decide(table, 550).action == reason.consequence.permanent)
        }
    }

    @Test func successOfSMTPIsAcceptedWhateverTheRulesSay() {
        let table = ResponseTable(own: [rule(400...599, .policy)])
        for code in 200...299 { #expect(decide(table, code).action == .accept) }
        #expect(decide(table, 250).rule?.origin == nil)
    }

    @Test func aRuleAboutAMessageNeverFitsWhereThereIsNone() {
        for action in ResponseAction.allCases {
            let table = ResponseTable(own: [rule(400...599, .unknown, action: action)])
            for stage in DeliveryStage.allCases {
                let isOpening = [.connect, .tls, .greeting, .auth].contains(stage)
                let isElsewhere = isOpening && action != .accept && (action.isAboutMessage || action == .reconnect)
                #expect(decide(table, 450, stage).action == (isElsewhere ? .slowDown : action), "\(action) \(stage)")
            }
        }
    }

    @Test func nobodyFailsAtMAILButForTheSizeOfTheMessage() {
        for code in 500...599 {
            for text in ["", "5.7.1 spam", "user unknown", "5.1.1 no", "5.2.1 disabled", "5.3.4 too big", "no policy"] {
                let decision = decide(.standard, code, .mail, text)
                #expect(decision.action != .fail || decision.reason == .tooLarge, "\(code) \(text)")
            }
        }
    }

    @Test func whatNoRuleFitsIsTriedAgain() {
        let decision = decide(.standard, 354, .mail)
        #expect(decision.reason == .unknown && decision.action == .retry && decision.rule == nil)
    }

    /// What only the recipient can be to blame for is about the recipient, and what suppresses is that or a complaint.
    @Test func theTableOfReasonsAgreesWithItself() {
        for reason in ResponseReason.allCases {
            let consequence = reason.consequence
            #expect(!consequence.suppresses || consequence.isRecipients || reason == .complaint)
            #expect(consequence.temporary != .fail && (consequence.permanent == .accept) == (reason == .accepted))
            #expect(ResponseReason(name: reason.rawValue) == reason)
        }
        #expect(ResponseReason(name: "bad_recipient") == .unknownUser && ResponseReason(name: "of a later release") == .unknown)
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
