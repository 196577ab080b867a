import Model
import Testing

@testable import Policy

@Suite struct BounceTextTests {
    @Test func whatServersSayIsUnderstood() {
        var wrong: [String] = []
        for row in BounceTexts.all {
            let decision = ResponseTable.standard.decide(.smtp, ResponseFacts(code: row.code, stage: .rcpt, text: row.text))
            if decision.reason != row.reason {
                wrong.append("\(row.code) \(row.text): \(decision.reason), not \(row.reason) (\(row.source))")
            }
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
        #expect(BounceTexts.all.count > 100)
    }

    /// Whatever refuses us suppresses nobody, and what suppresses is certain or left to what the others are answered.
    @Test func noRefusalOfUsIsTakenForTheRecipientsOwn() {
        for row in BounceTexts.all where [.setUp, .reputation, .authentication, .policy, .spam, .unknown].contains(row.reason) {
            let decision = ResponseTable.standard.decide(.smtp, ResponseFacts(code: row.code, stage: .rcpt, text: row.text))
            #expect(decision.subject != .recipient && !decision.suppresses, "\(row.text)")
        }
    }
}
