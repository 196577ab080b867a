package import Model

/// Decides the result of a recipient after a response. It is pure, so that retries can be tested and simulated.
package struct OutcomeRule: Sendable {
    /// Attempts at most.
    package var attempts: Int
    /// When the mailing's messages expire, in milliseconds since 1970.
    package var expires: Int64
    package var retries: RetryRules
    /// What happens to a message that may have arrived.
    package var uncertain: Mailing.UncertainPolicy
    /// When the mailing began, in milliseconds since 1970.
    package var began: Int64

    package init(
        attempts: Int, began: Int64 = 0, expires: Int64, retries: RetryRules, uncertain: Mailing.UncertainPolicy = .redeliver
    ) {
        self.attempts = attempts
        self.began = began
        self.expires = expires
        self.retries = retries
        self.uncertain = uncertain
    }

    /// One attempt on a recipient, and what its response has to be judged by.
    package struct Attempt: Sendable {
        /// The recipient's place in its batch.
        package var index: Int
        package var response: ProviderResponse
        /// Attempts spent before this one.
        package var spent: Int
        /// When the response came, in milliseconds since 1970.
        package var at: Int64
        /// The provider's circuit breaker is open: a failure that is the provider's fault spends no attempt.
        package var isOutage = false
        /// Why a refusal that may be everybody's fails nobody for now; nil where it does.
        package var doubt: RefusalDoubt?

        package init(index: Int, response: ProviderResponse, spent: Int, at: Int64) {
            self.index = index
            self.response = response
            self.spent = spent
            self.at = at
        }
    }

    /// Appends what an attempt comes to: one result, or two where the message may have arrived and is sent again.
    package func append(
        _ attempt: Attempt, using generator: inout some RandomNumberGenerator, to results: inout [RecipientResult]
    ) {
        let (response, spent) = (attempt.response, attempt.spent)
        if response.mayHaveArrived {
            let isLast = spent + 1 >= attempts
            var listed = uncertain(attempt)
            if isLast, uncertain == .redeliver {
                // A recipient that may have the message does not count as failed.
                listed.due = 0
                listed.response?.text += "; no attempt is left"
            }
            results.append(listed)
            if isLast || uncertain == .hold { return }
        }
        results.append(result(of: attempt, using: &generator))
    }

    /// The result of a message that was not tried, because its limit has no start time for it soon. No attempt is spent.
    /// - Parameter wait: seconds until its turn.
    package func postponed(index: Int, spent: Int, wait: Double, why: String, now: Int64) -> RecipientResult {
        // Earlier by the time over which a ledger gathers due recipients (`LastError.gathering`). Nobody's turn is after the expiry.
        let due = now + Int64(max(wait * 8 / 9, wait - 60) * 1000)
        return RecipientResult(
            index: index, state: .deferred, attempts: spent, at: now, due: max(now, min(due, expires - 1)),
            response: ProviderResponse(action: .slowDownDomain, stage: .connect, code: 0, text: why))
    }

    /// A message that may have arrived: held, or only put on the list because it is sent again.
    package func uncertain(_ attempt: Attempt) -> RecipientResult {
        RecipientResult(
            index: attempt.index, state: .uncertain, attempts: attempt.spent, at: attempt.at, due: uncertain == .hold ? 0 : attempt.at,
            response: attempt.response)
    }

    /// The result where the message did not arrive, or is sent again although it may have arrived.
    func result(of attempt: Attempt, using generator: inout some RandomNumberGenerator) -> RecipientResult {
        let (response, spent, doubt) = (attempt.response, attempt.spent, attempt.doubt)
        var result = RecipientResult(
            index: attempt.index, state: .failed, attempts: spent + 1, at: attempt.at, response: response)
        switch response.action {
        case .accept: result.state = .sent
        case .fail: end(&result, response, doubt, using: &generator)
        case .slowDown where response.subject == .everybody && doubt == .beforeAcceptance:
            end(&result, response, doubt, using: &generator)
        case .slowDown, .slowDownDomain:
            // Not the fault of the recipient: no attempt is spent.
            result.attempts = spent
            if response.subject == .everybody, response.code >= 500 { result.doubt = .ofUs }
            deferred(&result, response, using: &generator)
        case .pauseMailing where response.subject == .everybody:
            result.attempts = spent
            deferred(&result, response, using: &generator)
        case .pauseMailing where doubt != nil:
            end(&result, response, doubt, using: &generator)
            // A few of them are enough to pause the mailing.
            if doubt == .sinceAcceptance, result.state == .deferred { result.doubt = .ofUs }
        case .retry, .reconnect, .pauseMailing, .count:
            if response.action == .pauseMailing { result.doubt = .ofUs }
            // A message that may have arrived is a copy: a provider that is down for long takes no more of them than there are attempts.
            if attempt.isOutage, response.isProviderFault, !response.mayHaveArrived {
                result.attempts = spent
            } else if result.attempts >= attempts {
                end(&result, response, doubt == .beforeAcceptance ? doubt : nil, using: &generator)
                break
            }
            deferred(&result, response, using: &generator)
        }
        if result.state != .deferred { result.doubt = nil }
        return result
    }

    /// The end of a recipient, or a wait until it is known that the refusal is not everybody's. No attempt is spent on that.
    private func end(
        _ result: inout RecipientResult, _ response: ProviderResponse, _ doubt: RefusalDoubt?,
        using generator: inout some RandomNumberGenerator
    ) {
        guard let doubt, response.subject != .recipient, response.action != .reconnect else { return }
        result.attempts -= 1
        let seconds =
            doubt == .beforeAcceptance
            ? RetryRules.delayBeforeAcceptance(age: result.at - began, using: &generator)
            : RetryRules.delaySinceAcceptance(using: &generator)
        wait(&result, seconds)
        if result.state == .deferred { result.doubt = doubt }
    }

    /// Another attempt later, or the end where that would come after the mailing's.
    private func deferred(
        _ result: inout RecipientResult, _ response: ProviderResponse, using generator: inout some RandomNumberGenerator
    ) {
        // A refusal that we have to repair ourselves, met behind others who were accepted, is tried again like a passing one.
        var response = response
        if result.doubt == .ofUs { response.action = .retry }
        wait(&result, retries.delay(after: response, attempt: max(1, result.attempts), using: &generator))
    }

    private func wait(_ result: inout RecipientResult, _ seconds: Double) {
        let due = result.at + Int64((seconds * 1000).rounded(.up))
        if due >= expires {
            result.state = .expired
        } else {
            result.state = .deferred
            result.due = due
        }
    }
}
