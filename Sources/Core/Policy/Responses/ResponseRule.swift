package import Model

/// How a provider is spoken to, as far as its responses differ.
package enum ResponseProtocol: String, Sendable, CaseIterable {
    case smtp, http

    /// Codes that an operator's rule may be about. 2xx of SMTP always means that the message was taken; with 2xx of HTTP the body may
    /// say otherwise.
    package var codes: ClosedRange<Int> {
        switch self {
        case .smtp: 400...599
        case .http: 200...599
        }
    }

    /// Codes of a refusal that will be the same next time; 2xx where the body says that it is one.
    var permanent: ClosedRange<Int> {
        switch self {
        case .smtp: 500...599
        case .http: 200...499
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
        /// The response's text, as the ledger shows it, holds one of them; empty for any text.
        package var texts: [TextPattern] = []
        /// It must hold one of these too; empty for any text.
        package var besides: [TextPattern] = []
        /// HTTP: the member of a JSON body that is looked at in place of the text, by its path with dots; it must be there.
        package var member: String?
        /// The text must speak of our side, such as the sender, credentials or a template, and must not name the recipient.
        package var speaksOfUs = false
        /// Only responses that name a wait (Retry-After, RFC 9110 section 10.2.3).
        package var needsRetryAfter = false

        package init(codes: ClosedRange<Int>, texts: [TextPattern] = []) {
            self.codes = codes
            self.texts = texts
        }

        /// More than a code is asked for: such a rule knows what the response is about.
        var isSpecific: Bool { !enhanced.isEmpty || !texts.isEmpty || member != nil }
    }

    /// Whether a response that a recipient's rule fits is certainly about the recipient.
    package enum Certainty: Sendable {
        case always
        /// Only where the text names the recipient's side too: accounts, hosts and quotas may be ours.
        case whereRecipientIsNamed
        /// Where words name the recipient: an enhanced code alone does not tell.
        case whereWordsNameRecipient
        /// It may be about everybody nevertheless.
        case never
    }

    package let proto: ResponseProtocol
    package let condition: Condition
    package let reason: ResponseReason
    /// What follows; nil for what follows from the reason.
    package let action: ResponseAction?
    /// Why, for whoever reads the table.
    package let because: String
    /// `file:line` of an operator's rule; nil for those of the standard table.
    package let origin: String?
    /// Of reasons that are the recipient's own.
    package let certainty: Certainty

    package init(
        _ proto: ResponseProtocol, _ condition: Condition, _ reason: ResponseReason, action: ResponseAction? = nil,
        certainty: Certainty = .always, _ because: String, origin: String? = nil
    ) {
        self.proto = proto
        self.condition = condition
        self.reason = reason
        self.action = action
        self.certainty = certainty
        self.because = because
        self.origin = origin
    }

    /// Stages of SMTP at which no message is under way.
    package static let opening: [DeliveryStage] = [.connect, .tls, .greeting, .auth]

    /// What follows from a response that the rule decides about.
    package func action(code: Int) -> ResponseAction {
        action ?? (proto.permanent.contains(code) ? reason.consequence.permanent : reason.consequence.temporary)
    }

    /// It speaks of a recipient and knows so by more than a code.
    private var isRecipients: Bool { reason.consequence.isRecipients && condition.isSpecific }

    /// Whom a response is about that the rule decides about.
    func subject(_ facts: ResponseFacts) -> ResponseSubject {
        if action(code: facts.code) == .pauseMailing {
            // Behind a recipient a server may pass on what another one said.
            let isBeforeRecipient = proto == .http ? reason == .setUp : Self.opening.contains(facts.stage) || facts.stage == .mail
            return isBeforeRecipient || origin != nil ? .everybody : .unclear
        }
        guard isRecipients else { return .unclear }
        let isClear = origin != nil || claim(facts) == .clear
        return switch certainty {
        case .always where isClear: .recipient
        case .whereRecipientIsNamed where isClear && facts.clauses.nameRecipient: .recipient
        case .whereWordsNameRecipient where isClear && facts.clauses.wordsNameRecipient: .recipient
        default: .unclear
        }
    }

    /// What a built-in rule about a recipient is worth against what the text says of us.
    private func claim(_ facts: ResponseFacts) -> ResponseClauses.Claim {
        facts.clauses.claim(condition.texts, isVague: certainty != .always)
    }

    /// Whether the rule decides about a response. A rule that speaks of a message never fits where there is none, one that fails a
    /// recipient never where none is known yet, and a built-in one that speaks of a recipient never where the text speaks of our side.
    func fits(_ facts: ResponseFacts) -> Bool {
        matches(facts) && !(isRecipients && origin == nil && claim(facts) == .refuted)
    }

    private func matches(_ facts: ResponseFacts) -> Bool {
        guard condition.codes.contains(facts.code), facts.hasRetryAfter || !condition.needsRetryAfter,
            !condition.speaksOfUs || facts.clauses.speakOfUsAlone,
            condition.stages.isEmpty || condition.stages.contains(facts.stage)
        else { return false }
        if proto == .smtp {
            let action = action(code: facts.code)
            if action.isAboutMessage && action != .accept || action == .reconnect, Self.opening.contains(facts.stage) { return false }
            // MAIL may name the size of the message (RFC 1870).
            if action == .fail, facts.stage == .mail, reason != .tooLarge, origin == nil { return false }
        }
        if !condition.enhanced.isEmpty {
            guard let enhanced = facts.enhanced, condition.enhanced.contains(where: { $0.fits(enhanced) }) else { return false }
        }
        guard let member = condition.member else {
            let (text, trigrams) = origin == nil ? (facts.words, facts.wordTrigrams) : (facts.text, facts.trigrams)
            return [condition.texts, condition.besides].allSatisfy { patterns in
                patterns.isEmpty || patterns.contains { $0.matches(text, trigrams) }
            }
        }
        guard let value = facts.member(member) else { return false }
        return condition.texts.isEmpty || condition.texts.contains { $0.matches(value) }
    }
}
