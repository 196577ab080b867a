package import Model

/// What providers' responses mean for what happens next: rules in order, of which the first that fits a response decides.
package struct ResponseTable: Sendable, Equatable {
    /// What a response was found to mean.
    package struct Decision: Sendable, Equatable {
        package let reason: ResponseReason
        package let action: ResponseAction
        package let subject: ResponseSubject
        /// Nil where no rule fits: the code is none of the protocol.
        package let rule: ResponseRule?

        /// No later mailing sends to the address. Only what is certainly the recipient's own has that effect.
        package var suppresses: Bool { subject == .recipient && reason.consequence.suppresses }
    }

    private let smtp: [ResponseRule]
    private let http: [ResponseRule]
    /// There are rules by which a status 2xx is no acceptance, so that the bodies of such responses are looked at.
    package let doubtsAcceptance: Bool

    /// What holds without a file.
    package static let standard = ResponseTable(own: [])

    /// - Parameter own: an operator's rules, which stand before the standard ones.
    package init(own: [ResponseRule]) {
        smtp = own.filter { $0.proto == .smtp } + Self.standardSMTP
        http = own.filter { $0.proto == .http } + Self.standardHTTP
        doubtsAcceptance = own.contains { $0.proto == .http && $0.condition.codes.lowerBound < 300 }
    }

    /// In the order in which they are asked.
    package func rules(of proto: ResponseProtocol) -> [ResponseRule] { proto == .smtp ? smtp : http }

    /// What a response means. 2xx of SMTP is accepted, whatever the rules say, and nothing else is.
    package func decide(_ proto: ResponseProtocol, _ facts: ResponseFacts) -> Decision {
        let rules = rules(of: proto)
        // A link that goes with the refusal of a recipient is help: its words mean nothing.
        var rule = facts.withoutLinks.flatMap { plain in rules.first { $0.fits(plain) } }
        if rule?.subject(facts) != .recipient { rule = rules.first { $0.fits(facts) } }
        guard let rule else { return Decision(reason: .unknown, action: .retry, subject: .unclear, rule: nil) }
        return Decision(
            reason: rule.reason, action: rule.action(code: facts.code), subject: rule.subject(facts),
            rule: rule)
    }

    /// The response of a provider, with what it means.
    package func response(_ proto: ResponseProtocol, _ facts: ResponseFacts) -> ProviderResponse {
        let decision = decide(proto, facts)
        return ProviderResponse(
            decision.reason, decision.action, about: decision.subject, stage: facts.stage, code: facts.code, text: facts.text)
    }

    /// What follows from a response of SMTP.
    package func classify(_ proto: ResponseProtocol, code: Int, stage: DeliveryStage = .response, text: String) -> ResponseAction {
        decide(proto, ResponseFacts(code: code, stage: stage, text: text)).action
    }
}
