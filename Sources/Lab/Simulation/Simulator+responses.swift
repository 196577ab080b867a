import Model
import Policy

extension Simulator {
    /// A cohort that is tried again is split into this many parts at most; each draws its own wait.
    private static let samples = 16

    /// What becomes of messages that were in flight.
    /// - Parameters:
    ///   - spent: attempts spent before.
    ///   - last: when the last of their responses came.
    ///   - refused: the share that a hidden limit refuses.
    /// - Returns: the longest pause that was asked for, in seconds.
    @discardableResult
    mutating func response(_ kind: Int, spent: Int, count: Int, at time: Double, last: Double, refused: Double) -> Double {
        let provider = kinds[kind].provider
        let plan = providers[provider].plan
        var left = count
        var throttled = 0
        var asked = 0.0
        if refused > 0, let hidden = plan.hiddenLimit {
            throttled = random.binomial(left, refused)
            left -= throttled
            let response = ProviderResponse(action: .slowDown, stage: .response, code: 0, text: "", retryAfter: hidden.retryAfter)
            if throttled > 0 { asked = hidden.retryAfter ?? 0 }
            settle(kind, response, spent: spent, count: throttled, at: time, last: last)
        }
        // Each share is taken of the recipients that the shares before it left.
        var rest = 1.0
        for possible in plan.responses where rest > 0 {
            let met = random.binomial(left, min(1, possible.share / rest))
            rest -= possible.share
            left -= met
            if possible.response.action == .slowDown, met > 0 {
                throttled += met
                asked = max(asked, possible.response.retryAfter ?? 0)
            }
            settle(kind, possible.response, spent: spent, count: met, at: time, last: last)
        }
        settle(kind, Self.accepted, spent: spent, count: left, at: time, last: last)
        providers[provider].note(answered: count, throttled: throttled, at: now)
        return asked
    }

    private static let accepted = ProviderResponse(action: .accept, stage: .response, code: 0, text: "")

    /// Applies the rule of `Policy/OutcomeRule` to the response for some recipients.
    private mutating func settle(_ kind: Int, _ response: ProviderResponse, spent: Int, count: Int, at time: Double, last: Double) {
        guard count > 0 else { return }
        let mailing = kinds[kind].mailing
        mailings[mailing].report.responses[response.action.rawValue, default: 0] += count
        mailings[mailing].report.ends = max(mailings[mailing].report.ends ?? 0, last)
        if response.mayHaveArrived { mailings[mailing].report.uncertain += count }
        let samples = response.action.isRetryable ? min(count, Self.samples) : 1
        var results: [RecipientResult] = []
        for sample in 0..<samples {
            let part = count / samples + (sample < count % samples ? 1 : 0)
            results.removeAll(keepingCapacity: true)
            let attempt = OutcomeRule.Attempt(index: 0, response: response, spent: spent, at: Int64(time * 1000))
            mailings[mailing].rule.append(attempt, using: &random, to: &results)
            guard let result = results.last else { continue }
            switch result.state {
            case .deferred: wait(kind, until: Double(result.due) / 1000, from: time, spent: result.attempts, count: part)
            case .expired: mailings[mailing].report.expired += part
            case .uncertain: mailings[mailing].report.held += part
            case .failed: mailings[mailing].report.failed += part
            default: mailings[mailing].report.sent += part
            }
        }
    }

    /// Retries that are due within so many seconds wait in the worker's local retry queue.
    private static let soon = 2.0

    /// - Parameter from: when they were answered.
    private mutating func wait(_ kind: Int, until due: Double, from time: Double, spent: Int, count: Int) {
        var moment = due
        let wait = due - time
        if wait > Self.soon {
            // The ledger gathers retries of a batch for an eighth of the first one's wait, a minute at most. A retry alone waits for all of
            // that time, one among others for a part.
            let mailing = mailings[kinds[kind].mailing]
            let batches = Double(mailing.plan.recipients) / Double(max(1, mailing.plan.batchSize))
            let alike = max(1, Double(kinds[kind].backlog.waitingCount + count) / max(1, batches))
            let part = 1 / alike + (1 - 1 / alike) * Double.random(in: 0...1, using: &random)
            moment += min(wait / 8, 60) * part
        }
        // With many recipients, a retry waits a sixty-fourth of its wait for others.
        let isOne = mailings[kinds[kind].mailing].open <= Self.few
        let grain = isOne ? 0 : max(0.05, (wait / 64).binade)
        kinds[kind].backlog.wait(until: max(moment, now), spent: spent, count: count, grain: grain)
    }
}
