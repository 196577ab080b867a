import Model
import Policy

/// The life of a batch in flight: what has become of each recipient, and what may happen next. It guarantees that in one
/// dispatch no recipient gets two results (an entry on the list of the uncertain is none), that nothing starts after the batch has ended
/// here, and that it is closed only when each recipient has a result or is certainly not started. Indexes are places in the batch.
struct BatchState: Sendable, Hashable {
    /// The state of a recipient in this dispatch.
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

    /// How the batch is closed once none of its messages is in flight.
    struct Closing: Sendable, Equatable {
        /// The last results of recipients that get no newer one.
        var results: [RecipientResult]
        /// `done`: each recipient has a result; `released`: the others go back, not started.
        var closing: ResultGroup.Closing
    }

    /// By place in the batch; nil for recipients that are not part of this dispatch.
    private var phases: [Phase?]
    /// Attempts spent, by place in the batch.
    private var attempts: [Int]
    /// The results of last attempts that are reported only if no newer ones come, by place in the batch: few have one.
    private var last: [Int: RecipientResult] = [:]
    /// Nothing more starts here.
    private(set) var isEnded = false
    private(set) var isClosed = false

    /// - Parameter open: the recipients of this dispatch.
    init(_ open: [OpenRecipient]) {
        let count = 1 + (open.lazy.map(\.index).max() ?? -1)
        phases = Array(repeating: nil, count: count)
        attempts = Array(repeating: 0, count: count)
        for one in open where one.index >= 0 {
            phases[one.index] = .waiting
            attempts[one.index] = one.attempts
        }
    }

    func phase(of index: Int) -> Phase? { phases.indices.contains(index) ? phases[index] : nil }

    /// The waiting recipients among some, with the attempts spent on them.
    func waiting(among indexes: some Sequence<Int>) -> [OpenRecipient] {
        indexes.compactMap { phase(of: $0) == .waiting ? OpenRecipient(index: $0, attempts: attempts[$0]) : nil }
    }

    /// When all retries among some recipients are due, in milliseconds since 1970; nil where there are none.
    func retryDue(among indexes: some Sequence<Int>) -> Int64? {
        guard !last.isEmpty else { return nil }
        return indexes.lazy.filter { phase(of: $0) == .resting }.compactMap { last[$0]?.due }.max()
    }

    // MARK: - Events

    /// Messages are about to be started: Redis is asked to mark them.
    /// - Returns: false when they must not be: the batch has ended here, or one of them is not waiting.
    mutating func start(_ indexes: [Int]) -> Bool {
        guard !isEnded, !isClosed, indexes.allSatisfy({ phase(of: $0) == .waiting }) else { return false }
        set(indexes, .started)
        return true
    }

    /// Redis did not allow the start: the batch is another worker's now, or its mailing does not send.
    mutating func refuse(_ indexes: [Int]) {
        hold(indexes)
        isEnded = true
    }

    /// Redis did not allow the start for now, and marked nobody.
    mutating func hold(_ indexes: [Int]) { set(indexes.filter { phase(of: $0) == .started }, .waiting) }

    /// Attempts have ended with results.
    /// - Returns: the results to be reported: for a recipient that was settled before there is none.
    mutating func settle(_ results: [RecipientResult]) -> [RecipientResult] {
        results.filter { result in
            guard let phase = phase(of: result.index), phase != .settled else { return false }
            // Listed as uncertain because it is sent again: no result.
            if result.state != .uncertain || result.due == 0 { settle(result.index) }
            return true
        }
    }

    private mutating func settle(_ index: Int) {
        phases[index] = .settled
        if !last.isEmpty { last[index] = nil }
    }

    /// Marks were taken back: none of these messages is in flight.
    /// - Parameters:
    ///   - unsent: recipients whose messages were not sent.
    ///   - retries: the results of those that are tried again here.
    mutating func unmark(unsent: [Int], retries: [RecipientResult]) {
        set(unsent.filter { phase(of: $0) == .started }, .waiting)
        for result in retries where phase(of: result.index) == .started {
            phases[result.index] = .resting
            attempts[result.index] = result.attempts
            last[result.index] = result
        }
    }

    /// Marks could not be taken back, and the command may still arrive: nothing of the batch may start after it.
    mutating func failToUnmark(unsent: [Int], retries: [RecipientResult]) {
        unmark(unsent: unsent, retries: retries)
        isEnded = true
    }

    /// Retries are due.
    mutating func resume(_ indexes: some Sequence<Int>) {
        for index in indexes where phase(of: index) == .resting { phases[index] = .waiting }
    }

    /// The mailing's lifetime has ended: waiting recipients expire.
    /// - Parameter now: milliseconds since 1970.
    /// - Returns: the results to be reported.
    mutating func expire(_ indexes: some Sequence<Int>, now: Int64) -> [RecipientResult] {
        var results: [RecipientResult] = []
        for index in indexes {
            guard let phase = phase(of: index), phase == .waiting || phase == .resting else { continue }
            results.append(
                RecipientResult(index: index, state: .expired, attempts: attempts[index], at: now, response: last[index]?.response))
            settle(index)
        }
        return results
    }

    /// Nothing more is to start here: the worker stops, its lease has expired, or the mailing does not send.
    mutating func end() { isEnded = true }

    /// Closes the batch.
    /// - Returns: nil while a message may be in flight.
    mutating func close() -> Closing? {
        guard !isClosed, !phases.contains(.started) else { return nil }
        isEnded = true
        isClosed = true
        let results = last.values.sorted { $0.index < $1.index }
        for result in results { settle(result.index) }
        let isDone = phases.allSatisfy { $0 == nil || $0 == .settled }
        return Closing(results: results, closing: isDone ? .done : .released)
    }

    private mutating func set(_ indexes: [Int], _ phase: Phase) {
        for index in indexes where phases.indices.contains(index) && phases[index] != nil { phases[index] = phase }
    }
}
