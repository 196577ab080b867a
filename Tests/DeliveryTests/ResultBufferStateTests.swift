import Model
import Testing

@testable import Delivery

/// The results of a batch on their way to the collector.
@Suite struct ResultBufferStateTests {
    private static let start = ContinuousClock.now

    private func results(_ count: Int, from first: Int = 0) -> [RecipientResult] {
        (first..<first + count).map { RecipientResult(index: $0, state: .sent, attempts: 1, at: 0) }
    }

    @Test func resultsGoWhenTheyAreManyOrOldEnough() {
        var buffer = ResultBufferState()
        let now = Self.start
        #expect(buffer.add([], at: now) == nil && buffer.since == nil)
        #expect(buffer.add(results(249), at: now) == nil && buffer.since == now)
        #expect(buffer.add(results(3, from: 249), at: now + .seconds(1))?.results.count == 252)
        #expect(buffer.since == nil && buffer.flush(olderThan: .zero, at: now) == nil)
        #expect(buffer.add(results(1), at: now + .seconds(2)) == nil)
        #expect(buffer.flush(olderThan: .milliseconds(50), at: now + .seconds(2)) == nil)
        #expect(buffer.flush(olderThan: .milliseconds(50), at: now + .milliseconds(2_050))?.sequence == 1)
    }

    @Test func theClosingGroupWaitsForAllBefore() {
        var buffer = ResultBufferState()
        _ = buffer.add(results(250), at: Self.start)
        _ = buffer.add(results(1), at: Self.start)
        #expect(buffer.close(.done) == nil && !buffer.isClosed)
        buffer.sent(isReported: true)
        #expect(buffer.close(.done) == ResultBufferState.Group(sequence: 1, closing: .done, results: results(1)))
        buffer.sent(isReported: true)
        #expect(buffer.close(.done) == nil)
    }

    @Test func aBatchWhoseResultsWereLostIsNotClosed() {
        var buffer = ResultBufferState()
        _ = buffer.add(results(250), at: Self.start)
        buffer.sent(isReported: false)
        #expect(buffer.isBroken && buffer.close(.released) == nil)
        // What comes later is told all the same.
        _ = buffer.add(results(1), at: Self.start)
        #expect(buffer.flush(olderThan: .zero, at: Self.start)?.sequence == 1)
    }

    @Test func whateverHappensGroupsAreNumberedInOrderAndTheClosingOneIsTheLast() {
        for seed in 0..<4_000 as Range<UInt64> {
            if let problem = run(seed) { Issue.record("seed \(seed): \(problem)") }
        }
    }

    /// - Returns: what is wrong.
    private func run(_ seed: UInt64) -> String? {
        var random = SeededGenerator(seed: seed)
        var buffer = ResultBufferState()
        var groups: [ResultBufferState.Group] = []
        var (added, sending, isBroken) = (0, 0, false)
        var now = Self.start
        var problem: String?
        func take(_ group: ResultBufferState.Group?) {
            guard let group else { return }
            if groups.last.map({ $0.closing != .open }) == true { problem = "a group after the closing one" }
            if group.closing != .open, sending > 0 || isBroken { problem = "closed while \(sending) groups are under way" }
            groups.append(group)
            sending += 1
        }
        for _ in 0..<60 {
            now += .milliseconds(Int.random(in: 0...30, using: &random))
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4 where !buffer.isClosed:
                let count = Int.random(in: 0...120, using: &random)
                take(buffer.add(results(count, from: added), at: now))
                added += count
            case 4, 5:
                let age = Duration.milliseconds(Int.random(in: 0...60, using: &random))
                take(buffer.flush(olderThan: age, at: now))
                if buffer.since.map({ now - $0 >= age }) == true { problem = "results wait longer than they may" }
            case 6..<9 where sending > 0:
                let isReported = Int.random(in: 0..<20, using: &random) > 0
                isBroken = isBroken || !isReported
                sending -= 1
                buffer.sent(isReported: isReported)
            case 9 where Int.random(in: 0..<5, using: &random) == 0: take(buffer.close(.done))
            default: break
            }
            if (buffer.since == nil) != buffer.results.isEmpty || buffer.sending != sending { problem = "miscounted" }
            if buffer.results.count >= ResultBufferState.limit { problem = "enough for a group is kept" }
        }
        while sending > 0 {
            sending -= 1
            buffer.sent(isReported: true)
        }
        take(buffer.close(.done))
        if isBroken { take(buffer.flush(olderThan: .zero, at: now)) }
        if groups.map(\.sequence) != Array(0..<groups.count) { problem = "numbers \(groups.map(\.sequence))" }
        if groups.flatMap(\.results).map(\.index) != Array(0..<added) { problem = "results are lost or doubled" }
        if groups.count(where: { $0.closing != .open }) != (isBroken && !buffer.isClosed ? 0 : 1) { problem = "not closed once" }
        return problem
    }
}
