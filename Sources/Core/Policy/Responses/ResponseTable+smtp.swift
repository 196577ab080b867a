import Model

extension ResponseTable {
    /// Reply codes are those of RFC 5321 section 4.2 and RFC 4954, enhanced ones those of RFC 3463 and its registry (RFC
    /// 5248).
    static let standardSMTP: [ResponseRule] =
        [
            rule(200...299, .accepted, "done")
        ] + domains + notNow + setUp + message + recipient

    /// What a relay passes on from the recipient's mail servers: these know us by the relay's address or our domain, and
    /// slow down what goes to them alone. The relay itself would take mail to others, so it must not be slowed for it.
    /// None of these texts can be the relay's own word, and only behind a recipient can they be about the recipient's
    /// domain; a bare code such as 4.7.28 may be the relay's and is taken for that.
    private static let domains: [ResponseRule] = [
        rule(
            400...499, at: withRecipient, text: "unusual rate of * mail", .domainThrottled,
            "Gmail (4.7.28, formerly 4.7.0): too much mail from one address or domain to its users"),
        rule(
            400...499, at: withRecipient, text: "[TS*temporarily deferred", .domainThrottled,
            "Yahoo and AOL (TSS04 and the like): unexpected volume or complaints of their users"),
        rule(
            400...499, enhanced: [EnhancedCodePattern(4, 7, 600...699)], at: withRecipient,
            text: "temporarily rate limited",
            .domainThrottled, "Outlook.com (4.7.650 and the like): the relay's address is limited there"),
        rule(
            400...499, at: withRecipient, text: "host * said: 4*rate limit", .domainThrottled,
            "the relay quotes a rate limit of the recipient's host (Postfix)"),
        rule(
            400...499, at: withRecipient, text: "host * said: 4*too many", .domainThrottled,
            "the relay quotes the recipient's host: too many messages or connections (Postfix)"),
    ]

    private static let notNow: [ResponseRule] = [
        rule(421...421, .throttled, "the service closes: too many, too fast, shutting down"),
        rule(432...432, at: [.auth], .misconfigured, "a password transition is needed"),
        rule(454...454, .throttled, "no TLS or authentication for now; sending rates (SES)"),
        rule(400...499, at: ResponseRule.opening, .throttled, "no message was looked at"),
        rule(
            400...499, enhanced: [EnhancedCodePattern(4, 3, 1...2), EnhancedCodePattern(4, 4, 5...5)], .throttled,
            "the provider's storage is full, it takes no mail, or it is congested"),
        rule(400...499, enhanced: [EnhancedCodePattern(4, 7, 28...28)], .throttled, "our mail comes too fast"),
        rule(
            400...499, enhanced: [EnhancedCodePattern(4, 7)], at: [.mail], .throttled,
            "a limit on the sender or on us; at RCPT it is grey-listing, which is the message's own"),
        rule(
            400...499, text: "relay limit exceeded", .throttled,
            "Google's SMTP relay (4.2.1): our account's own limit, not the recipient's"),
        rule(400...499, .temporary, "RFC 5321 section 4.2.1: try the same again"),
    ]

    /// Refused whoever the recipient is.
    private static let setUp: [ResponseRule] = [
        rule(500...599, at: ResponseRule.opening, .misconfigured, "refused whoever the recipient is"),
        rule(530...530, .misconfigured, "authentication or STARTTLS is required"),
        rule(534...535, .misconfigured, "the credentials or their mechanism are refused"),
        rule(538...538, .misconfigured, "the mechanism wants encryption"),
        rule(
            500...599, enhanced: [EnhancedCodePattern(5, 7, 8...11), EnhancedCodePattern(5, 7, 13...14)], .misconfigured,
            "credentials, encryption or the account"),
        rule(
            500...599,
            enhanced: [EnhancedCodePattern(5, 7, 20...27), EnhancedCodePattern(5, 7, 29...29), EnhancedCodePattern(5, 7, 60...60)],
            .misconfigured, "DKIM, SPF, reverse DNS, DMARC, the sender's domain (RFC 7372, RFC 7505)"),
        rule(
            500...599, enhanced: [EnhancedCodePattern(5, 1, 7...8)], .misconfigured,
            "the sender's address; Postfix says so at RCPT"),
    ]

    /// The message and the room for it.
    private static let message: [ResponseRule] = [
        rule(500...599, enhanced: [EnhancedCodePattern(5, 2, 2...2)], .temporary, "a full mailbox may be emptied"),
        rule(552...552, enhanced: [EnhancedCodePattern(5, 5, 3...3)], .temporary, "too many recipients in one go"),
        rule(
            500...599, enhanced: [EnhancedCodePattern(5, 3, 4...4), EnhancedCodePattern(5, 2, 3...3), EnhancedCodePattern(5, 6)],
            .rejected,
            "size or content"),
        rule(552...552, at: [.rcpt], .temporary, "a full mailbox (RFC 5321 section 4.5.3.1.10)"),
        rule(552...552, .rejected, "size (RFC 1870)"),
        rule(500...599, at: [.mail], .misconfigured, "the sender is refused"),
    ]

    private static let recipient: [ResponseRule] = [
        rule(
            500...599,
            enhanced: [EnhancedCodePattern(5, 1, 1...3), EnhancedCodePattern(5, 1, 6...6), EnhancedCodePattern(5, 1, 10...10)],
            .badRecipient, "no such mailbox or domain, it moved, or it takes no mail"),
        rule(500...599, enhanced: [EnhancedCodePattern(5, 2, 1...1)], .badRecipient, "the mailbox is disabled"),
        rule(
            500...599, enhanced: [EnhancedCodePattern(5, 4, 1...1), EnhancedCodePattern(5, 4, 4...4)], at: [.rcpt],
            .badRecipient,
            "nobody takes mail for the domain; Exchange Online says 5.4.1 of unknown users"),
        rule(
            500...599, enhanced: [EnhancedCodePattern(5, 3), EnhancedCodePattern(5, 4), EnhancedCodePattern(5, 7)], .rejected,
            "system, routing, policy: says nothing about the mailbox"),
        rule(550...551, at: [.rcpt], .badRecipient, "no such user here"),
        rule(553...553, at: [.rcpt], .badRecipient, "the mailbox's name is not allowed"),
        rule(556...556, at: [.rcpt], .badRecipient, "the domain takes no mail (RFC 7504)"),
        rule(500...599, .rejected, "RFC 5321 section 4.2.1: never the same again"),
    ]

    /// Stages at which the recipient is known to the server.
    private static let withRecipient: [DeliveryStage] = [.rcpt, .data, .response]

    private static func rule(
        _ codes: ClosedRange<Int>, enhanced: [EnhancedCodePattern] = [], at stages: [DeliveryStage] = [],
        text: String? = nil, _ kind: ResponseClass, _ because: String
    ) -> ResponseRule {
        var condition = ResponseRule.Condition(codes: codes, text: text.map { TextPattern(known: $0) })
        condition.enhanced = enhanced
        condition.stages = stages
        return ResponseRule(.smtp, condition, kind, because)
    }
}
