import Model
import TestServers
import Testing

@testable import Tracking

/// The questions of a tracker, without Redis.
@Suite struct PendingQuestionsTests {
    private static func question(_ index: Int, _ kind: Question.Kind = .link) -> Question {
        Question(kind, mailing: 1, batch: 1, index: UInt32(index))
    }

    private func waits(_ outcome: PendingQuestions<Int>.Outcome) -> Bool? {
        if case .waits(let isNew) = outcome { isNew } else { nil }
    }

    private func known(_ outcome: PendingQuestions<Int>.Outcome) -> Answer? {
        if case .known(let answer) = outcome { answer } else { nil }
    }

    @Test func oneQuestionOfManyVisitorsIsAskedOnceAndRemembered() {
        var pending = PendingQuestions<Int>()
        #expect(waits(pending.ask(Self.question(1), by: 1, at: 0)) == true && waits(pending.ask(Self.question(1), by: 2, at: 1)) == false)
        let sent = pending.takeUnsent()
        #expect(sent.map(\.question) == [Self.question(1)] && pending.takeUnsent().isEmpty)
        #expect(pending.answered(NumberedAnswer(sent[0].number, .target([1])), at: 5) == [1, 2])
        #expect(known(pending.ask(Self.question(1), by: 3, at: 6)) == .target([1]))
        #expect(pending.answered(NumberedAnswer(sent[0].number, .gone), at: 7).isEmpty)
        #expect(waits(pending.ask(Self.question(1), by: 4, at: 5 + 3_600_000)) == true)
    }

    @Test func whoWaitsTooLongGetsNoAnswerAndLaterOnesWaitLess() {
        var pending = PendingQuestions<Int>()
        for index in 0..<3 { _ = pending.ask(Self.question(index), by: index, at: 0) }
        #expect(pending.expired(at: 1999).isEmpty && pending.expired(at: 2000).map(\.waiter) == [0, 1, 2] && pending.isEmpty)
        _ = pending.ask(Self.question(9), by: 9, at: 3000)
        #expect(pending.expired(at: 3300).map(\.waiter) == [9])
        _ = pending.ask(Self.question(10), by: 10, at: 4000)
        let sent = pending.takeUnsent()
        #expect(sent.count == 1 && pending.answered(NumberedAnswer(sent[0].number, .gone), at: 4001) == [10])
        _ = pending.ask(Self.question(11), by: 11, at: 5000)
        #expect(pending.expired(at: 5300).isEmpty && pending.end().map(\.waiter) == [11])
        guard case .refused = pending.ask(Self.question(12), by: 12, at: 6000) else {
            Issue.record("it has ended")
            return
        }
    }

    @Test func aLateAnswerHasLaterVisitorsWaitAgain() {
        var pending = PendingQuestions<Int>()
        for index in 0..<3 { _ = pending.ask(Self.question(index), by: index, at: 0) }
        let sent = pending.takeUnsent()
        #expect(pending.expired(at: 2000).count == 3 && pending.answered(NumberedAnswer(sent[0].number, .gone), at: 2100).isEmpty)
        _ = pending.ask(Self.question(9), by: 9, at: 3000)
        #expect(pending.expired(at: 4999).isEmpty && pending.expired(at: 5000).map(\.waiter) == [9])
    }

    /// Whatever is asked, memory is bounded, and each visitor gets one answer or none.
    @Test(arguments: 0..<10 as Range<UInt64>) func aFloodIsBounded(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var pending = PendingQuestions<Int>(QuestionBounds(questions: 50, waiters: 80, cache: 20_000))
        var waiting: Set<Int> = []
        var sent: [UInt64] = []
        var now: Int64 = 0
        func end(_ waiters: [Int]) { for waiter in waiters { #expect(waiting.remove(waiter) != nil) } }
        for waiter in 0..<20_000 {
            now += Int64.random(in: 0..<20, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0: sent += pending.takeUnsent().map(\.number)
            case 1: end(pending.expired(at: now).map(\.waiter))
            case 2, 3:
                guard let number = sent.popLast() else { continue }
                let page = Answer.page(Array(repeating: 0, count: .random(in: 0..<3000, using: &random)))
                end(pending.answered(NumberedAnswer(number, page), at: now))
            default:
                let kind = Question.Kind.allCases.randomElement(using: &random) ?? .view
                if waits(pending.ask(Self.question(.random(in: 0..<200, using: &random), kind), by: waiter, at: now)) != nil {
                    waiting.insert(waiter)
                }
            }
            #expect(pending.count <= 50 && waiting.count <= 80 && pending.cache.bytes <= 20_000)
        }
        end(pending.end().map(\.waiter))
        #expect(waiting.isEmpty)
    }

    @Test func whatARecipientSavedIsSeenAtOnce() {
        var pending = PendingQuestions<Int>()
        let question = Self.question(1, .preferences)
        let before = RecipientPreferences(channel: .email, category: "news", all: .wanted, categories: [.init("news", .wanted)])
        _ = pending.ask(question, by: 1, at: 0)
        let number = pending.takeUnsent()[0].number
        _ = pending.answered(NumberedAnswer(number, .preferences(before)), at: 1)
        let choice = TrackedEvent(.unsubscribe, by: .post, mailing: 1, batch: 1, index: 1, time: 0)
        pending.note(choice, at: 2)
        guard case .preferences(let after)? = known(pending.ask(question, by: 2, at: 3)) else {
            Issue.record("it is known")
            return
        }
        #expect(after.categories == [.init("news", .declined)] && after.all == .wanted)
        // Of one that is not known nothing is remembered until the ledger has it.
        let other = Self.question(2, .preferences)
        pending.note(TrackedEvent(.unsubscribe, by: .post, mailing: 1, batch: 1, index: 2, time: 0), at: 10)
        _ = pending.ask(other, by: 3, at: 11)
        _ = pending.answered(NumberedAnswer(pending.takeUnsent()[0].number, .preferences(before)), at: 12)
        #expect(waits(pending.ask(other, by: 4, at: 13)) == true)
    }
}
