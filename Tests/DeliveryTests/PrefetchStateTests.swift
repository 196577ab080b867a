import Model
import Policy
import Testing

@testable import Broker
@testable import Delivery

/// What a worker takes, and of which lane.
@Suite struct PrefetchStateTests {
    private static let start = ContinuousClock.now
    private let now = start
    private let lane = Lane(channel: .email, provider: "p")
    private let other = Lane(channel: .email, provider: "q")
    private let mailing = testMailing
    private var kind: PrefetchState.Kind { PrefetchState.Kind(mailing: mailing, domain: nil) }

    private func wanted(_ state: PrefetchState, _ lane: Lane, at now: ContinuousClock.Instant = start) -> Int {
        var state = state
        return state.wants(at: now).first { $0.lane == lane }?.count ?? 0
    }

    @Test func ofAnUnknownLaneOneBatchIsTakenAndThenWhatItsProviderCanUse() {
        var state = PrefetchState(first: 250, most: 1_600)
        #expect(state.wants(at: now).isEmpty)
        #expect(state.offer(lane, at: now) == true)
        #expect(state.wants(at: now) == [.init(lane: lane, count: 1)])
        // It is on its way.
        #expect(state.wants(at: now).isEmpty)
        state.taken(lane, sizes: [100], waiting: 9, at: now)
        #expect(state.total == 100 && wanted(state, lane) == 2)
        state.adjust(lane, target: 1_600)
        #expect(wanted(state, lane) == 15)
        state.adjust(lane, target: 1_000_000)
        #expect(wanted(state, lane) == 16)
    }

    @Test func noMoreIsTakenThanFitsIntoMemory() {
        var state = PrefetchState(first: 250, most: 1_600, mostBytes: 1_000)
        _ = state.offer(lane, at: now)
        _ = state.wants(at: now)
        state.taken(lane, sizes: [10], bytes: [300], waiting: 99, at: now)
        #expect(wanted(state, lane) == 2)
        state.taken(lane, sizes: [10, 10, 10], bytes: [300, 300, 300], waiting: 99, at: now)
        #expect(state.bytes == 1_200 && wanted(state, lane) == 0)
        // A lane of which nothing is here still gets its first batch.
        _ = state.offer(other, at: now)
        #expect(wanted(state, other) == 1)
        _ = state.wants(at: now)
        #expect(state.free(bytes: 300, of: lane, at: now) == true)
        #expect(state.bytes == 900 && wanted(state, lane) == 1)
    }

    @Test func anEmptyLaneIsAskedNoMoreUntilItIsOfferedAgain() {
        var state = PrefetchState(first: 250, most: 1_600)
        _ = state.offer(lane, at: now)
        _ = state.wants(at: now)
        state.taken(lane, sizes: [10], waiting: 0, at: now)
        #expect(wanted(state, lane) == 0)
        #expect(state.finish(10, of: lane, kind: nil, at: now) == false)
        #expect(state.offer(lane, at: now) == true)
    }

    @Test func aSlowProviderGetsWhatKeepsItsConnectionsBusy() {
        var state = PrefetchState(first: 250, most: 1_600)
        state.taken(lane, sizes: [500], waiting: 9, at: now)
        state.adjust(lane, target: 60)
        #expect(wanted(state, lane) == 0)
        #expect(state.finish(440, of: lane, kind: nil, at: now) == false)
        #expect(state.finish(1, of: lane, kind: nil, at: now) == true)
        #expect(wanted(state, lane) == 1)
    }

    @Test func noLaneIsInTheWayOfAnother() {
        var state = PrefetchState(first: 250, most: 1_000)
        state.taken(lane, sizes: [500], waiting: 9, at: now)
        state.adjust(lane, target: 60)
        #expect(state.offer(other, at: now) == true)
        #expect(state.wants(at: now) == [.init(lane: other, count: 1)])
        state.taken(other, sizes: [500], waiting: 9, at: now)
        // All together there is an end, but not for the first batch of a lane.
        for number in 0..<10 { state.taken(Lane(channel: .sms, provider: "\(number)"), sizes: [500], waiting: 9, at: now) }
        state.adjust(other, target: 10_000)
        #expect(state.total == 6_000 && wanted(state, other) == 0)
        let third = Lane(channel: .email, provider: "r")
        #expect(state.offer(third, at: now) == true && wanted(state, third) == 1)
        // Who waited for room is told when there is some.
        var full = state
        _ = full.wants(at: now)
        full.taken(third, sizes: [1], waiting: 0, at: now)
        for number in 0..<5 { _ = full.finish(500, of: Lane(channel: .sms, provider: "\(number)"), kind: nil, at: now) }
        #expect(wanted(full, other) > 0)
    }

    @Test func aLimitedKindCountsOnlyWhatItCanUse() {
        var state = PrefetchState(first: 250, most: 1_600)
        state.taken(lane, sizes: [200], waiting: 9, at: now)
        state.adjust(lane, target: 100)
        #expect(wanted(state, lane) == 0)
        // Two a second: one of them in half a second. Others of the lane need not wait for it.
        state.assign(200, of: lane, to: kind, usable: 1)
        #expect(state.total == 200 && state.messages(of: lane) == 200)
        #expect(wanted(state, lane) == 1)
        let free = PrefetchState.Kind(mailing: mailing, domain: .domain("x"))
        state.taken(lane, sizes: [100], waiting: 9, at: now)
        state.assign(100, of: lane, to: free, usable: .infinity)
        #expect(wanted(state, lane) == 0)
    }

    @Test func ofALaneWithALimitOfOneASecondOneBatchIsTakenAndNoMore() {
        var state = PrefetchState(first: 250, most: 1_600)
        _ = state.offer(lane, at: now)
        #expect(state.wants(at: now).map(\.count) == [1])
        state.taken(lane, sizes: [10], waiting: 99, at: now)
        state.assign(10, of: lane, to: kind, usable: .infinity)
        state.adjust(lane, target: max(1, Int(1 * Timing.prefetch.seconds)))
        for second in 1...9 {
            #expect(state.finish(1, of: lane, kind: kind, at: now + .seconds(second)) == false)
            #expect(wanted(state, lane, at: now + .seconds(second)) == 0)
        }
        #expect(state.finish(1, of: lane, kind: kind, at: now + .seconds(10)) == true)
        #expect(wanted(state, lane, at: now + .seconds(10)) == 1)
    }

    @Test func ofALaneWithAnOpenBreakerOneBatchIsTakenWhenAProbeIsDueAndNoneIsHere() {
        var state = PrefetchState(first: 250, most: 1_600)
        state.taken(lane, sizes: [10], waiting: 9, at: now)
        let probe = now + .seconds(4)
        state.block([lane: probe])
        // One that is here can probe.
        #expect(wanted(state, lane, at: probe) == 0 && state.nextLook() == nil)
        #expect(state.finish(10, of: lane, kind: nil, at: now) == false)
        #expect(state.nextLook() == probe && wanted(state, lane, at: now + .seconds(3)) == 0)
        #expect(wanted(state, lane, at: probe) == 1)
        state.block([:])
        #expect(wanted(state, lane) > 1 && state.nextLook() == nil)
    }

    @Test func whatWasAskedForInVainIsAskedForAgain() {
        var state = PrefetchState(first: 250, most: 1_600)
        _ = state.offer(lane, at: now)
        let wants = state.wants(at: now)
        state.failed(wants)
        #expect(state.wants(at: now) == wants)
    }

    @Test func lanesOfWhichNothingWasHereForLongAreForgotten() {
        var state = PrefetchState(first: 250, most: 1_600)
        state.taken(lane, sizes: [100], waiting: 0, at: now)
        state.adjust(lane, target: 1)
        state.forget(at: now + .seconds(600))
        #expect(state.messages(of: lane) == 100)
        _ = state.finish(100, of: lane, kind: nil, at: now)
        state.forget(at: now + .seconds(59))
        state.forget(at: now + .seconds(60))
        // Its batch size and its target are those of an unknown one.
        #expect(state.offer(lane, at: now) == true && wanted(state, lane) == 1)
    }

    @Test func whateverHappensTheSumsAreRightAndNoLaneStarves() {
        for seed in 0..<2_500 as Range<UInt64> {
            var run = PrefetchRun(seed: seed)
            for _ in 0..<120 where run.problem == nil { run.step() }
            if let problem = run.problem { Issue.record("seed \(seed): \(problem)") }
        }
    }
}

let testMailing: MailingID = {
    var generator = SeededGenerator(seed: 1)
    return MailingID(milliseconds: 1, using: &generator)
}()
