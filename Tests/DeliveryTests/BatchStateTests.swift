import Model
import Testing

@testable import Delivery

/// The life of a batch in a worker's hands.
@Suite struct BatchStateTests {
    private func open(_ count: Int) -> [OpenRecipient] { (0..<count).map { OpenRecipient(index: $0, attempts: 0) } }

    private func result(_ index: Int, _ state: RecipientState = .sent, attempts: Int = 1, due: Int64 = 0) -> RecipientResult {
        RecipientResult(index: index, state: state, attempts: attempts, at: 1_000, due: due)
    }

    @Test func aBatchIsSentAndClosed() {
        var batch = BatchState(open(3))
        #expect(batch.waiting(among: 0..<3).map(\.index) == [0, 1, 2])
        #expect(batch.start([0, 1]) == true)
        #expect(batch.start([1, 2]) == false && batch.phase(of: 2) == .waiting)
        #expect(batch.close() == nil)
        #expect(batch.settle([result(0), result(1, .failed)]).map(\.index) == [0, 1])
        #expect(batch.start([2]) == true && batch.settle([result(2)]).count == 1)
        #expect(batch.close() == BatchState.Closing(results: [], closing: .done))
        #expect(batch.close() == nil && batch.isClosed && batch.isEnded)
    }

    @Test func whoIsNotSentToGoesBackWithTheBatch() {
        var batch = BatchState(open(3))
        #expect(batch.start([0, 1]) == true)
        #expect(batch.settle([result(0)]).count == 1)
        batch.unmark(unsent: [1], retries: [])
        batch.end()
        #expect(batch.start([1]) == false && batch.phase(of: 1) == .waiting)
        #expect(batch.close() == BatchState.Closing(results: [], closing: .released))
    }

    @Test func aRetryIsToldWhereverWorkEnds() {
        var batch = BatchState(open(2))
        #expect(batch.start([0, 1]) == true)
        batch.unmark(unsent: [], retries: [result(0, .deferred, due: 5_000), result(1, .deferred, due: 7_000)])
        #expect(batch.waiting(among: 0..<2).isEmpty && batch.retryDue(among: 0..<2) == 7_000)
        var other = batch
        #expect(other.close()?.results.map(\.due) == [5_000, 7_000])
        batch.resume(0..<2)
        #expect(batch.waiting(among: 0..<2) == [OpenRecipient(index: 0, attempts: 1), OpenRecipient(index: 1, attempts: 1)])
        #expect(batch.start([0]) == true)
        #expect(batch.settle([result(0, attempts: 2)]).count == 1)
        #expect(batch.close() == BatchState.Closing(results: [result(1, .deferred, due: 7_000)], closing: .done))
    }

    @Test func whoseLifetimeIsOverExpiresAndWhoIsInFlightDoesNot() {
        var batch = BatchState(open(4))
        #expect(batch.start([0, 1, 2]) == true)
        batch.unmark(unsent: [], retries: [result(1, .deferred, due: 5_000)])
        _ = batch.settle([result(0)])
        let expired = batch.expire(0..<4, now: 9)
        #expect(expired.map(\.index) == [1, 3] && expired.map(\.attempts) == [1, 0] && expired.allSatisfy { $0.state == .expired })
        #expect(batch.phase(of: 2) == .started && batch.close() == nil)
    }

    @Test func whoIsListedBecauseItIsSentAgainStillGetsAResult() {
        var batch = BatchState(open(1))
        #expect(batch.start([0]) == true)
        let listed = result(0, .uncertain, due: 3)
        #expect(batch.settle([listed, result(0, .deferred, due: 9)]).count == 2)
        #expect(batch.settle([listed, result(0)]).isEmpty)
        #expect(batch.close()?.closing == .done)
    }

    @Test func aMarkThatMayStillBeTakenBackLetsNothingStart() {
        var batch = BatchState(open(2))
        #expect(batch.start([0]) == true)
        batch.failToUnmark(unsent: [0], retries: [])
        #expect(batch.isEnded && !batch.start([0]) && !batch.start([1]))
        #expect(batch.close() == BatchState.Closing(results: [], closing: .released))
    }

    /// What a worker does, and what it never should, in any order.
    @Test func whateverHappensNobodyGetsTwoResultsAndNobodyIsForgotten() {
        for seed in 0..<4_000 as Range<UInt64> {
            var run = BatchRun(seed: seed)
            for _ in 0..<40 { run.step() }
            run.finish()
            if let problem = run.problem { Issue.record("seed \(seed): \(problem)") }
        }
    }
}

/// One random life of a batch, and what must hold of it.
private struct BatchRun {
    private var random: SeededGenerator
    private var batch: BatchState
    private let count: Int
    /// Who is in flight, as whoever sends sees it.
    private var inFlight: Set<Int> = []
    private var results: [Int: Int] = [:]
    private var hasEnded = false
    private var closings = 0
    var problem: String?

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        count = Int.random(in: 1...6, using: &random)
        batch = BatchState((0..<count).map { OpenRecipient(index: $0, attempts: 0) })
    }

    private mutating func some() -> [Int] { (0..<count).filter { _ in Bool.random(using: &random) } }

    private func result(_ index: Int, _ state: RecipientState, due: Int64 = 0) -> RecipientResult {
        RecipientResult(index: index, state: state, attempts: 1, at: 1, due: due)
    }

    private mutating func note(_ told: [RecipientResult]) {
        for one in told where one.state != .uncertain || one.due == 0 {
            results[one.index, default: 0] += 1
            inFlight.remove(one.index)
            if results[one.index] != 1 { problem = "two results for \(one.index)" }
        }
    }

    private mutating func start(_ indexes: [Int]) {
        let phases = indexes.map { batch.phase(of: $0) }
        guard batch.start(indexes) else { return }
        if hasEnded, !indexes.isEmpty { problem = "a start after the end" }
        if phases.contains(where: { $0 != .waiting }) { problem = "a start of somebody who is not waiting" }
        if !inFlight.isDisjoint(with: indexes) { problem = "two messages of one recipient in flight" }
        inFlight.formUnion(indexes)
    }

    mutating func step() {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<5: start(batch.waiting(among: 0..<count).map(\.index).filter { _ in Bool.random(using: &random) })
        case 5: start(some())
        case 6:
            let refused = some()
            batch.refuse(refused)
            inFlight.subtract(refused)
            hasEnded = true
        case 7..<12:
            let states: [(RecipientState, Int64)] = [(.sent, 0), (.failed, 0), (.deferred, 9), (.uncertain, 0), (.uncertain, 9)]
            note(
                batch.settle(
                    some().map { index in
                        let (state, due) = states.randomElement(using: &random) ?? (.sent, 0)
                        return result(index, state, due: due)
                    }))
        case 12..<15:
            let back = some()
            let retries = some().filter { !back.contains($0) }.map { result($0, .deferred, due: 9) }
            if Int.random(in: 0..<8, using: &random) == 0 {
                batch.failToUnmark(unsent: back, retries: retries)
                hasEnded = true
            } else {
                batch.unmark(unsent: back, retries: retries)
            }
            inFlight.subtract(back + retries.map(\.index))
        case 15, 16: batch.resume(some())
        case 17: note(batch.expire(some(), now: 5))
        case 18:
            if Int.random(in: 0..<4, using: &random) == 0 {
                batch.end()
                hasEnded = true
            }
        default: if Int.random(in: 0..<4, using: &random) == 0 { close() }
        }
        for index in inFlight where batch.phase(of: index) != .started { problem = "\(index) is in flight and not known to be" }
    }

    private mutating func close() {
        guard let closing = batch.close() else {
            if closings == 0, inFlight.isEmpty { problem = "cannot be closed though nothing is in flight" }
            return
        }
        closings += 1
        hasEnded = true
        if closings > 1 { problem = "closed twice" }
        if !inFlight.isEmpty { problem = "closed with \(inFlight) in flight" }
        note(closing.results)
        let settled = (0..<count).filter { results[$0] == 1 }
        let back = (0..<count).filter { batch.phase(of: $0) == .waiting }
        if Set(settled + back).count != count || settled.count + back.count != count { problem = "somebody is forgotten at the closing" }
        if (closing.closing == .done) != back.isEmpty { problem = "closed as \(closing.closing) with \(back) left" }
    }

    /// Whatever is in flight ends, and the batch is closed.
    mutating func finish() {
        note(batch.settle(inFlight.sorted().map { result($0, .sent) }))
        close()
        if closings != 1 { problem = problem ?? "never closed" }
    }
}
