import Testing

@testable import Collecting

@Suite struct ArrivalRateTests {
    @Test func followsAnEvenFlow() {
        var rate = ArrivalRate()
        var now = ContinuousClock.now
        for _ in 0..<200 {
            rate.note(4, at: now)
            now += .milliseconds(10)
        }
        #expect(abs(rate.perSecond - 400) < 40)
        #expect(abs(rate.expected(within: .milliseconds(25)) - 10) < 1)
    }

    @Test func aSilenceEndsIt() {
        var rate = ArrivalRate()
        var now = ContinuousClock.now
        for _ in 0..<200 {
            rate.note(4, at: now)
            now += .milliseconds(10)
        }
        now += .seconds(2)
        rate.note(1, at: now)
        #expect(rate.expected(within: .milliseconds(25)) < 0.1)
    }

    @Test func oneAfterAnotherIsNoFlow() {
        var rate = ArrivalRate()
        var now = ContinuousClock.now
        rate.note(1, at: now)
        now += .milliseconds(4)
        rate.note(1, at: now)
        #expect(rate.expected(within: .milliseconds(25)) < 2)
    }
}
