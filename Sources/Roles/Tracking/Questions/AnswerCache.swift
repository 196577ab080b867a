import DequeModule
import Model

/// Answers that were given lately, within bounds of bytes and of time. Times are milliseconds of any clock that does not go back.
struct AnswerCache: Sendable {
    private struct Entry {
        /// Nil where no answer is to be kept: the ledger may not know yet what was chosen here.
        var answer: Answer?
        var expires: Int64
        var size: Int
        /// Tells it from an earlier entry of its question.
        var serial: UInt64
        /// What was chosen here: the ledger's answer does not take its place.
        var isOwn: Bool
    }

    /// Bytes at most.
    private let most: Int
    private var entries: [Question: Entry] = [:]
    /// The entries as they came, and some that are gone.
    private var order: Deque<(question: Question, serial: UInt64)> = []
    private var serial: UInt64 = 0
    private(set) var bytes = 0

    /// What an entry takes beside its answer, about.
    private static let overhead = 128

    init(bytes most: Int) { self.most = most }

    var count: Int { entries.count }

    /// How long an answer is kept, in milliseconds.
    static func lifetime(_ question: Question, _ answer: Answer) -> Int64 {
        switch (answer, question.kind) {
        case (.unable, _): 2_000
        case (.gone, _), (.tooLarge, _), (_, .preferences): 60_000
        case (_, .view): 300_000
        case (_, .link): 3_600_000
        }
    }

    subscript(question: Question, at now: Int64) -> Answer? {
        guard let entry = entries[question], entry.expires > now else { return nil }
        return entry.answer
    }

    /// Keeps an answer. What a visitor saved here stays for its time, whatever the ledger answers.
    mutating func put(_ answer: Answer, to question: Question, isOwn: Bool = false, at now: Int64) {
        if !isOwn, let known = entries[question], known.isOwn, known.expires > now { return }
        keep(answer, to: question, isOwn: isOwn, until: now + Self.lifetime(question, answer))
    }

    /// Keeps no answer to a question for a while: what the ledger says may be older than what was chosen here.
    mutating func hold(_ question: Question, at now: Int64) { keep(nil, to: question, isOwn: true, until: now + Self.lag) }

    /// How long a choice takes into the ledger, in milliseconds: far more than it does.
    private static let lag: Int64 = 5_000

    private mutating func keep(_ answer: Answer?, to question: Question, isOwn: Bool, until expires: Int64) {
        forget(question)
        let size = (answer?.size ?? 0) + Self.overhead
        guard size <= most else { return }
        serial += 1
        entries[question] = Entry(answer: answer, expires: expires, size: size, serial: serial, isOwn: isOwn)
        order.append((question, serial))
        bytes += size
        while bytes > most, let oldest = order.popFirst() {
            if entries[oldest.question]?.serial == oldest.serial { forget(oldest.question) }
        }
        if order.count > 2 * entries.count + 64 { order = order.filter { entries[$0.question]?.serial == $0.serial } }
    }

    mutating func forget(_ question: Question) {
        guard let entry = entries.removeValue(forKey: question) else { return }
        bytes -= entry.size
    }
}
