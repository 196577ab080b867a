import Model
import Testing

@testable import Policy

@Suite struct HTTPAnswerTableTests {
    private func classify(_ status: Int, hasRetryAfter: Bool) -> ResponseClass {
        ResponseTable.standard.classify(.http, code: status, text: "", hasRetryAfter: hasRetryAfter)
    }

    @Test(arguments: [
        (200, ResponseClass.accepted), (202, .accepted), (204, .accepted), (299, .accepted),
        (301, .misconfigured), (308, .misconfigured),
        (400, .rejected), (401, .misconfigured), (402, .misconfigured), (403, .misconfigured), (404, .misconfigured),
        (405, .misconfigured), (406, .misconfigured), (407, .misconfigured), (408, .temporary), (409, .temporary),
        (410, .badRecipient), (413, .rejected), (415, .misconfigured), (421, .temporary), (422, .rejected),
        (423, .temporary), (425, .temporary), (426, .misconfigured), (429, .throttled), (451, .rejected),
        (500, .temporary), (501, .misconfigured), (502, .temporary), (503, .temporary), (504, .temporary),
        (505, .misconfigured), (507, .temporary), (511, .misconfigured), (529, .temporary),
    ])
    func statusWithoutAWaitMeans(_ status: Int, _ kind: ResponseClass) {
        #expect(classify(status, hasRetryAfter: false) == kind)
    }

    @Test(arguments: [
        (200, ResponseClass.accepted), (400, .rejected), (413, .temporary), (429, .throttled), (503, .throttled),
        (500, .temporary),
    ])
    func statusWithAWaitMeans(_ status: Int, _ kind: ResponseClass) {
        #expect(classify(status, hasRetryAfter: true) == kind)
    }

    @Test func everyStatusHasAClassAndOnlySuccessIsAccepted() {
        for status in -1...1000 {
            for hasRetryAfter in [false, true] {
                let kind = classify(status, hasRetryAfter: hasRetryAfter)
                #expect((kind == .accepted) == (200...299).contains(status))
            }
        }
    }

    @Test func aMessengersUserWhoBlockedUsIsNoReasonToPause() {
        let table = ResponseTable.standard
        #expect(table.classify(.http, code: 403, text: "Forbidden: bot was blocked by the user") == .badRecipient)
        #expect(table.classify(.http, code: 403, text: "Forbidden: wrong token") == .misconfigured)
    }

    @Test func everyRuleDecidesForSomeStatus() {
        let table = ResponseTable.standard
        for rule in table.rules(of: .http) {
            let decides = rule.condition.codes.contains { code in
                table.decide(.http, code: code, text: rule.condition.text?.description ?? "", hasRetryAfter: rule.condition.needsRetryAfter)
                    .rule == rule
            }
            #expect(decides, "\(rule.condition.codes): \(rule.because)")
        }
    }
}
