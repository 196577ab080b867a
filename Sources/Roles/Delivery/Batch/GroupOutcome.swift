import Model
import Policy

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
    /// What it says of whether the provider is there.
    private(set) var evidence = CircuitBreaker.Evidence.none
    /// The last answer that is the provider's own fault.
    private(set) var failure: ProviderResponse?

    /// Every attempt that ended.
    var all: [RecipientResult] { retries.isEmpty ? results : results + retries }

    /// - Parameter isRetry: its recipient was tried before.
    mutating func count(_ response: ProviderResponse, isRetry: Bool) {
        answered += 1
        switch response.action {
        case .slowDown:
            throttled += 1
            retryAfter = max(retryAfter ?? 0, response.retryAfter ?? 0)
        case .slowDownDomain: domainThrottled += 1
        default: break
        }
        if response.isProviderFault {
            evidence.failures += 1
            if isRetry { evidence.failedRetries += 1 }
            failure = response
        } else {
            evidence.successes += 1
        }
    }

    /// No connection was to be had for a message.
    mutating func noteUnsent(_ item: OpenRecipient, _ response: ProviderResponse) {
        unsent.append(item)
        if problem == nil { evidence.failures += 1 }
        problem = response
    }
}
