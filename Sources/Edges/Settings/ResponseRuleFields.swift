import Model
import Policy
import Text

/// The fields of one rule as written, and the rule that they describe.
struct ResponseRuleFields {
    enum Key: String, CaseIterable {
        case proto = "protocol"
        case code, enhanced, text, json, stage, reason, action
        /// The deprecated key for reason and action in one.
        case kind = "class"
        case because

        var isList: Bool { self == .enhanced || self == .stage }
    }

    struct Value {
        /// At least one; exactly one if the key takes no list.
        let texts: [String]
        /// `file:line`.
        let place: String
        /// Its line.
        let line: Int
    }

    static let needs = "a protocol, a reason, and a code, an enhanced code or a text"
    /// Reasons that a file may use: all but those of an acceptance, which no rule decides.
    static let reasons = ResponseReason.allCases.filter { $0 != .accepted }
    /// Actions that a file may use.
    static let actions: [ResponseAction] = [.retry, .slowDown, .slowDownDomain, .reconnect, .fail, .pauseMailing]
    /// The deprecated response classes, and the reason and action of each.
    static let classes: [(name: String, reason: ResponseReason, action: ResponseAction)] = [
        ("temporary", .unknown, .retry), ("throttled", .rate, .slowDown), ("domain_throttled", .rate, .slowDownDomain),
        ("bad_recipient", .unknownUser, .fail), ("rejected", .policy, .fail), ("misconfigured", .setUp, .pauseMailing),
    ]
    /// Bytes of a reason at most.
    private static let longestReason = 200

    /// Where the rule begins.
    let place: String
    var values: [Key: Value] = [:]
    private var found: [(line: Int, problem: SettingsError.Problem)] = []
    /// A sentence for a deprecated key.
    private(set) var warning: String?

    init(place: String) { self.place = place }

    /// The problems that `rule()` found, in the order of the file.
    var problems: [SettingsError.Problem] { found.sorted { $0.line < $1.line }.map(\.problem) }

    /// - Returns: nil if there are problems.
    mutating func rule() -> ResponseRule? {
        if values[.proto] == nil { refuse(.proto, "is missing; a rule needs \(Self.needs)") }
        if values[.reason] == nil, values[.kind] == nil { refuse(.reason, "is missing; a rule needs \(Self.needs)") }
        if values[.code] == nil, values[.enhanced] == nil, values[.text] == nil, values[.json] == nil {
            refuse(.code, "is missing; a rule needs \(Self.needs)")
        }
        let proto = one(.proto, allowed: Self.names(ResponseProtocol.allCases)) { ResponseProtocol(rawValue: $0) }
        let meaning = meaning()
        let text = one(.text, allowed: "1 to \(TextPattern.longest) bytes with more than * in them, on one line") {
            TextPattern($0)
        }
        let because = one(.because, allowed: "1 to \(Self.longestReason) bytes on one line") { text in
            (1...Self.longestReason).contains(text.utf8.count) && !text.utf8.contains(where: \.isControl) ? text : nil
        }
        guard let proto else { return nil }
        var condition = ResponseRule.Condition(codes: codes(proto), texts: text.map { [$0] } ?? [])
        condition.member = member(proto)
        condition.enhanced = enhanced(proto, condition.codes)
        let rule = meaning.map { ResponseRule(proto, condition, $0.reason, action: $0.action, "") }
        condition.stages = stages(proto, rule?.action(code: condition.codes.lowerBound))
        guard let meaning, found.isEmpty else { return nil }
        return ResponseRule(
            proto, condition, meaning.reason, action: meaning.action, because ?? "the operator's rule", origin: place)
    }

    /// What a response means: its reason, and its action where that is not the usual one of the reason.
    private mutating func meaning() -> (reason: ResponseReason, action: ResponseAction?)? {
        let reason = one(.reason, allowed: Self.names(Self.reasons)) { text in Self.reasons.first { $0.rawValue == text } }
        let action = one(.action, allowed: Self.names(Self.actions)) { text in Self.actions.first { $0.rawValue == text } }
        guard let old = values[.kind] else { return reason.map { ($0, action) } }
        if values[.reason] != nil || values[.action] != nil {
            refuse(.kind, "is the old name of reason and action; leave it out")
            return nil
        }
        let kind = one(.kind, allowed: Self.classes.map(\.name).joined(separator: ", ")) { text in
            Self.classes.first { $0.name == text }
        }
        guard let kind else { return nil }
        warning =
            "\(old.place): class \(kind.name) is deprecated; write reason: \(kind.reason.rawValue), action: \(kind.action.rawValue)"
        return (kind.reason, kind.action)
    }

    private mutating func codes(_ proto: ResponseProtocol) -> ClosedRange<Int> {
        let all = proto.codes
        let refusals = max(all.lowerBound, 300)...all.upperBound
        let note = proto == .smtp ? "; 2xx always means accepted" : ""
        let allowed = "a code from \(all.lowerBound) to \(all.upperBound), or a range such as 400-499\(note)"
        guard let codes = one(.code, allowed: allowed, { NumberRange.read($0, in: all) }) else { return refusals }
        if codes.lowerBound < refusals.lowerBound, values[.text] == nil, values[.json] == nil {
            refuse(.code, "'\(NumberRange.text(codes))' means accepted, unless a text or a json member says otherwise; add one")
        }
        return codes
    }

    /// The member of a JSON body that the text is looked for in.
    private mutating func member(_ proto: ResponseProtocol) -> String? {
        guard values[.json] != nil else { return nil }
        guard proto == .http else {
            refuse(.json, "is for HTTP only")
            return nil
        }
        return one(.json, allowed: "the path of a member with dots, as error.code or errors.0.code") { text in
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            return text.utf8.count <= 200 && parts.allSatisfy { !$0.isEmpty } && !text.utf8.contains(where: \.isControl) ? text : nil
        }
    }

    private mutating func enhanced(_ proto: ResponseProtocol, _ codes: ClosedRange<Int>) -> [EnhancedCodePattern] {
        guard let value = values[.enhanced] else { return [] }
        guard proto == .smtp else {
            refuse(.enhanced, "is for SMTP only")
            return []
        }
        return value.texts.compactMap { text in
            guard let pattern = EnhancedCodePattern(text) else {
                refuse(
                    .enhanced,
                    "'\(text.prefix(80))' is not allowed; allowed: 5.7.1, 4.7.*, 5.7.20-27, or in quotes '*.7.1'")
                return nil
            }
            let categories = codes.lowerBound / 100...codes.upperBound / 100
            if !pattern.category.overlaps(categories) {
                let codes = NumberRange.text(codes)
                refuse(.enhanced, "'\(text)' never matches code \(codes): their first digits differ")
            }
            return pattern
        }
    }

    private mutating func stages(_ proto: ResponseProtocol, _ action: ResponseAction?) -> [DeliveryStage] {
        guard let value = values[.stage] else { return [] }
        guard proto == .smtp else {
            refuse(.stage, "is for SMTP only")
            return []
        }
        var allowed: [DeliveryStage] = [.greeting, .tls, .auth, .mail, .rcpt, .data, .response]
        var why = ""
        if let action, action.isAboutMessage {
            allowed.removeAll { ResponseRule.opening.contains($0) }
            why = "; at the others there is no message: \(action.rawValue)"
        }
        return value.texts.compactMap { text in
            guard let stage = allowed.first(where: { $0.rawValue == text }) else {
                refuse(.stage, "'\(text.prefix(80))' is not allowed; allowed: \(Self.names(allowed))\(why)")
                return nil
            }
            return stage
        }
    }

    /// The value of a key that takes no list; nil if it is missing or not allowed.
    private mutating func one<Result>(_ key: Key, allowed: String, _ read: (String) -> Result?) -> Result? {
        guard let value = values[key], let text = value.texts.first else { return nil }
        guard let result = read(text) else {
            refuse(key, "'\(text.prefix(80))' is not allowed; allowed: \(allowed)")
            return nil
        }
        return result
    }

    private mutating func refuse(_ key: Key, _ text: String) {
        let value = values[key]
        found.append(
            (value?.line ?? 0, SettingsError.Problem(place: value?.place ?? place, key: key.rawValue, text: text)))
    }

    private static func names<Name: RawRepresentable<String>>(_ all: [Name]) -> String {
        all.map(\.rawValue).joined(separator: ", ")
    }
}
