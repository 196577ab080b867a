import Model

/// What the responses to a group mean.
struct GroupOutcome: Sendable {
    /// Reported to the collector.
    var results: [RecipientResult] = []
    /// Nothing of them was in flight.
    var unsent: [OpenRecipient] = []
    /// Tried again here in a moment.
    var retries: [RecipientResult] = []
    /// Why some are unsent; nil where only we held them back.
    var problem: ProviderResponse?
    /// Messages that the provider answered, of whatever kind, or failed to.
    private(set) var answered = 0
    /// Answers that ask us to slow down: the provider's, and those of the recipients' domain.
    private(set) var throttled = 0
    private(set) var domainThrottled = 0
    /// The longest wait that was asked for with them, in seconds.
    private(set) var retryAfter: Double?
    /// Answers that are the provider's own fault, and the last of them.
    private(set) var failures = 0
    private(set) var failure: ProviderResponse?
    /// Responses that only a provider at work gives.
    private(set) var successes = 0

    /// Every attempt that ended.
    var all: [RecipientResult] { retries.isEmpty ? results : results + retries }

    mutating func count(_ response: ProviderResponse) {
        answered += 1
        switch response.action {
        case .slowDown:
            throttled += 1
            retryAfter = max(retryAfter ?? 0, response.retryAfter ?? 0)
        case .slowDownDomain: domainThrottled += 1
        default: break
        }
        if response.isProviderFault {
            failures += 1
            failure = response
        } else {
            successes += 1
        }
    }

    /// No connection was to be had for a message.
    mutating func noteUnsent(_ item: OpenRecipient, _ response: ProviderResponse) {
        unsent.append(item)
        if problem == nil { failures += 1 }
        problem = response
    }
}
