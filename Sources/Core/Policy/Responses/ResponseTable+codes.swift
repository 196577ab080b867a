import Model

/// What refusals of messages and bare codes mean, after the rules about texts.
extension ResponseTable {
    /// The message and the rules that it meets.
    static let messages: [ResponseRule] = [
        smtp(
            .codes(
                500...599,
                says: [
                    "message size", "message too large", "message too big", "message is too large", "message is too big",
                    "message length exceeds",
                    "size limit", "maximum size", "too large for", "too big for", "exceeds * size",
                ]), .tooLarge, "the message is too large"),
        smtp(.codes(500...599, enhanced: ["5.3.4", "5.2.3"]), .tooLarge, "the message is too large"),
        smtp(
            .codes(
                500...599,
                says: [
                    "virus", "infected", "malware", "duplicate header", "rfc 5322", "rfc5322", "rfc 2822", "rfc2822",
                    "multiple * addresses in from", "multiple addresses in from",
                    "bare lf", "bare cr", "bare newline", "line too long", "lines too long", "missing header", "headers too large",
                    "mcspamsignature", "missing date", "missing from",
                ]), .content, "the form of the message, or something in it"),
        smtp(.codes(400...599, enhanced: ["5.6.*", "4.6.*"]), .content, "the form of the message, or something in it"),
        smtp(
            .codes(
                400...599,
                says: [
                    "spam", "unsolicited", "junk mail", "ube,", "bulk mail", "message content rejected", "mail rejete",
                    "message looks like",
                    "content filter",
                ]), .spam, "taken for spam"),
    ]

    static let codes: [ResponseRule] = [
        smtp(.codes(421...421), .rate, "the service closes: too many, too fast, shutting down"),
        smtp(.codes(454...454), .system, action: .slowDown, "no TLS or authentication for now; sending rates (SES)"),
        smtp(.codes(400...499, at: ResponseRule.opening), .rate, "no message was seen yet"),
        smtp(
            .codes(400...499, enhanced: ["4.3.1-2", "4.4.5"]), .system, action: .slowDown,
            "the provider's storage is full, it takes no mail, or it is congested"),
        smtp(.codes(400...499, enhanced: ["4.7.28"]), .rate, "our mail comes too fast"),
        smtp(
            .codes(400...499, enhanced: ["4.7.*"], at: [.mail]), .rate,
            "a limit on the sender or on us; at RCPT it is grey-listing, which is the message's own"),
        smtp(.codes(552...552, enhanced: ["5.5.3"]), .rate, action: .retry, "too many recipients in one go"),
        smtp(.codes(552...552, enhanced: ["5.7.*"]), .policy, "the content is against a rule (Gmail)"),
        smtp(.codes(552...552, at: [.rcpt]), .full, "a full mailbox (RFC 5321 section 4.5.3.1.10)"),
        smtp(.codes(552...552), .tooLarge, "size (RFC 1870)"),
        smtp(.codes(500...599, at: [.mail]), .setUp, "the sender is refused"),
        smtp(.codes(551...551), .moved, "the recipient is elsewhere (RFC 5321 section 3.4)"),
        smtp(.codes(556...556), .unknownHost, "the domain takes no mail (RFC 7504)"),
        smtp(.codes(521...521), .unknownHost, "the host takes no mail (RFC 7504)"),
        smtp(.codes(400...599, enhanced: ["4.4.7", "5.4.7"]), .expired, "a server gave up trying"),
        smtp(.codes(400...599, says: ["dns query failed"]), .network, "routing or network"),
        smtp(.codes(400...599, says: ["message expired"]), .expired, "a server gave up trying"),
        smtp(
            .codes(400...599, says: ["connection reset", "connection refused", "connection timed out", "protocol error", "no route"]),
            .network, "routing or network"),
        smtp(.codes(400...599, enhanced: ["4.3.*", "5.3.*"]), .system, "the receiving system (RFC 3463)"),
        smtp(.codes(400...599, enhanced: ["4.4.*", "5.4.*"]), .network, "routing or network (RFC 3463)"),
        smtp(.codes(400...599, enhanced: ["4.7.*", "5.7.*"]), .policy, "a rule of the receiving side (RFC 3463)"),
        smtp(
            .codes(500...599, says: ["recipient address rejected", "address rejected"]), .unknownUser, certainty: .never,
            "most often an unknown user; the words do not say so"),
        smtp(
            .codes(
                500...599, says: ["policy", "access denied", "not allowed", "prohibited", "administrative", "rejected by", "refused by"]),
            .policy, "a rule of the receiving side"),
        smtp(
            .codes(
                400...599,
                says: [
                    "system error", "internal error", "service unavailable", "currently unavailable", "service not available",
                    "could not load",
                ]), .system, "the receiving system"),
        smtp(.codes(500...500), .setUp, "the command is not known"),
        smtp(.codes(502...504), .setUp, "the command is not known, or out of order"),
        smtp(.codes(555...555), .setUp, "the server does not know a parameter that it offers"),
        smtp(.codes(400...499), .unknown, "RFC 5321 section 4.2.1: try the same again"),
        smtp(.codes(500...599), .unknown, "the response does not say why; a bare 550 or 554 says nothing about the mailbox"),
    ]
}
