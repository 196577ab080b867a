import Model
import Policy

/// A row of the response table as `responses` prints it for scripts.
struct ResponseRuleJSON: Encodable {
    let `protocol`: String
    /// Its place among the rules of its protocol, from 1: the first that matches decides.
    let number: Int
    let codes: String
    let enhanced: [String]
    let stages: [DeliveryStage]
    let texts: [String]
    let jsonMember: String?
    let needsRetryAfter: Bool
    let reason: ResponseReason
    /// Of its lowest and of its highest code, where they differ.
    let actions: [String]
    let because: String
    /// `file:line` of a rule of worker.responses.
    let origin: String?

    init(_ rule: ResponseRule, number: Int) {
        let condition = rule.condition
        `protocol` = rule.proto.rawValue
        self.number = number
        codes = NumberRange.text(condition.codes)
        enhanced = condition.enhanced.map(\.description)
        stages = condition.stages
        texts = condition.texts.map { "\($0)" }
        jsonMember = condition.member
        needsRetryAfter = condition.needsRetryAfter
        reason = rule.reason
        actions = rule.actions.map(\.rawValue)
        because = rule.because
        origin = rule.origin
    }

    /// All rules, in the order in which they are tried.
    static func all(_ table: ResponseTable) -> [ResponseRuleJSON] {
        ResponseProtocol.allCases.flatMap { proto in
            table.rules(of: proto).enumerated().map { ResponseRuleJSON($1, number: $0 + 1) }
        }
    }
}

/// The classification of one response as `responses --test` prints it for scripts.
struct ResponseDecisionJSON: Encodable {
    let reason: ResponseReason
    let action: String
    let consequence: String
    /// Later mailings exclude the address.
    let suppresses: Bool
    /// Nil where none matches.
    let rule: ResponseRuleJSON?

    init(_ decision: ResponseTable.Decision, of proto: ResponseProtocol, in table: ResponseTable, stage: DeliveryStage) {
        reason = decision.reason
        action = decision.action.rawValue
        consequence = ResponseDecisionText.consequence(decision, at: stage)
        suppresses = decision.suppresses && decision.action == .fail
        rule = decision.rule.map { ResponseRuleJSON($0, number: table.number(of: $0)) }
    }
}

extension ResponseRule {
    /// What follows, of the lowest and of the highest code that the rule is about.
    var actions: [ResponseAction] {
        let both = [condition.codes.lowerBound, condition.codes.upperBound].map { action(code: $0) }
        return both[0] == both[1] ? [both[0]] : both
    }
}

extension ResponseTable {
    /// The place of a rule among those of its protocol, from 1.
    func number(of rule: ResponseRule) -> Int { (rules(of: rule.proto).firstIndex(of: rule) ?? 0) + 1 }
}
