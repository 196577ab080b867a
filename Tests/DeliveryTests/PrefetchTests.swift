import Synchronization
import Testing

@testable import Delivery

/// What a worker takes before it leaves the rest to others.
@Suite struct HeldTests {
    private final class Time: Sendable {
        let now = Atomic<Int64>(0)
        func pass(milliseconds: Int64) { now.add(milliseconds * 1_000_000, ordering: .relaxed) }
    }

    private let time = Time()
    private let held: Prefetch

    init() {
        let time = time
        held = Prefetch(first: 250, most: 1_600) { time.now.load(ordering: .relaxed) }
    }

    private func take(_ messages: Int, of provider: String, load: Int) -> Prefetch.Share {
        let share = held.take(messages)
        share.assign(to: provider) { load }
        return share
    }

    @Test func ofAnUnknownProviderOneBatchIsTaken() {
        #expect(held.isLow && held.isIdle)
        let share = held.take(500)
        #expect(!held.isLow && !held.isIdle)
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

    @Test func aSlowProviderDoesNotKeepOutAFastOne() {
        let slow = take(500, of: "slow", load: 60)
        let fast = take(500, of: "fast", load: 1_600)
        #expect(held.isLow)
        fast.giveBack()
        #expect(held.isLow)
        // All together there is an end.
        _ = take(600, of: "slow", load: 60)
        _ = take(700, of: "slow", load: 60)
        #expect(!held.isLow)
        slow.giveBack()
        #expect(held.isLow)
        // One that has had nothing for a while says nothing about the others.
        time.pass(milliseconds: 1_001)
        #expect(!held.isLow)
    }

    @Test func moreThanThereIsCannotBeFinished() {
        let share = held.take(500)
        share.finish(900)
        share.giveBack()
        share.assign(to: "slow") { 1 }
        #expect(held.isLow && held.isIdle)
        _ = take(1, of: "slow", load: 1)
        #expect(!held.isLow)
    }

    /// Whose batches are behind those of a slow provider is not known before they are taken.
    @Test(.timeLimit(.minutes(1))) func whoHasEnoughTakesOneMoreNowAndThen() async {
        let slow = take(500, of: "slow", load: 60)
        let waits = Task.immediate { await held.untilLow() }
        held.relent()
        time.pass(milliseconds: 500)
        held.relent()
        await waits.value
        #expect(!held.isLow)
        let more = take(5_900, of: "slow", load: 60)
        let waitsForMore = Task.immediate { await held.untilLow() }
        time.pass(milliseconds: 10_000)
        held.relent()
        more.finish(1)
        #expect(!held.isLow)
        held.relent()
        await waitsForMore.value
        slow.giveBack()
    }

    @Test(.timeLimit(.minutes(1))) func whoWaitsGoesOnWhenItIsLow() async {
        let share = take(500, of: "slow", load: 60)
        async let waiting: Void = held.untilLow()
        share.giveBack()
        await waiting
        #expect(held.isLow)
    }
}
