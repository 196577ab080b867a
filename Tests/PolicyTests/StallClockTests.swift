import Model
import Policy
import Testing

/// Looks every two seconds at a mailing of which nobody gets a result, one that is stuck after a minute.
@Suite struct StallClockTests {
    private var clock = StallClock<Int>()
    private var progress = 0

    /// What is said of it at each look from one second to another.
    private mutating func looks(_ seconds: Range<Int>, progress: Int = 0, _ change: (inout BlockingFacts) -> Void = { _ in })
        -> [BlockingReason]
    {
        stride(from: seconds.lowerBound, to: seconds.upperBound, by: 2).map { second in
            var facts = BlockingFacts(state: .sending, channel: .sms, provider: "p", open: 10, silence: 0, workers: 2)
            facts.dispatched = 1
            facts.next = 0
            change(&facts)
            return clock.look(&facts, progress, at: Double(second), stuckAfter: .seconds(60))
        }
    }

    private static func isStuck(_ blockingReason: BlockingReason) -> Bool {
        if case .stuck = blockingReason { true } else { false }
    }

    @Test mutating func silenceIsCountedFromTheLastResult() {
        #expect(!looks(0..<60).contains(where: Self.isStuck))
        #expect(looks(60..<62, progress: 1) == [.none])
        #expect(!looks(62..<120, progress: 1).contains(where: Self.isStuck))
        #expect(looks(120..<122, progress: 1) == [.stuck(60)])
    }

    typealias Change = @Sendable (inout BlockingFacts) -> Void

    private static let holds: [Change] = [
        { $0.workers = 0 },
        { $0.shares = [Heartbeat.Share(isDown: true)] },
        { $0.shares = [Heartbeat.Share(waiting: 5, scope: .provider("p"), interval: 0.01, pause: 100)] },
        { facts in (facts.dispatched, facts.next) = (0, 100) },
        { $0.lag = 20 },
        { $0.state = .paused },
    ]

    /// What it waited for has ended: it has its minute from then on, and is called stuck after that.
    @Test(arguments: holds.indices)
    mutating func whatWasHeldUpHasItsTimeAfterwards(hold: Int) {
        #expect(!looks(0..<50).contains(where: Self.isStuck))
        #expect(!looks(50..<900, Self.holds[hold]).contains { $0 == .none || Self.isStuck($0) })
        #expect(looks(900..<958).allSatisfy { $0 == .none })
        #expect(looks(960..<962).contains(where: Self.isStuck))
    }

    /// Three of its moments and a minute are waited; when it is lifted, a minute more.
    @Test mutating func aRareLimitIsWaitedForAndItsEndToo() {
        let rare = { @Sendable (facts: inout BlockingFacts) in
            facts.shares = [Heartbeat.Share(waiting: 3, scope: .domain("d"), interval: 600)]
        }
        #expect(looks(0..<1_800, rare).allSatisfy { $0 == .limited(.domain("d")) })
        #expect(looks(1_800..<1_860).allSatisfy { $0 == .none })
        #expect(looks(1_860..<1_862) == [.stuck(60)])
    }

    @Test mutating func aRareLimitDoesNotExcuseSilenceForEver() {
        let said = looks(0..<2_000) { $0.shares = [Heartbeat.Share(waiting: 3, scope: .domain("d"), interval: 600)] }
        #expect(said[929] == .limited(.domain("d")) && said[930] == .stuck(1_860))
        #expect(looks(2_000..<2_002) == [.stuck(2_000)])
    }

    /// Whatever happens in whatever order: it is stuck exactly when for a minute nobody got a result, and nothing blocked it.
    @Test(arguments: 0..<200 as Range<UInt64>) mutating func whateverHappensItIsStuckAfterAMinuteThatNothingExplains(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var (progress, since, wasStuck) = (0, 0, false)
        var hold: Int?
        for second in stride(from: 0, to: 2_000, by: 2) {
            if Int.random(in: 0..<25, using: &random) == 0 { hold = Self.holds.indices.randomElement(using: &random) }
            if Int.random(in: 0..<25, using: &random) == 0 { hold = nil }
            if Int.random(in: 0..<40, using: &random) == 0 { progress += 1 }
            if progress != self.progress || hold != nil { since = second }
            self.progress = progress
            let reasons = looks(second..<second + 2, progress: progress, hold.map { Self.holds[$0] } ?? { _ in })
            #expect(reasons.map(Self.isStuck) == [second - since >= 60], "at \(second), since \(since), hold \(hold ?? -1)")
            wasStuck = wasStuck || reasons.contains(where: Self.isStuck)
        }
        #expect(wasStuck || seed > 0)
    }
}
