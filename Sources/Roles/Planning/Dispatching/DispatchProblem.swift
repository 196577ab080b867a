import Model

/// What keeps a dispatcher from dispatching, as the ledger and the log tell of it. A problem is in the ledger once it has lasted for a
/// second, and in the log every ten seconds at most.
struct DispatchProblem {
    typealias Instant = ContinuousClock.Instant

    private static let lasting = Duration.seconds(1)
    private static let interval = Duration.seconds(10)

    private var text: String?
    /// When it began; an older problem with another text counts as the same.
    private var since: Instant?
    /// When the log last told of one.
    private var said: Instant?
    /// What the ledger has.
    private(set) var reported: String?

    /// Notes what keeps batches from being dispatched; nil for nothing.
    mutating func note(_ problem: String?, at now: Instant) {
        if text == nil { since = now }
        text = problem
    }

    /// What the ledger is to have; nil for no problem.
    func toReport(at now: Instant) -> String? {
        guard let since, now - since >= Self.lasting else { return nil }
        return text
    }

    mutating func wasReported(_ problem: String?) { reported = problem }

    /// Whether the log tells of it now.
    mutating func isTimeToSay(at now: Instant) -> Bool {
        if let said, now - said < Self.interval { return false }
        said = now
        return true
    }
}
