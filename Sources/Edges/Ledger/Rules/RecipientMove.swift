import Model

/// What a result changes when it moves a recipient: the last error, the counters of responses and the timeline. A pure rule: an engine
/// reads the last error before, and writes the changes. It holds numbers only, so that the common move, from planned to sent, copies no
/// text.
struct RecipientMove: Equatable {
    /// The response that a recipient is counted under, which an engine keeps by a number.
    enum Cause: Equatable {
        /// The last error had it.
        case known(Int64)
        /// That of the result.
        case result
        /// The lifetime was over before the first attempt.
        case neverTried
    }

    enum ErrorChange: Equatable {
        case none, remove
        /// With the cause, the time, when the next attempt is due (0: never) and the attempts spent.
        case store(Cause, at: Int64, due: Int64, attempts: Int)
    }

    var error = ErrorChange.none
    /// The response that counts one recipient less.
    var uncounted: Cause?
    /// The response that is stored with the error counts one more.
    var isCounted = false
    /// Where the timeline counts one more, or one failure less, in milliseconds since 1970.
    var sent: Int64?
    var failed: Int64?
    var unfailed: Int64?
    var deferred: Int64?
    /// The recipient is in another state than before; otherwise only its last error is another.
    var isMove = true

    /// Whether the last error of a recipient in a state says something to the rule.
    static func needsError(_ old: RecipientState) -> Bool { old == .deferred || old == .failed || old == .expired }

    /// - Parameters:
    ///   - old: the state that `BatchProgress.apply` says it came from.
    ///   - before: its last error, where `needsError` asks for it and there is one.
    /// - Returns: nil where the result changes nothing: of two deferrals that of the later attempt holds, whichever comes first.
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
        // Of two failures, too: whichever comes first.
        if !isMove {
            guard let before, (before.attempts, before.at) < (result.attempts, result.at) else { return nil }
        }
        if old == .failed || old == .expired {
            uncounted = before.map { .known($0.failure) } ?? .neverTried
            if old == .failed { unfailed = before?.at }
        }
        if new == .failed || new == .expired {
            // Whose lifetime ends without another attempt keeps the last response.
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
    /// It says that somebody has expired before the time by the ledger. The worker's time came through Redis, and clocks differ: one of two
    /// that says that it is time is enough.
    /// - Parameters:
    ///   - expires: when the mailing's messages expire; nil before it has begun.
    ///   - now: the ledger's time, in milliseconds since 1970.
    func isEarly(expires: Int64?, now: Int64) -> Bool {
        guard state == .expired, let expires else { return false }
        return max(now, at) < expires
    }
}
