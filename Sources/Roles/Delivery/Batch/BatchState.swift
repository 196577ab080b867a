import Model
import Policy

/// The life of a batch in a worker's hands: what has become of each recipient, and what may happen next. It guarantees that in one
/// dispatch no recipient gets two results (an entry on the list of the uncertain is none), that nothing starts after the batch has ended
/// here, and that it is closed only when each recipient has a result or is certainly not started. Indexes are places in the batch.
struct BatchState: Sendable, Hashable {
    /// Where a recipient stands in this dispatch.
    enum Phase: Sendable, Hashable {
        /// Not started, or its mark was taken back.
        case waiting
        /// Marked as started in Redis, or about to be: its message may be in flight.
        case started
        /// Tried, and tried again here when its retry is due; its mark was taken back.
        case resting
        /// It has its result.
        case settled
    }

    private struct Recipient: Sendable, Hashable {
        var phase = Phase.waiting
        /// Attempts spent.
        var attempts: Int
        /// The result of its last attempt, reported only if no newer one comes.
        var last: RecipientResult?
    }

    /// What is to be done with the batch when nothing of it is started any more.
    struct Closing: Sendable, Equatable {
        /// Results of recipients that no newer one will come for.
        var results: [RecipientResult]
        /// `done`: each recipient has a result; `released`: the others go back, not started.
        var closing: ResultGroup.Closing
    }

    private var recipients: [Int: Recipient]
    /// Nothing more starts here.
    private(set) var isEnded = false
    private(set) var isClosed = false

    /// - Parameter open: whom this dispatch is for.
    init(_ open: [OpenRecipient]) {
        recipients = Dictionary(open.map { ($0.index, Recipient(attempts: $0.attempts)) }) { first, _ in first }
    }

    func phase(of index: Int) -> Phase? { recipients[index]?.phase }

    /// Those of some that are waiting, with the attempts spent on them.
    func waiting(among indexes: some Sequence<Int>) -> [OpenRecipient] {
        indexes.compactMap { index in
            guard let one = recipients[index], one.phase == .waiting else { return nil }
            return OpenRecipient(index: index, attempts: one.attempts)
        }
    }

    /// When all of some that rest may be tried again, in milliseconds since 1970; nil where none rests.
    func retryDue(among indexes: some Sequence<Int>) -> Int64? {
        indexes.reduce(nil) { due, index in
            guard let one = recipients[index], one.phase == .resting, let last = one.last else { return due }
            return max(due ?? last.due, last.due)
        }
    }

    // MARK: - Events

    /// Messages are about to be started: Redis is asked to mark them.
    /// - Returns: false when they must not be: the batch has ended here, or one of them is not waiting.
    mutating func start(_ indexes: [Int]) -> Bool {
        guard !isEnded, !isClosed, indexes.allSatisfy({ recipients[$0]?.phase == .waiting }) else { return false }
        set(indexes, .started)
        return true
    }

    /// Redis did not allow the start: the batch is another worker's now, or its mailing does not send.
    mutating func refuse(_ indexes: [Int]) {
        set(indexes.filter { recipients[$0]?.phase == .started }, .waiting)
        isEnded = true
    }

    /// Attempts have ended with results.
    /// - Returns: the results to be reported: for a recipient that was settled before there is none.
    mutating func settle(_ results: [RecipientResult]) -> [RecipientResult] {
        results.filter { result in
            guard let one = recipients[result.index] else { return false }
            // Listed as uncertain because it is sent again: no result.
            if result.state == .uncertain, result.due > 0 { return one.phase != .settled }
            guard one.phase != .settled else { return false }
            recipients[result.index]?.phase = .settled
            recipients[result.index]?.last = nil
            return true
        }
    }

    /// Their marks were taken back: nothing of them is in flight.
    /// - Parameters:
    ///   - unsent: were not sent.
    ///   - retries: the results of those that are tried again here.
    mutating func unmark(unsent: [Int], retries: [RecipientResult]) {
        set(unsent.filter { recipients[$0]?.phase == .started }, .waiting)
        for result in retries where recipients[result.index]?.phase == .started {
            recipients[result.index] = Recipient(phase: .resting, attempts: result.attempts, last: result)
        }
    }

    /// Their marks could not be taken back, and the command may still arrive: none of the batch must be started after it.
    mutating func failToUnmark(unsent: [Int], retries: [RecipientResult]) {
        unmark(unsent: unsent, retries: retries)
        isEnded = true
    }

    /// The time of their retry has come.
    mutating func resume(_ indexes: some Sequence<Int>) {
        for index in indexes where recipients[index]?.phase == .resting { recipients[index]?.phase = .waiting }
    }

    /// The mailing's lifetime is over: who waits has expired.
    /// - Parameter now: milliseconds since 1970.
    /// - Returns: the results to be reported.
    mutating func expire(_ indexes: some Sequence<Int>, now: Int64) -> [RecipientResult] {
        var results: [RecipientResult] = []
        for index in indexes {
            guard let one = recipients[index], one.phase == .waiting || one.phase == .resting else { continue }
            results.append(
                RecipientResult(index: index, state: .expired, attempts: one.attempts, at: now, response: one.last?.response))
            recipients[index]?.phase = .settled
            recipients[index]?.last = nil
        }
        return results
    }

    /// Nothing more is to start here: the worker stops, its lease has expired, or the mailing does not send.
    mutating func end() { isEnded = true }

    /// Closes the batch.
    /// - Returns: nil while a message may be in flight.
    mutating func close() -> Closing? {
        guard !isClosed, recipients.values.allSatisfy({ $0.phase != .started }) else { return nil }
        isEnded = true
        isClosed = true
        var results: [RecipientResult] = []
        var isDone = true
        for (index, one) in recipients where one.phase != .settled {
            if let last = one.last {
                results.append(last)
                recipients[index]?.phase = .settled
                recipients[index]?.last = nil
            } else {
                isDone = false
            }
        }
        return Closing(results: results.sorted { $0.index < $1.index }, closing: isDone ? .done : .released)
    }

    private mutating func set(_ indexes: [Int], _ phase: Phase) {
        for index in indexes { recipients[index]?.phase = phase }
    }
}
