import Model

/// Reply codes are those of RFC 5321 section 4.2 and RFC 4954, enhanced ones those of RFC 3463 and its registry (RFC 5248). What a server
/// says in words is believed before its codes: a bare 550, 553 or 554 says nothing about a mailbox.
extension ResponseTable {
    static let standardSMTP: [ResponseRule] =
        [smtp(.codes(200...299), .accepted, "done")] + domains + opening + greylisting + authentication + setUp + reputation + sessions
        + rates
        + recipients + mentions + messages + codes

    /// What a relay passes on from the recipient's mail servers: these know us by the relay's address or our domain, and
    /// slow down what goes to them alone. The relay itself would take mail to others, so it must not be slowed for it.
    /// None of these texts can be the relay's own word, and only behind a recipient can they be about the recipient's
    /// domain; a bare code such as 4.7.28 may be the relay's and is taken for that.
    private static let domains: [ResponseRule] = [
        smtp(
            .codes(400...499, at: withRecipient, says: ["unusual rate of * mail"]), .rate, action: .slowDownDomain,
            "Gmail (4.7.28, formerly 4.7.0): too much mail from one address or domain to its users"),
        smtp(
            .codes(400...499, at: withRecipient, says: ["[TS*temporarily deferred"]), .reputation, action: .slowDownDomain,
            "Yahoo and AOL (TSS04 and the like): unexpected volume or complaints of their users"),
        smtp(
            .codes(400...499, enhanced: ["4.7.600-699"], at: withRecipient, says: ["temporarily rate limited"]), .reputation,
            action: .slowDownDomain, "Outlook.com (4.7.650 and the like): the relay's address is limited there"),
        smtp(
            .codes(400...499, at: withRecipient, says: ["host * said: 4*rate limit", "host * said: 4*too many"]), .rate,
            action: .slowDownDomain, "the relay quotes a limit of the recipient's host (Postfix)"),
    ]

    /// Limits of one connection: another one helps, and the message is not to blame. A text that says who we are, or that we have to log
    /// in, is none of them, though it speaks of the connection.
    private static let sessions: [ResponseRule] = [
        smtp(
            .codes(
                400...599,
                says: [
                    "per session", "this session", "one session", "single session", "in session", "session limit", "smtp session",
                    "smtp-session", "per connection", "this connection", "one connection", "single connection", "smtp connection",
                ], besides: ["too many", "limit", "max", "exceed", "quota", "no more"]), .rate, action: .reconnect,
            "a limit of this connection"),
        smtp(
            .codes(
                400...599,
                says: [
                    "too many errors", "too many unrecognized", "too many unknown commands", "too many bad commands", "too many syntax",
                    "too many failed recipients", "too many invalid recipients", "on a new connection", "open a new connection",
                    "use a new connection", "open a new session", "please reconnect",
                ]), .rate, action: .reconnect, "the server has had enough of this connection"),
        smtp(
            .codes(452...452, enhanced: ["4.5.3"]), .rate, action: .reconnect,
            "too many recipients (RFC 3463): a message has one, so it counts those of the connection"),
    ]

    private static let greylisting: [ResponseRule] = [
        smtp(
            .codes(400...499, says: ["greylist", "graylist", "grey list", "gray list", "grey-list", "gray-list", "postgrey"]), .greylisted,
            "refused at the first attempt on purpose (RFC 6647)")
    ]

    /// Refused whoever the recipient is, before one is named.
    private static let opening: [ResponseRule] = [
        smtp(
            .codes(500...599, at: ResponseRule.opening, says: ["blocked", "blacklist", "blocklist", "banned", "reputation"]), .reputation,
            "our address is on a blocklist"),
        smtp(.codes(500...599, at: ResponseRule.opening), .setUp, "refused whoever the recipient is"),
        smtp(.codes(432...432, at: [.auth]), .setUp, "a password transition is needed"),
    ]

    private static let authentication: [ResponseRule] = [
        smtp(
            .codes(
                400...599,
                says: [
                    "dmarc", "spf record", "spf check", "spf fail", "spf validation", "failed spf", "spf policy", "openspf", "pass spf",
                ]),
            .authentication, "SPF or DMARC of the sender's domain"),
        smtp(
            .codes(
                400...599,
                says: [
                    "anti-spoofing policy", "submitter failed to authenticate", "dkim fail", "dkim check", "dkim signature is",
                    "dkim validation", "dkim verification", "failed dkim", "pass dkim",
                    "no dkim", "unauthenticated email", "unauthenticated mail", "sender is unauthenticated",
                ]), .authentication, "DKIM of the sender's domain, or none of the three"),
        smtp(
            .codes(
                400...599,
                enhanced: [
                    "4.7.20-24", "4.7.26", "4.7.29",
                    "5.7.20-24", "5.7.26", "5.7.29",
                    "5.7.509",
                ]), .authentication, "DKIM, SPF, ARC, DMARC (RFC 7372; Microsoft's 5.7.509)"),
    ]

    /// The server refuses us, and says so.
    private static let setUp: [ResponseRule] = [
        smtp(.codes(500...599, says: ["RESOLVER.RST"]), .policy, "Exchange: this group or mailbox takes mail of its own house only"),
        smtp(
            .codes(
                400...599,
                says: [
                    "relay access denied", "relaying denied", "relay denied", "denied relay", "relay not permitted",
                    "relaying not permitted",
                    "relay not allowed", "relaying not allowed", "relaying is not allowed", "relaying disallowed", "relay is prohibited",
                    "relaying is prohibited", "relaying prohibited", "unable to relay", "cannot relay", "can't relay", "not relay for",
                    "do not relay", "does not relay", "not configured to relay", "not permitted to relay", "not allowed to relay",
                    "authorized to relay", "authorised to relay", "no relaying", "rcpthosts", "relay operation", "relay attempt",
                    "we don't relay", "must be delivered remotely", "open relaying", "relay rejected", "relay service", "use me * to relay",
                    "relay token", "tenantinboundattribution",
                ] + ForeignWords.relayDenied), .setUp, "the server does not pass on our mail"),
        smtp(
            .codes(
                400...599,
                says: [
                    "smtp auth", "authentication required", "authentication is required", "requires authentication", "authenticate first",
                    "must authenticate", "must be authenticated", "must first authenticate", "need to authenticate", "please authenticate",
                    "you are not authenticated", "not logged in", "log in first", "login first", "pop before smtp", "authentication needed",
                    "starttls command first", "must issue a starttls", "encryption required", "encryption needed", "encryption is required",
                    "tls required", "tls is required", "requires tls", "authentication failed", "authentication credentials",
                    "username and password", "bad credentials", "invalid login",
                ]), .setUp, "we have to log in first, or by TLS"),
        smtp(
            .codes(500...599, says: ["sender address rejected", "address of sender", "domain of sender", "sender rejected"]), .policy,
            action: .pauseMailing, "the sender's address is refused; Postfix says so at RCPT"),
        smtp(
            .codes(
                400...599,
                says: [
                    "not owned by", "send as this", "sendasdenied", "send as the", "permissions to send", "not authorized to send",
                    "not authorised to send", "not allowed to send", "not permitted to send", "sender not allowed", "sender is not allowed",
                    "sender not authorized", "sender is not authorized", "sender not permitted", "unauthorized sender", "invalid sender",
                    "address is not verified", "verified sender", "unverified sender", "unverified domain", "domain is not verified",
                    "sender verify failed", "sender verification", "domain of sender", "sender domain", "sender unknown", "unknown sender",
                    "sender address rejected", "sender refused", "sender denied", "mail from domain", "mailfrom domain",
                    "sender identity", "sending address", "envelope sender", "sending domain", "sender mailbox", "sender's mailbox",
                    "sender address", "sender's address", "sender's domain", "sender account", "sender's account", "sender does not exist",
                    "in mail from", "mail from must equal", "is not authorized to perform", "from unregistered domains",
                    "validate your sender",
                    "your from header", "mittente non", "remitente no", "remetente bloq", "remetente não", "absender nicht", "afzender",
                    "nadawca odrzucony",
                ]), .setUp, "the sender's address or domain is not one that we may use here"),
        smtp(
            .codes(
                400...599,
                says: [
                    "account outbound", "outbounds disabled", "access to this account", "sending for this account",
                    "disabled for sending", "sending paused", "sending suspended", "sending is disabled", "insufficient credit",
                    "insufficient balance", "out of credit", "no credits", "credits exhausted", "trial account", "payment required",
                    "unpaid", "tenant has exceeded", "account limit", "user has no permission", "smtp service not enabled",
                    "until you free space",
                ] + ResponseClause.statementsOfAccount), .setUp, "our account or address at the provider"),
        smtp(
            .codes(
                400...599,
                says: [
                    "reverse dns", "rdns", "reverse hostname", "reverse host name", "reverse lookup", "ptr record", "dns ptr", "no ptr",
                    "cannot find your hostname", "helo command rejected", "invalid helo", "helo name", "ehlo name", "unverifyable sending",
                    "bad helo", "in ehlo", "in helo", "no mx record found for the domain of your",
                ]), .setUp, "the name of our machine, in the DNS or in HELO"),
        smtp(.codes(530...530), .setUp, "authentication or STARTTLS is required"),
        smtp(.codes(534...535), .setUp, "the credentials or their mechanism are refused"),
        smtp(.codes(538...538), .setUp, "the mechanism wants encryption"),
        smtp(
            .codes(500...599, enhanced: ["5.7.8", "5.7.10-11", "5.7.13-14"]), .setUp,
            "credentials, encryption or the account; Yahoo's 5.7.9 is a policy"),
        smtp(
            .codes(
                500...599,
                enhanced: [
                    "5.7.25", "5.7.27", "5.7.54",
                    "5.7.60",
                ]), .setUp,
            "reverse DNS, a sender's domain that takes no mail (RFC 7372, RFC 7505), Exchange's relay and sender permissions"),
        smtp(.codes(500...599, enhanced: ["5.1.7-8"]), .policy, action: .pauseMailing, "the sender's address (RFC 3463)"),
    ]

    /// The address or the domain that we send from has a bad name.
    private static let reputation: [ResponseRule] = [
        smtp(.codes(400...599, says: ["frequency limited"]), .rate, "too many connections (Tencent)"),
        smtp(
            .codes(
                400...599,
                says: [
                    "blocked using", "blacklist", "black list", "black-list", "blocklist", "block list", "block-list", "dnsbl", "/rbl",
                    "rbl ",
                    "spamhaus", "spamcop", "sorbs", "barracudacentral", "proofpoint.com/dnsbl", "banned sending", "blocked for abuse",
                    "reputation", "client host rejected", "client host * blocked", "ip * blocked", "blocked ip", "your ip", "your host",
                    "your server", "open relay", "smtp server of your isp", "user complaints", "access from", "access denied...",
                    "no access from mail server", "not accepting connections", "blocked by", "traffic not accepted from this ip",
                    "abuse detected from",
                    "messages from * weren't sent", "all messages from", "your access to this mail system", "your access to submit",
                    "ipcheck.proofpoint", "ask your postmaster for help", "sending refused", "spammer: rejected", "(con:b", "(rly:b",
                    "(hvu:b", "(dyn:t",
                ]), .reputation, "we are on a blocklist, or known for bad mail"),
        smtp(.codes(500...599, enhanced: ["5.7.606-649"]), .reputation, "Microsoft: the sending address is banned"),
    ]

    private static let rates: [ResponseRule] = [
        smtp(
            .codes(400...499, says: ["receiving mail at a rate", "receiving mail too", "user is receiving"]), .rate, action: .retry,
            "Gmail (4.2.1): one mailbox gets too much"),
        smtp(.codes(552...552, says: ["too many recipients"]), .rate, action: .retry, "too many recipients in one go"),
        smtp(
            .codes(
                400...599,
                says: [
                    "relay limit exceeded", "rate limit", "too many messages", "too many connections", "too many concurrent",
                    "too many sessions", "sending limit", "sending quota", "sending rate", "daily * limit", "hourly * limit",
                    "daily * quota",
                    "messages per", "exceeded your", "send limit", "maximum send", "throttl", "too fast", "message rate", "unusual rate",
                    "usage limit exceeded", "unusual sending activity",
                    "max defers and failures", "policy rejection: quota exceeded",
                ]), .rate, "too much or too fast, for our account or our address"),
        smtp(.codes(500...599, enhanced: ["5.4.5"], says: ["limit", "quota"]), .rate, "the account's quota"),
    ]

    /// Words for our side that are said of a recipient's refusal by the way too; so they decide where nothing is said of a recipient.
    private static let mentions: [ResponseRule] = [
        smtp(.codes(400...599, says: ["from address", "your account"]), .setUp, "our account, or the sender's address")
    ]

    /// Stages at which the recipient is known to the server.
    private static let withRecipient: [DeliveryStage] = [.rcpt, .data, .response]

    static func smtp(
        _ condition: ResponseRule.Condition, _ reason: ResponseReason, action: ResponseAction? = nil,
        certainty: ResponseRule.Certainty = .always, _ because: String
    ) -> ResponseRule {
        ResponseRule(.smtp, condition, reason, action: action, certainty: certainty, because)
    }
}

extension ResponseRule.Condition {
    /// - Parameters:
    ///   - enhanced: patterns of enhanced codes, as `4.7.20-24`.
    ///   - texts, besides: known texts; a response must hold one of each list that is not empty.
    static func codes(
        _ codes: ClosedRange<Int>, enhanced: [String] = [], at stages: [DeliveryStage] = [], says texts: [String] = [],
        besides: [String] = []
    ) -> ResponseRule.Condition {
        var condition = ResponseRule.Condition(codes: codes, texts: texts.map { TextPattern(known: $0) })
        condition.enhanced = enhanced.compactMap { EnhancedCodePattern($0) }
        condition.stages = stages
        condition.besides = besides.map { TextPattern(known: $0) }
        return condition
    }
}
