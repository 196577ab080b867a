package import Model

/// How a provider is spoken to, as far as its responses differ.
package enum ResponseProtocol: String, Sendable, CaseIterable {
    case smtp, http

    /// Codes that a rule may be about beside 2xx, which always means that the message was taken.
    package var refusals: ClosedRange<Int> {
        switch self {
        case .smtp: 400...599
        case .http: 300...599
        }
    }
}

/// One row of the table: the responses that it fits, and what they mean.
package struct ResponseRule: Sendable, Equatable {
    package let proto: ResponseProtocol
    /// Reply codes (RFC 5321 section 4.2) or status codes (RFC 9110 section 15).
    package let codes: ClosedRange<Int>
    /// SMTP: one of them fits the response's enhanced code (RFC 3463); empty for every response, with one or without.
    package let enhanced: [EnhancedPattern]
    /// SMTP: what was answered, `.response` for the final dot; empty for all.
    package let stages: [DeliveryStage]
    /// What the response's text holds, as the ledger shows it.
    package let text: TextPattern?
    /// Only for responses that name a wait (Retry-After, RFC 9110 section 10.2.3).
    package let needsRetryAfter: Bool
    package let kind: ResponseClass
    /// Why, for whoever reads the table.
    package let because: String
    /// `file:line` of an operator's rule; nil for those of the standard table.
    package let origin: String?

    package init(
        _ proto: ResponseProtocol, _ codes: ClosedRange<Int>, enhanced: [EnhancedPattern] = [],
        stages: [DeliveryStage] = [], text: TextPattern? = nil, needsRetryAfter: Bool = false, _ kind: ResponseClass,
        _ because: String, origin: String? = nil
    ) {
        self.proto = proto
        self.codes = codes
        self.enhanced = enhanced
        self.stages = stages
        self.text = text
        self.needsRetryAfter = needsRetryAfter
        self.kind = kind
        self.because = because
        self.origin = origin
    }

    /// Stages of SMTP at which no message is under way.
    package static let opening: [DeliveryStage] = [.connect, .tls, .greeting, .auth]

    /// A rule that speaks of a message never fits where there is none.
    func fits(
        code: Int, enhanced given: EnhancedCode?, stage: DeliveryStage, text said: String, hasRetryAfter: Bool
    ) -> Bool {
        guard codes.contains(code), hasRetryAfter || !needsRetryAfter, stages.isEmpty || stages.contains(stage) else {
            return false
        }
        if kind.isAboutMessage, proto == .smtp, Self.opening.contains(stage) { return false }
        if !enhanced.isEmpty {
            guard let given, enhanced.contains(where: { $0.fits(given) }) else { return false }
        }
        return text?.matches(said) ?? true
    }
}
