import Model
import Testing

@testable import Policy

@Suite struct AdaptiveRateTests {
    private static let kinds: [HiddenLimit.Kind] = [.fixed(1), .sliding(1), .sliding(10), .bucket(1), .bucket(5)]

    @Test(arguments: kinds, [0.02, 0.1, 0.3, 0.6, 0.9])
    func settlesAtAHiddenLimitAndHasLittleRefused(_ kind: HiddenLimit.Kind, _ part: Double) {
        for isLimited in [true, false] {
            var simulation = RateSimulation(
                rate: 500, isLimited: isLimited, provider: HiddenLimit(kind, limit: 500 * part, seed: 1))
            simulation.run(until: 140)
            let settled = simulation.total(40..<140)
            #expect(settled.accepted / 100 >= 0.85 * 500 * part)
            #expect(settled.throttled / settled.started < 0.05)
            #expect(simulation.seconds.allSatisfy { $0.started <= 501 })
        }
    }

    @Test(arguments: [0.1, 0.3, 0.6, 0.9])
    func livesWithLongWindowsThatRefuseNothingAndThenAll(_ part: Double) {
        var simulation = RateSimulation(rate: 300, provider: HiddenLimit(.fixed(10), limit: 300 * part, seed: 1))
        simulation.run(until: 200)
        let settled = simulation.total(60..<200)
        #expect(settled.accepted / 140 >= 0.8 * 300 * part)
        #expect(settled.throttled / settled.started < 0.08)
    }

    @Test(arguments: [0.02, 0.3, 0.8])
    func comesBackWhenTheLimitIsGone(_ part: Double) {
        var simulation = RateSimulation(rate: 300, provider: HiddenLimit(.bucket(1), limit: 300 * part, seed: 1))
        simulation.run(until: 60)
        #expect(simulation.adaptive.rate != nil)
        simulation.provider.limit = 1000
        simulation.run(until: 230)
        #expect(simulation.adaptive.rate == nil && simulation.adaptive.text == "")
        #expect(simulation.seconds[60..<229].contains { $0.started >= 299 })
    }

    @Test func followsALimitThatShrinks() {
        var simulation = RateSimulation(rate: 300, provider: HiddenLimit(.bucket(1), limit: 250, seed: 1))
        simulation.run(until: 60)
        simulation.provider.limit = 20
        simulation.run(until: 200)
        let settled = simulation.total(100..<200)
        #expect(settled.accepted / 100 >= 0.85 * 20)
        #expect(settled.throttled / settled.started < 0.05)
    }

    @Test(arguments: [0.1, 0.3], [1, 2, 3] as [UInt64])
    func isNotStrangledByRefusalsThatAreChance(_ share: Double, _ seed: UInt64) {
        #expect(use(rate: 200, chance: share, seed: seed) >= 0.85)
    }

    /// Where responses are few, chance also makes it look like a limit now and then.
    @Test(arguments: [25.0, 5, 1], [0.1, 0.3])
    func isNotStrangledWhereResponsesAreFew(_ rate: Double, _ share: Double) {
        let uses = (1...12).map { use(rate: rate, chance: share, seed: $0) }
        #expect(uses.reduce(0, +) / 12 >= 0.75 && uses.allSatisfy { $0 >= 0.3 })
    }

    /// The part of the rate that is used within five minutes where a share is refused at random.
    private func use(rate: Double, chance share: Double, seed: UInt64) -> Double {
        var simulation = RateSimulation(rate: rate, provider: HiddenLimit(.chance(share), limit: 0, seed: seed))
        simulation.run(until: 300)
        return simulation.total(0..<simulation.seconds.count).started / 300 / rate
    }

    @Test func doesNotConcludeAnythingFromAFewResponses() {
        var generator = SeededGenerator(seed: 8)
        for _ in 0..<200 {
            var adaptive = AdaptiveRate()
            var throttled = 3
            for _ in 0..<20 {
                let now = Int.random(in: 0...throttled, using: &generator)
                throttled -= now
                adaptive.judge(AdaptiveRate.Observation(answered: max(now, 1), throttled: now, started: 1, seconds: 1), limit: 1)
                #expect(adaptive.rate == nil)
            }
        }
    }

    @Test func whateverHappensItStaysBetweenTheFloorAndTheLimit() {
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<300 {
            var adaptive = AdaptiveRate()
            let limit = Bool.random(using: &generator) ? Double.random(in: 0.5...10_000, using: &generator) : nil
            for _ in 0..<200 {
                let answered = Int.random(
                    in: 0...[0, 3, 100, 100_000][Int.random(in: 0..<4, using: &generator)], using: &generator)
                let throttled = [0, answered, answered / 3, Int.random(in: 0...answered, using: &generator)]
                let seconds = ([0, 0.5, 1, 600] as [Double]).randomElement(using: &generator) ?? 1
                adaptive.judge(
                    AdaptiveRate.Observation(
                        answered: answered, throttled: throttled.randomElement(using: &generator) ?? 0,
                        started: Int.random(in: 0...max(1, answered * 2), using: &generator), seconds: seconds,
                        paused: Double.random(in: 0...1, using: &generator) * seconds),
                    limit: limit)
                if let rate = adaptive.rate {
                    #expect(rate.isFinite && rate >= AdaptiveRate.floor && rate <= limit ?? .infinity)
                }
                #expect(AdaptiveRate(encoded: adaptive.encoded) == adaptive)
            }
            // The floor is no end: once nothing is refused any more it comes back.
            for _ in 0..<2400 {
                adaptive.judge(AdaptiveRate.Observation(answered: 1, throttled: 0, started: 1, seconds: 0.5), limit: limit)
            }
            #expect(adaptive.rate == nil)
        }
    }

    @Test(arguments: ["", "x", "1 2 3", AdaptiveRate().encoded + " 1", AdaptiveRate().encoded.replacing("10.0", with: "nan")])
    func aTextOfAnotherKindIsAFreshStart(_ text: String) { #expect(AdaptiveRate(encoded: text) == AdaptiveRate()) }

    @Test func saysWhyTheRateIsWhatItIs() {
        var adaptive = AdaptiveRate()
        adaptive.judge(AdaptiveRate.Observation(answered: 400, throttled: 120, started: 400, seconds: 1), limit: 400)
        #expect(
            adaptive.text
                == "slowed to 252/s: 30 % of the responses at 400/s asked us to; back at 400/s in 40 s unless more do")
        var simulation = RateSimulation(rate: 200, provider: HiddenLimit(.chance(0.3), limit: 0, seed: 1))
        simulation.run(until: 60)
        #expect(simulation.adaptive.text.hasPrefix("not slowed: "))
        #expect(simulation.adaptive.text.hasSuffix(" % of the responses ask us to, whatever the rate"))
    }
}
