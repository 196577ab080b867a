import Testing

@testable import Delivery

/// What a worker takes before it leaves the rest to others.
@Suite struct HeldTests {
    private let held = Held(first: 250, most: 1_600)

    private func take(_ messages: Int, of provider: String, load: Int) -> Held.Share {
        let share = held.take(messages)
        share.assign(to: provider) { load }
        return share
    }

    @Test func ofAnUnknownProviderOneBatchIsTaken() {
        #expect(held.isLow)
        let share = held.take(500)
        #expect(!held.isLow)
        share.assign(to: "fast") { 1_600 }
        #expect(held.isLow)
    }

    @Test func aSlowProviderGetsWhatKeepsItsConnectionsBusy() {
        let share = take(500, of: "slow", load: 60)
        #expect(!held.isLow)
        share.finish(440)
        #expect(!held.isLow)
        share.finish(1)
        #expect(held.isLow)
    }

    @Test func aSlowProviderDoesNotKeepOutAnother() {
        let slow = take(500, of: "slow", load: 60)
        let fast = take(500, of: "fast", load: 1_600)
        #expect(held.isLow)
        fast.giveBack()
        #expect(held.isLow)
        // All together there is an end.
        _ = take(500, of: "slow", load: 60)
        _ = take(700, of: "slow", load: 60)
        #expect(!held.isLow)
        slow.giveBack()
        #expect(held.isLow)
        held.keep(["slow"])
        #expect(!held.isLow)
    }

    @Test func moreThanThereIsCannotBeFinished() {
        let share = held.take(500)
        share.finish(900)
        share.giveBack()
        share.assign(to: "slow") { 1 }
        #expect(held.isLow)
        _ = take(1, of: "slow", load: 1)
        #expect(!held.isLow)
    }

    @Test func whoWaitsGoesOnWhenItIsLow() async {
        let share = take(500, of: "slow", load: 60)
        async let waiting: Void = held.untilLow()
        share.giveBack()
        await waiting
        #expect(held.isLow)
    }
}
