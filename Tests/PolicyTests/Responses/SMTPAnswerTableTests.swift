import Model
import Testing

@testable import Policy

@Suite struct SMTPAnswerTableTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var code: Int
        var enhanced: String
        var stage: DeliveryStage
        var kind: ResponseClass
        var testDescription: String { "\(code) \(enhanced) at \(stage) is \(kind)" }

        init(_ code: Int, _ enhanced: String, _ stage: DeliveryStage, _ kind: ResponseClass) {
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
        let table = ResponseTable.standard
        #expect(table.classify(.smtp, code: item.code, stage: item.stage, text: item.enhanced) == item.kind)
        #expect(table.decide(.smtp, code: item.code, stage: item.stage, text: "\(item.enhanced) no").kind == item.kind)
    }

    @Test func everyReplyKeepsTheMeaningOfItsFirstDigit() {
        let possible: [Int: Set<ResponseClass>] = [
            2: [.accepted],
            3: [.temporary],
            4: [.temporary, .throttled, .misconfigured],
            5: [.temporary, .rejected, .badRecipient, .misconfigured],
        ]
        var wrong: [String] = []
        for code in 200...599 {
            for stage in DeliveryStage.allCases {
                for (subject, detail) in [(0, 0), (1, 1), (1, 7), (2, 2), (3, 4), (5, 3), (7, 1), (7, 26), (9, 999)] {
                    let kind = ResponseTable.standard.classify(
                        .smtp, code: code, stage: stage, text: "\(code / 100).\(subject).\(detail) no")
                    if possible[code / 100]?.contains(kind) != true {
                        wrong.append("\(code) \(subject).\(detail) \(kind)")
                    }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test(arguments: [
        Case(421, "4.7.28 Gmail has detected an UNUSUAL RATE OF unsolicited mail", .rcpt, .domainThrottled),
        Case(421, "4.7.0 an unusual rate of unsolicited mail", .response, .domainThrottled),
        Case(421, "4.7.28 an unusual rate of unsolicited mail", .greeting, .throttled),
        Case(421, "4.7.28 an unusual rate of unsolicited mail", .mail, .throttled),
        Case(451, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", .data, .domainThrottled),
        Case(451, "4.7.650 The mail server has been temporarily rate limited", .rcpt, .domainThrottled),
        Case(451, "4.7.1 temporarily rate limited", .rcpt, .temporary),
        Case(450, "4.1.1 unverified: host mx.example.com[192.0.2.1] said: 421 rate limit", .rcpt, .domainThrottled),
        Case(450, "4.1.1 unverified: host mx.example.com[192.0.2.1] said: 450 greylisted", .rcpt, .temporary),
        Case(450, "4.2.1 The user is receiving mail at a rate that", .rcpt, .temporary),
        Case(450, "4.2.1 Peak SMTP relay limit exceeded for this customer", .rcpt, .throttled),
        Case(550, "5.7.1 an unusual rate of unsolicited mail", .response, .rejected),
    ])
    func textsTellTheDomainFromTheProvider(_ item: Case) {
        #expect(
            ResponseTable.standard.classify(.smtp, code: item.code, stage: item.stage, text: item.enhanced) == item.kind)
    }

    /// What was in force before the table was data (SMTPClassification), without its reasons.
    private func before(_ code: Int, _ enhanced: EnhancedCode?, _ stage: DeliveryStage) -> ResponseClass {
        let (subject, detail) = enhanced?.category == code / 100 ? (enhanced?.subject, enhanced?.detail) : (nil, nil)
        func has(_ wanted: Int, _ details: Int...) -> Bool {
            subject == wanted && (details.isEmpty || details.contains(detail ?? -1))
        }
        let isOpening = [.connect, .tls, .greeting, .auth].contains(stage)
        switch code {
        case 200...299: return .accepted
        case 421: return .throttled
        case 432 where stage == .auth: return .misconfigured
        case 454: return .throttled
        case 400...499:
            if isOpening || has(3, 1, 2) || has(4, 5) || has(7, 28) || has(7) && stage == .mail { return .throttled }
            return .temporary
        case 500...599: break
        default: return .temporary
        }
        if isOpening || [530, 534, 535, 538].contains(code) { return .misconfigured }
        if has(7, 8, 9, 10, 11, 13, 14) || has(7, 20, 21, 22, 23, 24, 25, 26, 27, 29, 60) || has(1, 7, 8) {
            return .misconfigured
        }
        if has(2, 2) || code == 552 && has(5, 3) { return .temporary }
        if has(3, 4) || has(2, 3) || has(6) { return .rejected }
        if code == 552 { return stage == .rcpt ? .temporary : .rejected }
        if stage == .mail { return .misconfigured }
        if has(1, 1, 2, 3, 6, 10) || has(2, 1) || stage == .rcpt && has(4, 1, 4) { return .badRecipient }
        if has(3) || has(4) || has(7) { return .rejected }
        return stage == .rcpt && [550, 551, 553, 556].contains(code) ? .badRecipient : .rejected
    }

    @Test func everyAnswerWithoutATextMeansWhatItDidBeforeTheTableWasData() {
        let table = ResponseTable.standard
        var numbers: [(subject: Int, detail: Int)] = []
        for subject in 0...8 {
            for detail in Array(0...15) + Array(19...30) + [60, 650] { numbers.append((subject, detail)) }
        }
        var differences: [String] = []
        // Every twentieth beside those with a meaning of their own, so that the test stays quick.
        let singled = [0, 199, 354, 421, 432, 450, 452, 454, 530, 534, 535, 538] + Array(549...556) + [600, 999]
        for code in singled + Array(stride(from: 209, to: 600, by: 20)) {
            let codes =
                [nil, EnhancedCode(2, 7, 28), EnhancedCode(4, 1, 1), EnhancedCode(5, 1, 1)]
                + numbers.map { EnhancedCode(code / 100, $0.subject, $0.detail) }
            for stage in DeliveryStage.allCases {
                for enhanced in codes {
                    let text = enhanced.map { "\($0) no" } ?? "no"
                    let kind = table.classify(.smtp, code: code, stage: stage, text: text)
                    if kind != before(code, enhanced, stage) { differences.append("\(code) \(text) \(stage) \(kind)") }
                }
            }
        }
        #expect(differences.isEmpty, "\(differences.prefix(10))")
    }

    @Test func everyRuleDecidesForSomeReply() {
        let table = ResponseTable.standard
        for rule in table.rules(of: .smtp) {
            let codes = rule.condition.enhanced.map {
                EnhancedCode($0.category.lowerBound, $0.subject.lowerBound, $0.detail.lowerBound)
            }
            let texts = (codes.isEmpty ? [""] : codes.map { "\($0) " }).map {
                $0 + (rule.condition.text.map { $0.description.replacing("*", with: " a ") } ?? "no")
            }
            let decides = rule.condition.codes.contains { code in
                (rule.condition.stages.isEmpty ? DeliveryStage.allCases : rule.condition.stages).contains { stage in
                    texts.contains { table.decide(.smtp, code: code, stage: stage, text: $0).rule == rule }
                }
            }
            #expect(decides, "\(rule.condition.codes) \(rule.because)")
        }
    }
}
