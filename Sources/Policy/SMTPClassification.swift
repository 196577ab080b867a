package import Model

/// What an SMTP server's reply means for a message: a table of rows, of which the first that fits decides.
///
/// Reply codes are those of RFC 5321 section 4.2 and RFC 4954, enhanced ones those of RFC 3463 and its registry (RFC
/// 5248).
package enum SMTPClassification {
    /// The class of a reply.
    /// - Parameters:
    ///   - code: the reply code; one outside 200...299 and 400...599 answers nothing that we ask, and counts as
    ///     temporary.
    ///   - enhanced: class, subject and detail of the enhanced status code, where one was given.
    ///   - stage: the command that was answered; `.response` for the final dot.
    package static func classify(code: Int, enhanced: (Int, Int, Int)?, stage: DeliveryStage) -> AnswerClass {
        for rule in rules where rule.fits(code: code, enhanced: enhanced, stage: stage) { return rule.kind }
        return .temporary
    }

    /// One row: the replies that it fits, and their meaning.
    struct Rule: Sendable {
        var codes: ClosedRange<Int>
        /// Enhanced codes that it fits (their class is the reply's first digit); empty fits every reply.
        var enhanced: [Enhanced] = []
        /// Stages at which it holds; empty for all.
        var stages: [DeliveryStage] = []
        var kind: AnswerClass
        /// Why, for whoever reads the table.
        var reason: StaticString

        func fits(code: Int, enhanced given: (Int, Int, Int)?, stage: DeliveryStage) -> Bool {
            guard codes.contains(code), stages.isEmpty || stages.contains(stage) else { return false }
            guard !enhanced.isEmpty else { return true }
            // An enhanced code of another class than the reply's first digit contradicts it; the reply code counts
            // then.
            guard let given, given.0 == code / 100 else { return false }
            return enhanced.contains { row in
                row.subject == given.1 && (row.details.isEmpty || row.details.contains(given.2))
            }
        }
    }

    /// Enhanced codes of one subject.
    struct Enhanced: Sendable {
        var subject: Int
        /// Empty for all.
        var details: [Int]

        static func all(_ subject: Int) -> Self { Self(subject: subject, details: []) }
        static func some(_ subject: Int, _ details: Int...) -> Self { Self(subject: subject, details: details) }
    }

    /// Stages at which the reply is about us, not about a message.
    private static let opening: [DeliveryStage] = [.connect, .tls, .greeting, .auth]

    static let rules: [Rule] = [
        Rule(codes: 200...299, kind: .accepted, reason: "done"),

        // Not now.
        Rule(codes: 421...421, kind: .throttled, reason: "the service closes: too many, too fast, shutting down"),
        Rule(codes: 432...432, stages: [.auth], kind: .misconfigured, reason: "a password transition is needed"),
        Rule(codes: 454...454, kind: .throttled, reason: "no TLS or authentication for now; sending rates (SES)"),
        Rule(codes: 400...499, stages: opening, kind: .throttled, reason: "no message was looked at"),
        Rule(
            codes: 400...499, enhanced: [.some(3, 1, 2), .some(4, 5)], kind: .throttled,
            reason: "the provider's storage is full, it takes no mail, or it is congested"),
        Rule(codes: 400...499, enhanced: [.some(7, 28)], kind: .throttled, reason: "our mail comes too fast"),
        Rule(
            codes: 400...499, enhanced: [.all(7)], stages: [.mail], kind: .throttled,
            reason: "a limit on the sender or on us; at RCPT it is grey-listing, which is the message's own"),
        Rule(codes: 400...499, kind: .temporary, reason: "RFC 5321 section 4.2.1: try the same again"),

        // Our own set-up.
        Rule(codes: 500...599, stages: opening, kind: .misconfigured, reason: "refused whoever the recipient is"),
        Rule(codes: 530...530, kind: .misconfigured, reason: "authentication or STARTTLS is required"),
        Rule(codes: 534...535, kind: .misconfigured, reason: "the credentials or their mechanism are refused"),
        Rule(codes: 538...538, kind: .misconfigured, reason: "the mechanism wants encryption"),
        Rule(
            codes: 500...599, enhanced: [.some(7, 8, 9, 10, 11, 13, 14)], kind: .misconfigured,
            reason: "credentials, encryption or the account"),
        Rule(
            codes: 500...599, enhanced: [.some(7, 20, 21, 22, 23, 24, 25, 26, 27, 29, 60)], kind: .misconfigured,
            reason: "DKIM, SPF, reverse DNS, DMARC, the sender's domain (RFC 7372, RFC 7505)"),
        Rule(
            codes: 500...599, enhanced: [.some(1, 7, 8)], kind: .misconfigured,
            reason: "the sender's address; Postfix says so at RCPT"),

        // The message and the room for it.
        Rule(codes: 500...599, enhanced: [.some(2, 2)], kind: .temporary, reason: "a full mailbox may be emptied"),
        Rule(codes: 552...552, enhanced: [.some(5, 3)], kind: .temporary, reason: "too many recipients in one go"),
        Rule(
            codes: 500...599, enhanced: [.some(3, 4), .some(2, 3), .all(6)], kind: .rejected,
            reason: "size or content"),
        Rule(codes: 552...552, stages: [.rcpt], kind: .temporary, reason: "a full mailbox, section 4.5.3.1.10"),
        Rule(codes: 552...552, kind: .rejected, reason: "size (RFC 1870)"),
        Rule(codes: 500...599, stages: [.mail], kind: .misconfigured, reason: "the sender is refused"),

        // The recipient.
        Rule(
            codes: 500...599, enhanced: [.some(1, 1, 2, 3, 6, 10)], kind: .badRecipient,
            reason: "no such mailbox or domain, it moved, or it takes no mail"),
        Rule(codes: 500...599, enhanced: [.some(2, 1)], kind: .badRecipient, reason: "the mailbox is disabled"),
        Rule(
            codes: 500...599, enhanced: [.some(4, 1, 4)], stages: [.rcpt], kind: .badRecipient,
            reason: "nobody takes mail for the domain; Exchange Online says 5.4.1 of unknown users"),
        Rule(
            codes: 500...599, enhanced: [.all(3), .all(4), .all(7)], kind: .rejected,
            reason: "system, routing, policy: says nothing about the mailbox"),
        Rule(codes: 550...551, stages: [.rcpt], kind: .badRecipient, reason: "no such user here"),
        Rule(codes: 553...553, stages: [.rcpt], kind: .badRecipient, reason: "the mailbox's name is not allowed"),
        Rule(codes: 556...556, stages: [.rcpt], kind: .badRecipient, reason: "the domain takes no mail (RFC 7504)"),

        Rule(codes: 500...599, kind: .rejected, reason: "RFC 5321 section 4.2.1: never the same again"),
    ]
}
