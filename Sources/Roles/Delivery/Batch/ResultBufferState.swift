import Model

/// The results of one batch that wait to be sent to the collector together. It guarantees that each group has a number of its own, that a
/// closing group is made only when all before it are through, and none after it.
struct ResultBufferState: Sendable {
    /// Results in an entry, about.
    static let limit = 250

    private(set) var results: [RecipientResult] = []
    private var sequence = 0
    /// When the first of `results` came.
    private(set) var since: ContinuousClock.Instant?
    /// Groups on their way to Redis.
    private(set) var sending = 0
    private(set) var isClosed = false
    /// A group could not be told: what it had counts as started and not done, so that the batch must not be closed.
    private(set) var isBroken = false

    /// What is to be sent now.
    struct Group: Sendable, Equatable {
        var sequence: Int
        var closing: ResultGroup.Closing
        var results: [RecipientResult]
    }

    /// Adds results.
    /// - Returns: a group when there are enough for one.
    mutating func add(_ more: [RecipientResult], at now: ContinuousClock.Instant) -> Group? {
        guard !more.isEmpty else { return nil }
        results += more
        if since == nil { since = now }
        return results.count >= Self.limit ? take(.open) : nil
    }

    /// - Returns: a group when results have waited for as long as `age`.
    mutating func flush(olderThan age: Duration, at now: ContinuousClock.Instant) -> Group? {
        guard let since, now - since >= age else { return nil }
        return take(.open)
    }

    /// - Returns: the closing group; nil while others are on their way, or when there must be none.
    mutating func close(_ closing: ResultGroup.Closing) -> Group? {
        guard sending == 0, !isBroken, !isClosed else { return nil }
        isClosed = true
        return take(closing)
    }

    /// A group was reported, or was given up.
    mutating func sent(isTold: Bool) {
        sending -= 1
        if !isTold { isBroken = true }
    }

    private mutating func take(_ closing: ResultGroup.Closing) -> Group {
        defer {
            results = []
            sequence += 1
            sending += 1
            since = nil
        }
        return Group(sequence: sequence, closing: closing, results: results)
    }
}
