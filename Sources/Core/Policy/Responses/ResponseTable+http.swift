import Model

extension ResponseTable {
    /// Status codes are those of RFC 9110 section 15 and RFC 6585.
    static let standardHTTP: [ResponseRule] = [
        rule(200...299, .accepted, "the provider took the message"),
        rule(300...399, .misconfigured, "redirects are not followed: the URL is to be the provider's own"),
        rule(401...401, .misconfigured, "the credentials are missing or wrong"),
        rule(402...402, .misconfigured, "the account is not paid for"),
        ofOne("blocked by the user"), ofOne("user is deactivated"), ofOne("initiate conversation"), ofOne("bot was kicked"),
        rule(403...403, .misconfigured, "the credentials do not allow it"),
        rule(404...405, .misconfigured, "the URL is not one that takes messages"),
        rule(406...407, .misconfigured, "the form of the answer, or a proxy before the provider, is refused"),
        rule(408...408, .temporary, "the provider gave up waiting for the request"),
        rule(409...409, .temporary, "a request with the same idempotency key is still being worked on"),
        rule(410...410, .badRecipient, "the recipient is gone for good"),
        rule(413...413, ifRetryAfter: true, .temporary, "too large for now (RFC 9110 section 15.5.14)"),
        rule(415...415, .misconfigured, "the content type is refused"),
        rule(421...421, .temporary, "the request came by the wrong connection (RFC 9110 section 15.5.20)"),
        rule(423...423, .temporary, "the resource is locked (RFC 4918)"),
        rule(425...425, .temporary, "too early (RFC 8470)"),
        rule(426...426, .misconfigured, "another protocol is asked for"),
        rule(429...429, .throttled, "too many requests (RFC 6585)"),
        rule(400...499, .rejected, "this message is refused"),
        rule(501...501, .misconfigured, "the provider does not know POST"),
        rule(503...503, ifRetryAfter: true, .throttled, "the provider says when it can take more"),
        rule(505...505, .misconfigured, "the provider does not speak this version of HTTP"),
        rule(511...511, .misconfigured, "the network asks for a log-in (RFC 6585)"),
        rule(500...599, .temporary, "the provider failed"),
    ]

    /// Telegram's bots: 403 is about one person there.
    private static func ofOne(_ text: String) -> ResponseRule {
        ResponseRule(
            .http, ResponseRule.Condition(codes: 403...403, text: TextPattern(text)), .badRecipient,
            "a messenger's user who does not want it, or is gone")
    }

    private static func rule(
        _ codes: ClosedRange<Int>, ifRetryAfter needsRetryAfter: Bool = false, _ kind: ResponseClass, _ because: String
    ) -> ResponseRule {
        var condition = ResponseRule.Condition(codes: codes)
        condition.needsRetryAfter = needsRetryAfter
        return ResponseRule(.http, condition, kind, because)
    }
}
