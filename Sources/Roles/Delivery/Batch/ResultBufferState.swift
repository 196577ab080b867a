import Model

/// The results of one batch on their way to the collector. It guarantees that each group has a number of its own, that the closing group
/// is made only after all others were reported, and that none follows it.
struct ResultBufferState: Sendable {
    /// Results in an entry, about.
    static let limit = 250

    private(set) var results: [RecipientResult] = []
    private var sequence = 0
    /// When the first of `results` was added.
    private(set) var since: ContinuousClock.Instant?
    /// Groups on their way to Redis.
    private(set) var sending = 0
    private(set) var isClosed = false
    /// A group could not be reported: its recipients count as started and not done, so the batch must not be closed.
    private(set) var isBroken = false

    /// The group to send now.
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

    /// - Returns: the closing group; nil while others are being sent, or when there must be none.
    mutating func close(_ closing: ResultGroup.Closing) -> Group? {
        guard sending == 0, !isBroken, !isClosed else { return nil }
        isClosed = true
        return take(closing)
    }

    /// A group was reported, or was given up.
    mutating func sent(isReported: Bool) {
        sending -= 1
        if !isReported { isBroken = true }
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
