package import Model

/// What the status codes of HTTP (RFC 9110 section 15, RFC 6585) mean for a message.
package enum HTTPClassification {
    /// One rule: the first that fits a status decides.
    package struct Rule: Sendable {
        package let statuses: ClosedRange<Int>
        /// Whether it holds only for answers that name a wait (Retry-After, RFC 9110 section 10.2.3).
        package let needsRetryAfter: Bool
        package let kind: AnswerClass
        package let because: String

        init(
            _ statuses: ClosedRange<Int>, _ kind: AnswerClass, ifRetryAfter needsRetryAfter: Bool = false,
            _ because: String
        ) {
            self.statuses = statuses
            self.needsRetryAfter = needsRetryAfter
            self.kind = kind
            self.because = because
        }
    }

    package static let rules: [Rule] = [
        Rule(200...299, .accepted, "the provider took the message"),
        Rule(300...399, .misconfigured, "redirects are not followed: the URL is to be the provider's own"),
        Rule(401...401, .misconfigured, "the credentials are missing or wrong"),
        Rule(402...402, .misconfigured, "the account is not paid for"),
        Rule(403...403, .misconfigured, "the credentials do not allow it"),
        Rule(404...405, .misconfigured, "the URL is not one that takes messages"),
        Rule(406...407, .misconfigured, "the form of the answer, or a proxy before the provider, is refused"),
        Rule(408...408, .temporary, "the provider gave up waiting for the request"),
        Rule(409...409, .temporary, "a request with the same idempotency key is still being worked on"),
        Rule(410...410, .badRecipient, "the recipient is gone for good"),
        Rule(413...413, .temporary, ifRetryAfter: true, "too large for now (RFC 9110 section 15.5.14)"),
        Rule(415...415, .misconfigured, "the content type is refused"),
        Rule(421...421, .temporary, "the request came by the wrong connection (RFC 9110 section 15.5.20)"),
        Rule(423...423, .temporary, "the resource is locked (RFC 4918)"),
        Rule(425...425, .temporary, "too early (RFC 8470)"),
        Rule(426...426, .misconfigured, "another protocol is asked for"),
        Rule(429...429, .throttled, "too many requests (RFC 6585)"),
        Rule(400...499, .rejected, "this message is refused"),
        Rule(501...501, .misconfigured, "the provider does not know POST"),
        Rule(503...503, .throttled, ifRetryAfter: true, "the provider says when it can take more"),
        Rule(505...505, .misconfigured, "the provider does not speak this version of HTTP"),
        Rule(511...511, .misconfigured, "the network asks for a log-in (RFC 6585)"),
        Rule(500...599, .temporary, "the provider failed"),
    ]

    /// Classifies a final status by the first rule that fits; a status that HTTP does not know (below 200, above 599)
    /// is `.temporary`.
    package static func classify(status: Int, hasRetryAfter: Bool) -> AnswerClass {
        if (200...299).contains(status) { return .accepted }
        for rule in rules where rule.statuses.contains(status) && (hasRetryAfter || !rule.needsRetryAfter) {
            return rule.kind
        }
        return .temporary
    }
}
