import Model
import Testing

@testable import Policy

@Suite struct SMTPClassificationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var code: Int
        var enhanced: String
        var stage: DeliveryStage
        var kind: AnswerClass
        var testDescription: String { "\(code) \(enhanced) at \(stage) is \(kind)" }

        init(_ code: Int, _ enhanced: String, _ stage: DeliveryStage, _ kind: AnswerClass) {
            self.code = code
            self.enhanced = enhanced
            self.stage = stage
            self.kind = kind
        }
    }

    @Test(arguments: [
        Case(250, "2.0.0", .response, .accepted),
        Case(251, "", .rcpt, .accepted),
        Case(421, "4.7.0", .mail, .throttled),
        Case(421, "", .response, .throttled),
        Case(454, "4.7.0", .auth, .throttled),
        Case(454, "", .response, .throttled),
        Case(432, "4.7.12", .auth, .misconfigured),
        Case(450, "", .greeting, .throttled),
        Case(452, "4.3.1", .mail, .throttled),
        Case(450, "4.7.1", .mail, .throttled),
        Case(450, "4.7.1", .rcpt, .temporary),
        Case(452, "4.2.2", .rcpt, .temporary),
        Case(452, "4.5.3", .rcpt, .temporary),
        Case(451, "", .response, .temporary),
        Case(450, "4.3.0", .mail, .temporary),
        Case(554, "", .greeting, .misconfigured),
        Case(535, "5.7.8", .auth, .misconfigured),
        Case(530, "5.7.0", .mail, .misconfigured),
        Case(530, "", .rcpt, .misconfigured),
        Case(550, "5.7.26", .response, .misconfigured),
        Case(550, "5.1.8", .rcpt, .misconfigured),
        Case(553, "", .mail, .misconfigured),
        Case(500, "5.3.0", .mail, .misconfigured),
        Case(552, "5.3.4", .mail, .rejected),
        Case(552, "", .mail, .rejected),
        Case(552, "5.2.2", .rcpt, .temporary),
        Case(552, "", .rcpt, .temporary),
        Case(552, "", .response, .rejected),
        Case(550, "5.1.1", .rcpt, .badRecipient),
        Case(550, "5.1.1", .response, .badRecipient),
        Case(550, "5.1.2", .rcpt, .badRecipient),
        Case(501, "5.1.3", .rcpt, .badRecipient),
        Case(550, "5.1.6", .rcpt, .badRecipient),
        Case(556, "5.1.10", .rcpt, .badRecipient),
        Case(550, "5.2.1", .rcpt, .badRecipient),
        Case(550, "5.4.1", .rcpt, .badRecipient),
        Case(550, "", .rcpt, .badRecipient),
        Case(551, "", .rcpt, .badRecipient),
        Case(553, "", .rcpt, .badRecipient),
        Case(550, "5.7.1", .rcpt, .rejected),
        Case(554, "5.7.1", .rcpt, .rejected),
        Case(550, "", .response, .rejected),
        Case(554, "5.6.0", .response, .rejected),
        Case(500, "5.3.0", .rcpt, .rejected),
        Case(550, "4.1.8", .rcpt, .badRecipient),
        Case(354, "", .mail, .temporary),
        Case(0, "", .body, .temporary),
        Case(999, "", .rcpt, .temporary),
    ])
    func repliesAreClassifiedByTheTable(_ item: Case) {
        let parts = item.enhanced.split(separator: ".").compactMap { Int($0) }
        let enhanced = parts.count == 3 ? (parts[0], parts[1], parts[2]) : nil
        #expect(SMTPClassification.classify(code: item.code, enhanced: enhanced, stage: item.stage) == item.kind)
    }

    @Test func everyReplyKeepsTheMeaningOfItsFirstDigit() {
        let possible: [Int: Set<AnswerClass>] = [
            2: [.accepted],
            3: [.temporary],
            4: [.temporary, .throttled, .misconfigured],
            5: [.temporary, .rejected, .badRecipient, .misconfigured],
        ]
        var wrong: [String] = []
        for code in 200...599 {
            for stage in DeliveryStage.allCases {
                for (subject, detail) in [(0, 0), (1, 1), (1, 7), (2, 2), (3, 4), (5, 3), (7, 1), (7, 26), (9, 999)] {
                    let kind = SMTPClassification.classify(
                        code: code, enhanced: (code / 100, subject, detail), stage: stage)
                    if possible[code / 100]?.contains(kind) != true {
                        wrong.append("\(code) \(subject).\(detail) \(kind)")
                    }
                }
            }
        }
        #expect(wrong.isEmpty)
    }
}
