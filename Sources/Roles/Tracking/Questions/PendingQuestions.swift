import DequeModule
import Model

/// What the questions of a tracker may take. Times are in milliseconds.
struct QuestionBounds: Sendable {
    /// Questions on their way at most, and visitors who wait for them.
    var questions = 2_000
    var waiters = 4_000
    /// Bytes of answers that are remembered.
    var cache = 32 << 20
    /// How long a visitor waits, and how long while nothing was answered lately.
    var patience: Int64 = 2_000
    var shortPatience: Int64 = 300
}

/// The questions of a tracker: which are known, on their way, and waited for. It takes the time and says what to do; `QuestionAsker` does
/// it. Times are milliseconds of any clock that does not go back.
///
/// A question that many visitors have at once is asked once. Each waiter gets one answer, or learns within `patience` that there is none.
struct PendingQuestions<Waiter> {
    enum Outcome {
        case known(Answer)
        /// It is answered later.
        case waits(isNew: Bool)
        /// Too many wait already.
        case refused
    }

    private struct Pending {
        var question: Question
        var waiters: [Waiter]
        var deadline: Int64
    }

    /// Questions in a row without an answer after which visitors do not wait long.
    private static var silence: Int { 3 }

    private let bounds: QuestionBounds
    private(set) var cache: AnswerCache
    private var numbers: [Question: UInt64] = [:]
    private var pending: [UInt64: Pending] = [:]
    private var unsent: Deque<UInt64> = []
    /// The numbers in the order in which they were asked, and some that are answered.
    private var order: Deque<UInt64> = []
    private var last: UInt64 = 0
    private var waiters = 0
    private var unanswered = 0
    /// No question is taken any more.
    private(set) var hasEnded = false

    init(_ bounds: QuestionBounds = QuestionBounds()) {
        self.bounds = bounds
        cache = AnswerCache(bytes: bounds.cache)
    }

    var isEmpty: Bool { pending.isEmpty }
    var count: Int { pending.count }

    mutating func ask(_ question: Question, by waiter: Waiter, at now: Int64) -> Outcome {
        if let known = cache[question, at: now] { return .known(known) }
        guard !hasEnded, waiters < bounds.waiters else { return .refused }
        if let number = numbers[question] {
            pending[number]?.waiters.append(waiter)
            waiters += 1
            return .waits(isNew: false)
        }
        guard pending.count < bounds.questions else { return .refused }
        last += 1
        let patience = unanswered >= Self.silence ? bounds.shortPatience : bounds.patience
        pending[last] = Pending(question: question, waiters: [waiter], deadline: now + patience)
        numbers[question] = last
        order.append(last)
        unsent.append(last)
        waiters += 1
        return .waits(isNew: true)
    }

    /// Questions to be sent now.
    mutating func takeUnsent() -> [QuestionBatch.Numbered] {
        var batch: [QuestionBatch.Numbered] = []
        while batch.count < QuestionBatch.most, let number = unsent.popFirst() {
            if let one = pending[number] { batch.append(.init(number, one.question)) }
        }
        return batch
    }

    /// An answer came.
    /// - Returns: who waits for it.
    mutating func answered(_ one: NumberedAnswer, at now: Int64) -> [Waiter] {
        // Also one that comes too late tells that questions are answered: else visitors would not wait long enough for any again.
        unanswered = 0
        guard let found = remove(one.number) else { return [] }
        cache.put(one.answer, to: found.question, at: now)
        return found.waiters
    }

    /// Takes questions that have waited long enough, or could not be sent.
    /// - Returns: who gets no answer.
    mutating func expired(at now: Int64) -> [(question: Question, waiter: Waiter)] {
        var found: [(question: Question, waiter: Waiter)] = []
        while let number = order.first {
            if let one = pending[number] {
                guard one.deadline <= now else { break }
                found += fail(number)
            }
            order.removeFirst()
        }
        return found
    }

    /// A question could not be sent.
    mutating func fail(_ number: UInt64) -> [(question: Question, waiter: Waiter)] {
        guard let one = remove(number) else { return [] }
        unanswered += 1
        return one.waiters.map { (one.question, $0) }
    }

    /// No question is taken any more.
    /// - Returns: who gets no answer.
    mutating func end() -> [(question: Question, waiter: Waiter)] {
        hasEnded = true
        return Array(pending.keys).flatMap { fail($0) }
    }

    /// A recipient chose something, which the ledger may not know for a while.
    mutating func note(_ choice: TrackedEvent, at now: Int64) {
        let question = Question(.preferences, mailing: choice.mailing, batch: choice.batch, index: choice.index)
        guard case .preferences(let known)? = cache[question, at: now] else { return cache.hold(question, at: now) }
        let isWanted = choice.action == .resubscribe
        let own = known.category.isEmpty ? PreferenceChange(all: isWanted) : PreferenceChange(categories: [known.category: isWanted])
        cache.put(.preferences(known.changed(by: choice.change ?? own)), to: question, isOwn: true, at: now)
    }

    private mutating func remove(_ number: UInt64) -> Pending? {
        guard let one = pending.removeValue(forKey: number) else { return nil }
        numbers[one.question] = nil
        waiters -= one.waiters.count
        return one
    }
}
