import Model
import Testing

@testable import Ledger

/// How results move a recipient, without a database: the rule's changes are applied to numbers.
@Suite struct RecipientMoveTests {
    /// What an engine keeps of one recipient.
    private struct Kept: Equatable {
        var progress = BatchProgress(planned: 1)
        var error: LastError?
        var counters = [RecipientState.planned: 1]
        /// Recipients by the number of the response that they are counted under.
        var responses: [Int64: Int] = [:]
        var sent = 0
        var failed = 0

        static let neverTried: Int64 = 99

        mutating func take(_ result: RecipientResult) {
            guard let old = progress.apply(result, dispatchNumber: 1) else { return }
            let before = RecipientMove.needsError(old) ? error : nil
            guard let move = RecipientMove(result, from: old, error: before) else { return }
            if let cause = move.uncounted { count(number(cause, result), -1) }
            switch move.error {
            case .none: break
            case .remove: error = nil
            case .store(let cause, let at, let due, let attempts):
                error = LastError(at: at, due: due, attempts: attempts, failure: number(cause, result))
                if move.isCounted { count(number(cause, result), 1) }
            }
            sent += move.sent == nil ? 0 : 1
            failed += (move.failed == nil ? 0 : 1) - (move.unfailed == nil ? 0 : 1)
            guard move.isMove else { return }
            for (state, change) in [(old, -1), (result.state, 1)] {
                let sum = counters[state, default: 0] + change
                counters[state] = sum == 0 ? nil : sum
            }
        }

        private mutating func count(_ number: Int64, _ change: Int) {
            let sum = responses[number, default: 0] + change
            responses[number] = sum == 0 ? nil : sum
        }

        private func number(_ cause: RecipientMove.Cause, _ result: RecipientResult) -> Int64 {
            switch cause {
            case .known(let number): number
            case .result: Int64(result.response?.code ?? 0)
            case .neverTried: Self.neverTried
            }
        }

        var state: RecipientState { progress.state(0) ?? .planned }

        /// What must hold after every result.
        var faults: [String] {
            var faults: [String] = []
            if counters != [state: 1] { faults.append("counters \(counters) of one who is \(state)") }
            let isFailed = state == .failed || state == .expired
            if responses.values.reduce(0, +) != (isFailed ? 1 : 0) { faults.append("responses \(responses) of one who is \(state)") }
            if sent != (state.rank >= RecipientState.sent.rank ? 1 : 0) { faults.append("\(sent) sent") }
            if failed != (state == .failed ? 1 : 0) { faults.append("\(failed) failed") }
            if ((error?.due ?? 0) > 0) != (state == .deferred) { faults.append("due \(error?.due ?? 0) of one who is \(state)") }
            if isFailed, let error, responses[error.failure] != 1 { faults.append("counted under another response than its last") }
            return faults
        }
    }

    /// One result of each kind, of attempts that differ.
    private static let results: [RecipientResult] = [
        deferred(0, attempts: 1, due: Example.start + 5), deferred(0, attempts: 2, due: Example.start + 9),
        uncertain(0, attempts: 2), uncertain(0, attempts: 1, due: 7),
        RecipientResult(index: 0, state: .stopped, attempts: 0, at: Example.start),
        RecipientResult(index: 0, state: .expired, attempts: 2, at: Example.start),
        failed(0, attempts: 3),
        RecipientResult(
            index: 0, state: .failed, attempts: 2, at: Example.start,
            response: ProviderResponse(.policy, .fail, about: .unclear, stage: .data, code: 554, text: "5.7.1 no")),
        sent(0, attempts: 3), RecipientResult(index: 0, state: .delivered, attempts: 3, at: Example.start),
    ]

    /// Every order of every choice of up to five results.
    @Test func numbersAgreeAfterEveryResultInEveryOrder() {
        var orders = 0
        func go(_ kept: Kept, _ left: [RecipientResult], _ depth: Int) {
            guard depth > 0 else { return }
            for (place, result) in left.enumerated() {
                var next = kept
                next.take(result)
                orders += 1
                let faults = next.faults
                if !faults.isEmpty { Issue.record("\(faults) after \(result)") }
                // What comes twice changes nothing.
                var again = next
                again.take(result)
                if again != next { Issue.record("\(result) counts twice") }
                var rest = left
                rest.remove(at: place)
                go(next, rest, depth - 1)
            }
        }
        go(Kept(), Self.results, 5)
        #expect(orders > 10_000)
    }

    @Test func ofTwoFailuresThatOfTheLaterAttemptCounts() {
        let failures = Self.results.filter { $0.state == .failed }
        for order in [failures, failures.reversed()] {
            var kept = Kept()
            for result in order { kept.take(result) }
            #expect(kept.responses == [550: 1] && kept.error?.attempts == 3 && kept.failed == 1 && kept.faults == [])
        }
    }

    /// The same results in another order leave the same.
    @Test(arguments: 0..<100) func theOrderDoesNotMatter(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        // Somebody who expires keeps the last response that has come until then, whichever that is.
        let chosen = Self.results.filter { $0.state != .expired && Bool.random(using: &generator) }
        func outcome(_ results: [RecipientResult]) -> Kept {
            var kept = Kept()
            for result in results { kept.take(result) }
            return kept
        }
        let reference = outcome(chosen)
        for _ in 0..<10 { #expect(outcome(chosen.shuffled(using: &generator)) == reference) }
    }

    @Test func nobodyExpiresBeforeTwoClocksSayIt() {
        let expired = RecipientResult(index: 0, state: .expired, attempts: 0, at: 50)
        #expect(expired.isEarly(expires: 60, now: 40) && !expired.isEarly(expires: 60, now: 60))
        #expect(!expired.isEarly(expires: 50, now: 0) && !expired.isEarly(expires: nil, now: 0))
        #expect(!sent(0).isEarly(expires: .max, now: 0))
    }

    @Test func aDispatchIsOverWhenAllIsKnownOfIt() {
        var progress = BatchProgress(planned: 2)
        #expect(progress.isOver == false)
        _ = progress.dispatch(due: [], now: 1)
        #expect(progress.isOver == false)
        // What another dispatch says of itself is not of this one.
        progress.take(.done, of: 0, groups: 1)
        #expect(!progress.isDone && progress.released == 0)
        progress.take(.done, of: 1, groups: 2)
        // It overtook another group: that one is waited for.
        #expect(progress.isOver == nil && !progress.isOver(known: 1, isPartial: false) && !progress.isOver(known: 2, isPartial: false))
        #expect(progress.isOver(known: 2, isPartial: true))
        for index in 0..<2 { _ = progress.apply(sent(index), dispatchNumber: 1) }
        #expect(progress.isOver == true)
        var released = BatchProgress(planned: 2)
        _ = released.dispatch(due: [], now: 1)
        released.take(.released, of: 1, groups: 1)
        #expect(released.isOver == nil && released.isOver(known: 1, isPartial: false) && !released.isOver(known: 0, isPartial: false))
    }
}
