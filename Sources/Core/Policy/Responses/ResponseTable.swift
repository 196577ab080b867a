package import Model

/// What providers' responses mean for what happens next: rules in order, of which the first that fits a response decides.
package struct ResponseTable: Sendable, Equatable {
    /// What a response was found to mean.
    package struct Decision: Sendable, Equatable {
        package let kind: ResponseClass
        /// Nil where no rule fits: the code is none of the protocol.
        package let rule: ResponseRule?
    }

    private let smtp: [ResponseRule]
    private let http: [ResponseRule]

    /// What holds without a file.
    package static let standard = ResponseTable(own: [])

    /// - Parameter own: an operator's rules, which stand before the standard ones.
    package init(own: [ResponseRule]) {
        smtp = own.filter { $0.proto == .smtp } + Self.standardSMTP
        http = own.filter { $0.proto == .http } + Self.standardHTTP
    }

    /// In the order in which they are asked.
    package func rules(of proto: ResponseProtocol) -> [ResponseRule] { proto == .smtp ? smtp : http }

    /// The class of a response: `.accepted` for 2xx, whatever the rules say, and for nothing else of the standard table.
    /// - Parameters:
    ///   - code: the reply code or the final status.
    ///   - stage: SMTP: the command that was answered; `.response` for the final dot.
    ///   - text: one line, with the enhanced code in front where one was given.
    package func classify(
        _ proto: ResponseProtocol, code: Int, stage: DeliveryStage = .response, text: String, hasRetryAfter: Bool = false
    ) -> ResponseClass {
        if 200...299 ~= code { return .accepted }
        let rules = rules(of: proto)
        let index = index(in: rules, proto, code, stage, text, hasRetryAfter)
        return index.map { rules[$0].kind } ?? Self.fallback
    }

    /// The same, with the rule that decided.
    package func decide(
        _ proto: ResponseProtocol, code: Int, stage: DeliveryStage = .response, text: String, hasRetryAfter: Bool = false
    ) -> Decision {
        let rules = rules(of: proto)
        if 200...299 ~= code {
            return Decision(kind: .accepted, rule: rules.first { $0.kind == .accepted && $0.condition.codes.contains(code) })
        }
        guard let index = index(in: rules, proto, code, stage, text, hasRetryAfter) else {
            return Decision(kind: Self.fallback, rule: nil)
        }
        return Decision(kind: rules[index].kind, rule: rules[index])
    }

    /// The class of a code that answers nothing we ask, or is outside the protocol.
    private static let fallback = ResponseClass.temporary

    private func index(
        in rules: [ResponseRule], _ proto: ResponseProtocol, _ code: Int, _ stage: DeliveryStage, _ text: String,
        _ hasRetryAfter: Bool
    ) -> Int? {
        var said = text
        var enhanced = proto == .smtp ? said.withUTF8 { EnhancedCode(startOf: $0) } : nil
        // An enhanced code of another class than the reply's first digit contradicts it; the reply code counts then.
        if enhanced?.category != code / 100 { enhanced = nil }
        return rules.indices.first {
            rules[$0].fits(code: code, enhanced: enhanced, stage: stage, text: said, hasRetryAfter: hasRetryAfter)
        }
    }
}
