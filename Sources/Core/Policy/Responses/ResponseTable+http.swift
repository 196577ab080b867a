import Model

extension ResponseTable {
    /// Status codes are those of RFC 9110 section 15 and RFC 6585. What providers say in words is believed before their codes; a bare 404
    /// or 410 may be a wrong URL, until somebody of the mailing has been accepted.
    static let standardHTTP: [ResponseRule] = [
        http(200...299, .accepted, "the provider took the message"),
        http(300...399, .setUp, "redirects are not followed: the URL is to be the provider's own"),
        http(401...401, .setUp, "the credentials are missing or wrong"),
        http(402...402, .setUp, "the account is not paid for"),
        http(
            403...403, says: ["blocked by the user", "user is deactivated", "initiate conversation", "bot was kicked"], .inactive,
            "a messenger's user who does not want it, or is gone"),
        http(
            400...499,
            says: [
                "invalid api key", "invalid access token", "invalid token", "invalid credentials", "invalid sender", "sender not allowed",
                "sender id", "insufficient credit", "insufficient balance", "insufficient funds", "out of credit", "no credits",
                "account suspended", "account is suspended", "trial account", "not enough balance", "payment issue",
            ], .setUp, "our account, its key or its sender"),
        http(
            400...499,
            says: [
                "invalid phone", "invalid recipient", "not a valid phone", "recipient not found", "chat not found", "unknown subscriber",
                "invalidregistration", "notregistered", "baddevicetoken", "not a valid * registration token",
            ], .unknownUser, "the provider knows no such number, chat or device"),
        http(
            400...499,
            says: [
                "invalid number", "number is invalid", "not a valid number", "invalid registration", "not registered", "unregistered",
                "no such user", "unknown user", "user not found", "does not exist",
            ], .unknownUser, certainty: .whereRecipientIsNamed, "no such recipient, where the text says that it is one"),
        http(400...400, ofUs: true, .policy, action: .pauseMailing, "a gateway speaks of our side, such as the sender or a template"),
        http(404...404, ofUs: true, .policy, action: .pauseMailing, "the same"),
        http(422...422, ofUs: true, .policy, action: .pauseMailing, "the same"),
        http(403...403, .policy, action: .pauseMailing, "the credentials do not allow it, or the recipient does not"),
        http(404...404, .unknownUser, "the recipient is not known; of everybody, the URL is wrong"),
        http(405...405, .setUp, "the URL is not one that takes messages"),
        http(406...407, .setUp, "the form of the response, or a proxy before the provider, is refused"),
        http(408...408, .system, action: .retry, "the provider gave up waiting for the request"),
        http(409...409, .system, action: .retry, "a request with the same idempotency key is still being worked on"),
        http(410...410, .unknownUser, "the recipient is gone for good; of everybody, the URL is"),
        http(413...413, ifRetryAfter: true, .tooLarge, action: .retry, "too large for now (RFC 9110 section 15.5.14)"),
        http(413...413, .tooLarge, "the message is too large"),
        http(415...415, .setUp, "the content type is refused"),
        http(421...421, .network, action: .retry, "the request came by the wrong connection (RFC 9110 section 15.5.20)"),
        http(423...423, .system, action: .retry, "the resource is locked (RFC 4918)"),
        http(425...425, .system, action: .retry, "too early (RFC 8470)"),
        http(426...426, .setUp, "another protocol is asked for"),
        http(429...429, .rate, "too many requests (RFC 6585)"),
        http(451...451, .policy, "refused for legal reasons (RFC 7725)"),
        http(400...499, .content, "this message is refused"),
        http(501...501, .setUp, "the provider does not know POST"),
        http(503...503, ifRetryAfter: true, .rate, "the provider says when it can take more"),
        http(505...505, .setUp, "the provider does not speak this version of HTTP"),
        http(511...511, .setUp, "the network asks for a log-in (RFC 6585)"),
        http(500...599, .system, "the provider failed"),
    ]

    private static func http(
        _ codes: ClosedRange<Int>, ifRetryAfter needsRetryAfter: Bool = false, ofUs: Bool = false, says texts: [String] = [],
        _ reason: ResponseReason,
        action: ResponseAction? = nil, certainty: ResponseRule.Certainty = .always, _ because: String
    ) -> ResponseRule {
        var condition = ResponseRule.Condition(codes: codes, texts: texts.map { TextPattern(known: $0) })
        condition.needsRetryAfter = needsRetryAfter
        condition.speaksOfUs = ofUs
        return ResponseRule(.http, condition, reason, action: action, certainty: certainty, because)
    }
}
