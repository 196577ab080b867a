package import Model

/// How long a message waits after each kind of response.
package struct RetryRules: Sendable, Equatable {
    /// Refused for now, for this message.
    package var temporary: RetrySchedule
    /// No response, or the connection was lost.
    package var unreachable: RetrySchedule
    /// The provider asks us to slow down; spends no attempt. The scope's adaptive rate slows down, not the message.
    package var throttled: RetrySchedule = .rest(0.5...1.5)
    /// The recipient's domain asks to slow down; spends no attempt. It may be a domain without a limit of ours, so that nothing
    /// but this wait keeps us from asking it again and again.
    package var domainThrottled: RetrySchedule = .rest(30...90)
    /// Our own set-up is refused; spends no attempt. The mailing pauses; this wait keeps its other messages until then.
    package var paused: RetrySchedule = .rest(5...15)

    /// For mail servers, minutes to hours (RFC 5321 section 4.5.4.1). Grey-listing (RFC 6647) refuses a first retry that comes
    /// before some five minutes, and full jitter from nothing would spend half of the first retries on that: hence a least
    /// wait, as long as Postfix' `minimal_backoff_time`, and full jitter above it.
    package static let smtp = RetryRules(
        temporary: RetrySchedule(least: 300, base: 900, cap: 4 * 3600),
        unreachable: RetrySchedule(base: 60, cap: 3600))
    /// For HTTP providers, which come back within seconds to minutes.
    package static let http = RetryRules(
        temporary: RetrySchedule(least: 1, base: 5, cap: 600), unreachable: RetrySchedule(least: 1, base: 5, cap: 600))

    package init(temporary: RetrySchedule, unreachable: RetrySchedule) {
        self.temporary = temporary
        self.unreachable = unreachable
    }

    /// The channel's rules.
    /// - Parameter override: an operator's schedule for what spends attempts.
    package init(for channel: Channel, override: RetrySchedule? = nil) {
        self = channel == .email ? .smtp : .http
        if let override {
            temporary = override
            unreachable = override
        }
    }

    /// The longest Retry-After that counts, in seconds.
    static let longest = 366 * 86_400.0

    /// Seconds to wait after a response, at random; never less than the provider asked for (Retry-After), and then up to a tenth
    /// of that longer, from a second to a minute, so that a fleet does not come back all at once.
    /// - Parameter attempt: attempts spent so far, from 1, with this one where it spends one.
    package func delay(
        after response: ProviderResponse, attempt: Int, using generator: inout some RandomNumberGenerator
    ) -> Double {
        let own = schedule(for: response.action).delay(afterAttempt: attempt, using: &generator)
        guard let asked = response.retryAfter, asked > 0 else { return own }
        let wait = min(asked, Self.longest)
        let later = wait + Double.random(in: 0...min(max(wait / 10, 1), 60), using: &generator)
        // Where an attempt is spent, the longer wait counts; otherwise Retry-After does.
        switch response.action {
        case .retry, .reconnect: return max(own, later)
        default: return later
        }
    }

    /// Seconds to wait after a refusal before anybody of the mailing was accepted: half the age of the mailing, so that a few are tried
    /// again soon, and never often.
    /// - Parameter age: milliseconds since the mailing began.
    static func delayBeforeAcceptance(age: Int64, using generator: inout some RandomNumberGenerator) -> Double {
        min(max(Double(age) / 2000, 4), 900) * Double.random(in: 1...1.5, using: &generator)
    }

    /// Seconds to wait after a refusal while nobody is accepted: long enough for other responses to show whether everybody is refused.
    static func delaySinceAcceptance(using generator: inout some RandomNumberGenerator) -> Double {
        Double.random(in: 8...12, using: &generator)
    }

    private func schedule(for action: ResponseAction) -> RetrySchedule {
        switch action {
        case .reconnect: unreachable
        case .slowDown: throttled
        case .slowDownDomain: domainThrottled
        case .pauseMailing: paused
        case .accept, .retry, .fail, .count: temporary
        }
    }
}
