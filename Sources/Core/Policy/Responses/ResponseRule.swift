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

/// One row of the table: which responses it fits, and what they mean.
package struct ResponseRule: Sendable, Equatable {
    /// What a response must be; all of it must fit.
    package struct Condition: Sendable, Equatable {
        /// Reply codes (RFC 5321 section 4.2) or status codes (RFC 9110 section 15).
        package var codes: ClosedRange<Int>
        /// SMTP: one of them fits the response's enhanced code (RFC 3463); empty for every response, with one or without.
        package var enhanced: [EnhancedCodePattern] = []
        /// SMTP: what was answered, `.response` for the final dot; empty for all.
        package var stages: [DeliveryStage] = []
        /// What the response's text holds, as the ledger shows it.
        package var text: TextPattern?
        /// Only responses that name a wait (Retry-After, RFC 9110 section 10.2.3).
        package var needsRetryAfter = false

        package init(codes: ClosedRange<Int>, text: TextPattern? = nil) {
            self.codes = codes
            self.text = text
        }
    }

    package let proto: ResponseProtocol
    package let condition: Condition
    package let kind: ResponseClass
    /// Why, for whoever reads the table.
    package let because: String
    /// `file:line` of an operator's rule; nil for those of the standard table.
    package let origin: String?

    package init(_ proto: ResponseProtocol, _ condition: Condition, _ kind: ResponseClass, _ because: String, origin: String? = nil) {
        self.proto = proto
        self.condition = condition
        self.kind = kind
        self.because = because
        self.origin = origin
    }

    /// Stages of SMTP at which no message is under way.
    package static let opening: [DeliveryStage] = [.connect, .tls, .greeting, .auth]

    /// Whether the rule decides about a response. A rule that speaks of a message never fits where there is none.
    /// - Parameter hasRetryAfter: the response names a wait.
    func fits(code: Int, enhanced: EnhancedCode?, stage: DeliveryStage, text: String, hasRetryAfter: Bool) -> Bool {
        guard condition.codes.contains(code), hasRetryAfter || !condition.needsRetryAfter,
            condition.stages.isEmpty || condition.stages.contains(stage)
        else { return false }
        if kind.isAboutMessage, proto == .smtp, Self.opening.contains(stage) { return false }
        if !condition.enhanced.isEmpty {
            guard let enhanced, condition.enhanced.contains(where: { $0.fits(enhanced) }) else { return false }
        }
        return condition.text?.matches(text) ?? true
    }
}
