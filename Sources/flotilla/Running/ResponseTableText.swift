import Model
import Policy
import Telemetry

/// The response table for a terminal: the rules of each protocol in the order in which they are tried.
struct ResponseTableText {
    let text: String

    init(_ table: ResponseTable) {
        var parts = ResponseProtocol.allCases.map { Self.text(of: $0, table.rules(of: $0)) }
        parts.append("The first rule that matches decides; without one the reason is unknown, and the message is tried again.")
        let hasOwn = ResponseProtocol.allCases.contains { table.rules(of: $0).contains { $0.origin != nil } }
        if hasOwn { parts[parts.count - 1] += "\n* a rule of worker.responses" }
        text = parts.joined(separator: "\n\n")
    }

    private static func text(of proto: ResponseProtocol, _ rules: [ResponseRule]) -> String {
        let isSMTP = proto == .smtp
        let rows = rules.enumerated().map { index, rule in
            ["\(index + 1)\(rule.origin == nil ? "" : " *")", NumberRange.text(rule.condition.codes)]
                + (isSMTP ? [enhanced(rule), rule.condition.stages.map(\.rawValue).joined(separator: " ")] : [])
                + [rule.reason.rawValue, rule.actions.map(\.rawValue).joined(separator: ", "), because(rule)]
        }
        let header = [proto.rawValue.uppercased(), "CODE"] + (isSMTP ? ["ENHANCED", "STAGE"] : [])
        return TextTable(header: header + ["REASON", "ACTION", "BECAUSE"], rows: rows).text
    }

    static func texts(_ rule: ResponseRule) -> String {
        let besides = rule.condition.besides
        return list(rule.condition.texts) + (besides.isEmpty ? "" : " and \(list(besides))")
    }

    private static func list(_ patterns: [TextPattern]) -> String { patterns.map { "\"\($0)\"" }.joined(separator: ", ") }

    static func enhanced(_ rule: ResponseRule) -> String {
        rule.condition.enhanced.map(\.description).joined(separator: " ")
    }

    /// The reason, after the conditions that have no column.
    private static func because(_ rule: ResponseRule) -> String {
        var text = rule.because
        if !rule.condition.texts.isEmpty { text = "\(texts(rule)): \(text)" }
        if let member = rule.condition.member { text = "json \(member) \(text)" }
        if rule.condition.needsRetryAfter { text = "with Retry-After: \(text)" }
        if let origin = rule.origin { text += " (\(origin))" }
        return text
    }
}

/// The classification of one response, for a terminal.
struct ResponseDecisionText {
    let text: String

    init(_ decision: ResponseTable.Decision, of proto: ResponseProtocol, in table: ResponseTable, stage: DeliveryStage) {
        var lines = ["reason \(decision.reason.rawValue)", "action \(decision.action.rawValue)"]
        if let rule = decision.rule {
            let place = rule.origin ?? "built in"
            lines.append("rule   \(table.number(of: rule)) of \(proto.rawValue) (\(place)): \(Self.condition(rule))")
            lines.append("       \(rule.because)")
        } else {
            lines.append("rule   none matches: the protocol has no such code")
        }
        if proto == .smtp { lines.append("stage  \(stage.rawValue)") }
        lines.append("then   \(Self.consequence(decision, at: stage))")
        if decision.suppresses {
            lines.append("       later mailings leave the address out" + (decision.action == .fail ? "" : ", after several in a row"))
        }
        text = lines.joined(separator: "\n")
    }

    private static func condition(_ rule: ResponseRule) -> String {
        var parts = ["code \(NumberRange.text(rule.condition.codes))"]
        if !rule.condition.enhanced.isEmpty { parts.append("enhanced \(ResponseTableText.enhanced(rule))") }
        if !rule.condition.stages.isEmpty { parts.append("at \(rule.condition.stages.map(\.rawValue).joined(separator: ", "))") }
        if let member = rule.condition.member { parts.append("json \(member)") }
        if !rule.condition.texts.isEmpty { parts.append("text \(ResponseTableText.texts(rule))") }
        if rule.condition.needsRetryAfter { parts.append("with Retry-After") }
        if rule.condition.speaksOfUs { parts.append("where it speaks of our side alone") }
        return parts.joined(separator: ", ")
    }

    /// The effect on the recipient.
    static func consequence(_ decision: ResponseTable.Decision, at stage: DeliveryStage) -> String {
        switch decision.action {
        case .accept where stage != .response:
            "the dialogue continues; only the response to the final dot says that the provider has the message"
        case .accept: "the recipient is sent: the provider has the message"
        case .retry:
            "an attempt is spent; the recipient is tried again after a backoff, and failed after the last attempt"
        case .slowDown:
            "no attempt is spent; the recipient is tried again, and the rate to the provider is lowered for a while"
        case .slowDownDomain:
            "no attempt is spent; the recipient is tried again, and the rate to the recipient's domain is lowered for a while"
        case .reconnect: "no attempt is spent; the message is tried again over another connection"
        case .fail where decision.subject == .recipient: "the recipient is failed at once"
        case .fail:
            "the recipient is failed, once somebody was accepted; before that it waits, and enough of such responses pause the mailing"
        case .pauseMailing where decision.subject == .everybody:
            "no attempt is spent; the mailing is paused with this response as the reason, and the recipient waits until it is resumed"
        case .pauseMailing: "the recipient waits; enough of such responses pause the mailing"
        case .count: "it is counted"
        }
    }
}
