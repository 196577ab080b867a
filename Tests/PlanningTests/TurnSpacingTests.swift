import Testing

@testable import Planning

@Suite struct TurnSpacingTests {
    private let start = ContinuousClock.now

    @Test func aFewTurnsFollowOneAnotherAtOnceAfterARest() {
        var spacing = TurnSpacing(interval: .milliseconds(30), burst: 3)
        for round in 0..<5 {
            let now = start + .seconds(round)
            #expect(spacing.next(after: now) <= now)
            #expect(spacing.next(after: now + .milliseconds(1)) <= now + .milliseconds(1))
            #expect(spacing.next(after: now + .milliseconds(2)) == now + .milliseconds(30))
        }
    }

    @Test func turnsWithoutARestAreSpaced() {
        var spacing = TurnSpacing(interval: .milliseconds(30), burst: 3)
        var now = start
        var turns = 0
        while now < start + .seconds(3) {
            turns += 1
            now = max(now + .microseconds(100), spacing.next(after: now))
        }
        #expect((100...103).contains(turns))
    }
}
