import Model
import Policy

/// What the responses to a group mean.
struct GroupOutcome: Sendable {
    /// Reported to the collector.
    var results: [RecipientResult] = []
    /// Recipients whose messages were never in flight.
    var unsent: [OpenRecipient] = []
    /// Retries that stay in this worker.
    var retries: [RecipientResult] = []
    /// Why some are unsent; nil where we held them back ourselves.
    var problem: ProviderResponse?
    /// Messages with a response, or with the lack of one as their outcome.
    private(set) var answered = 0
    /// Responses that ask us to slow down: of the provider, and of the recipients' domain.
    private(set) var throttled = 0
    private(set) var domainThrottled = 0
    /// The longest Retry-After among them, in seconds.
    private(set) var retryAfter: Double?
    /// Evidence for the circuit breaker.
    private(set) var evidence = CircuitBreaker.Evidence.none
    /// The last response that is the provider's own fault.
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

    /// A message got no connection.
    mutating func noteUnsent(_ item: OpenRecipient, _ response: ProviderResponse) {
        unsent.append(item)
        if problem == nil { evidence.failures += 1 }
        problem = response
    }
}
