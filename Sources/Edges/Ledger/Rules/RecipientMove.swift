import Model

/// What a result changes when it moves a recipient: the last error, the counters of responses and the timeline. A pure rule: an engine
/// reads the last error before, and writes the changes. It holds numbers only, so that the common move, from planned to sent, copies no
/// text.
struct RecipientMove: Equatable {
    /// The response that a recipient is counted under, which an engine keeps by a number.
    enum Cause: Equatable {
        /// The response of the last error.
        case known(Int64)
        /// The response of the result.
        case result
        /// The lifetime had ended before the first attempt.
        case neverTried
    }

    enum ErrorChange: Equatable {
        case none, remove
        /// With the cause, the time, when the next attempt is due (0: never) and the attempts spent.
        case store(Cause, at: Int64, due: Int64, attempts: Int)
    }

    var error = ErrorChange.none
    /// The response that one recipient less is counted under.
    var uncounted: Cause?
    /// One recipient more is counted under the response that is stored with the error.
    var isCounted = false
    /// The time at which the timeline counts one more, or one failure less, in milliseconds since 1970.
    var sent: Int64?
    var failed: Int64?
    var unfailed: Int64?
    var deferred: Int64?
    /// The recipient has a new state; otherwise only its last error has changed.
    var isMove = true

    /// Whether the rule needs the last error of a recipient in a state.
    static func needsError(_ old: RecipientState) -> Bool { old == .deferred || old == .failed || old == .expired }

    /// - Parameters:
    ///   - old: the state that `BatchProgress.apply` says it came from.
    ///   - before: its last error, where `needsError` asks for it and there is one.
    /// - Returns: nil where the result changes nothing. Of two deferrals the one of the later attempt holds, in whichever order they come.
    init?(_ result: RecipientResult, from old: RecipientState, error before: LastError?) {
        let new = result.state
        if new == .deferred {
            let due = max(result.due, 1)
            if let before, (before.attempts, before.due) >= (result.attempts, due) { return nil }
            error = .store(.result, at: result.at, due: due, attempts: result.attempts)
            deferred = result.at
            isMove = old != .deferred
            return
        }
        isMove = new != old
        // The same holds of two failures.
        if !isMove {
            guard let before, (before.attempts, before.at) < (result.attempts, result.at) else { return nil }
        }
        if old == .failed || old == .expired {
            uncounted = before.map { .known($0.failure) } ?? .neverTried
            if old == .failed { unfailed = before?.at }
        }
        if new == .failed || new == .expired {
            // A recipient whose lifetime ends without another attempt keeps its last response.
            let cause: Cause = result.response == nil ? before.map { .known($0.failure) } ?? .result : .result
            isCounted = true
            error = .store(cause, at: result.at, due: 0, attempts: result.attempts)
            if new == .failed { failed = result.at }
        } else if before != nil {
            error = .remove
        }
        if new.rank >= RecipientState.sent.rank, old.rank < RecipientState.sent.rank { sent = result.at }
    }
}

extension RecipientResult {
    /// Whether a recipient is reported as expired too early, by the ledger's time. The worker's time comes through Redis, and clocks
    /// differ: it is enough that one of the two says that it is time.
    /// - Parameters:
    ///   - expires: when the mailing's messages expire; nil before it has begun.
    ///   - now: the ledger's time, in milliseconds since 1970.
    func isEarly(expires: Int64?, now: Int64) -> Bool {
        guard state == .expired, let expires else { return false }
        return max(now, at) < expires
    }
}
