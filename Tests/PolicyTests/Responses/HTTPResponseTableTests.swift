import Model
import Testing

@testable import Policy

@Suite struct HTTPResponseTableTests {
    private func decide(_ status: Int, _ text: String = "", hasRetryAfter: Bool = false) -> ResponseTable.Decision {
        ResponseTable.standard.decide(.http, ResponseFacts(code: status, text: text, hasRetryAfter: hasRetryAfter))
    }

    @Test(arguments: [
        (200, ResponseAction.accept), (202, .accept), (204, .accept), (299, .accept), (301, .pauseMailing), (308, .pauseMailing),
        (400, .fail), (401, .pauseMailing), (402, .pauseMailing), (403, .pauseMailing), (404, .fail), (405, .pauseMailing),
        (406, .pauseMailing), (407, .pauseMailing), (408, .retry), (409, .retry), (410, .fail), (413, .fail), (415, .pauseMailing),
        (421, .retry), (422, .fail), (423, .retry), (425, .retry), (426, .pauseMailing), (429, .slowDown), (451, .fail), (500, .retry),
        (501, .pauseMailing), (502, .retry), (503, .retry), (504, .retry), (505, .pauseMailing), (507, .retry), (511, .pauseMailing),
        (529, .retry),
    ])
    func statusWithoutAWaitMeans(_ status: Int, _ action: ResponseAction) {
        #expect(decide(status).action == action)
    }

    @Test(arguments: [
        (200, ResponseAction.accept), (400, .fail), (413, .retry), (429, .slowDown), (503, .slowDown), (500, .retry),
    ])
    func statusWithAWaitMeans(_ status: Int, _ action: ResponseAction) {
        #expect(decide(status, hasRetryAfter: true).action == action)
    }

    @Test func everyStatusHasAnActionAndOnlySuccessIsAccepted() {
        for status in -1...1000 {
            for hasRetryAfter in [false, true] {
                #expect((decide(status, hasRetryAfter: hasRetryAfter).action == .accept) == (200...299).contains(status))
            }
        }
    }

    /// A wrong URL is what everybody meets, and a status alone does not tell.
    @Test func aStatusAloneNeverSaysThatItIsTheRecipientsOwn() {
        for status in 300...599 { #expect(decide(status).subject != .recipient, "\(status)") }
        for status in [401, 402, 405, 407] { #expect(decide(status).subject == .everybody) }
        for status in [403, 404, 410, 400] { #expect(decide(status).subject == .unclear) }
        #expect(decide(400, "Invalid phone number").subject == .recipient)
        #expect(decide(400, "insufficient balance").subject == .everybody)
    }

    @Test func aMessengersUserWhoBlockedUsIsNoReasonToPause() {
        #expect(decide(403, "Forbidden: bot was blocked by the user").action == .fail)
        #expect(decide(403, "Forbidden: bot was blocked by the user").subject == .recipient)
        #expect(decide(403, "Forbidden: wrong token").action == .pauseMailing)
    }

    @Test func aBodyCanTakeAnAcceptanceBackByAnOperatorsRule() throws {
        var condition = ResponseRule.Condition(codes: 200...200, texts: [TextPattern(known: "ERROR:13")])
        let byText = ResponseRule(.http, condition, .unknownUser, "no such number", origin: "r:1")
        condition = ResponseRule.Condition(codes: 200...299, texts: [TextPattern(known: "7")])
        condition.member = "messages.0.status"
        let byMember = ResponseRule(.http, condition, .rate, "too fast", origin: "r:2")
        let table = ResponseTable(own: [byText, byMember])
        #expect(table.doubtsAcceptance && !ResponseTable.standard.doubtsAcceptance)
        #expect(table.decide(.http, ResponseFacts(code: 200, text: "ERROR:13")).reason == .unknownUser)
        #expect(table.decide(.http, ResponseFacts(code: 200, text: "OK:4711")).action == .accept)
        let asked = table.decide(.http, ResponseFacts(code: 202, text: "x", member: { $0 == "messages.0.status" ? "7" : nil }))
        #expect(asked.rule == byMember && asked.action == .slowDown)
        #expect(table.decide(.http, ResponseFacts(code: 202, text: "7", member: { _ in nil })).action == .accept)
    }

    @Test func everyRuleDecidesForSomeStatus() {
        let table = ResponseTable.standard
        for rule in table.rules(of: .http) {
            let decides = rule.condition.codes.contains { code in
                let text = rule.condition.texts.first?.description ?? (rule.condition.speaksOfUs ? "no such sender" : "")
                let facts = ResponseFacts(code: code, text: text, hasRetryAfter: rule.condition.needsRetryAfter)
                return table.decide(.http, facts).rule == rule
            }
            #expect(decides, "\(rule.condition.codes): \(rule.because)")
        }
    }
}
