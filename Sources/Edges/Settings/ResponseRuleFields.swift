import Model
import Policy
import Text

/// The fields of one rule as written, and the rule that they describe.
struct ResponseRuleFields {
    enum Key: String, CaseIterable {
        case proto = "protocol"
        case code, enhanced, text, stage
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

    static let needs = "a protocol, a class, and a code, an enhanced code or a text"
    /// Classes that a file may use. Only 2xx is accepted, and only a missing response is unreachable.
    static let kinds = ResponseClass.allCases.filter { $0 != .accepted && $0 != .unreachable }
    /// Bytes of a reason at most.
    private static let longestReason = 200

    /// Where the rule begins.
    let place: String
    var values: [Key: Value] = [:]
    private var found: [(line: Int, problem: SettingsError.Problem)] = []

    init(place: String) { self.place = place }

    /// The problems that `rule()` found, in the order of the file.
    var problems: [SettingsError.Problem] { found.sorted { $0.line < $1.line }.map(\.problem) }

    /// - Returns: nil if there are problems.
    mutating func rule() -> ResponseRule? {
        let needed: [Key] = [.proto, .kind]
        for key in needed where values[key] == nil { refuse(key, "is missing; a rule needs \(Self.needs)") }
        if values[.code] == nil, values[.enhanced] == nil, values[.text] == nil {
            refuse(.code, "is missing; a rule needs \(Self.needs)")
        }
        let proto = one(.proto, allowed: Self.names(ResponseProtocol.allCases)) { ResponseProtocol(rawValue: $0) }
        let kind = one(.kind, allowed: Self.names(Self.kinds)) { text in Self.kinds.first { $0.rawValue == text } }
        let text = one(.text, allowed: "1 to \(TextPattern.longest) bytes with more than * in them, on one line") {
            TextPattern($0)
        }
        let because = one(.because, allowed: "1 to \(Self.longestReason) bytes on one line") { text in
            (1...Self.longestReason).contains(text.utf8.count) && !text.utf8.contains(where: \.isControl) ? text : nil
        }
        guard let proto else { return nil }
        var condition = ResponseRule.Condition(codes: codes(proto), text: text)
        condition.enhanced = enhanced(proto, condition.codes)
        condition.stages = stages(proto, kind)
        guard let kind, found.isEmpty else { return nil }
        return ResponseRule(proto, condition, kind, because ?? "the operator's rule", origin: place)
    }

    private mutating func codes(_ proto: ResponseProtocol) -> ClosedRange<Int> {
        let all = proto.refusals
        let allowed = "a code from \(all.lowerBound) to \(all.upperBound), or a range such as 400-499"
        let read = one(.code, allowed: allowed + "; 2xx always means accepted") {
            NumberRange.read($0, in: all)
        }
        return read ?? all
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

    private mutating func stages(_ proto: ResponseProtocol, _ kind: ResponseClass?) -> [DeliveryStage] {
        guard let value = values[.stage] else { return [] }
        guard proto == .smtp else {
            refuse(.stage, "is for SMTP only")
            return []
        }
        var allowed: [DeliveryStage] = [.greeting, .tls, .auth, .mail, .rcpt, .data, .response]
        var why = ""
        if let kind, kind.isAboutMessage {
            allowed.removeAll { ResponseRule.opening.contains($0) }
            why = "; at the others no message can be \(kind.rawValue)"
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
