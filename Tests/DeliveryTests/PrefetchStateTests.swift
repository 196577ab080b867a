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
        state.block(lane, until: probe)
        // One that is here can probe.
        #expect(wanted(state, lane, at: probe) == 0 && state.nextLook() == nil)
        #expect(state.finish(10, of: lane, kind: nil, at: now) == false)
        #expect(state.nextLook() == probe && wanted(state, lane, at: now + .seconds(3)) == 0)
        #expect(wanted(state, lane, at: probe) == 1)
        state.block(lane, until: nil)
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

/// Lanes that fill, batches that come and are finished, breakers that open.
private struct PrefetchRun {
    private struct Part {
        var lane: Lane
        var kind: PrefetchState.Kind?
        var messages: Int
    }

    private static let most = 100
    private static let kinds = [LimitScope.domain("a"), .domain("b"), nil].map { PrefetchState.Kind(mailing: testMailing, domain: $0) }
    private let lanes: [Lane]
    private var random: SeededGenerator
    private var state = PrefetchState(first: 20, most: most)
    private var now = ContinuousClock.now
    private var waiting: [Lane: Int] = [:]
    private var parts: [Part] = []
    private var asked: [BatchQueue.Want] = []
    private var probes: [Lane: ContinuousClock.Instant] = [:]
    private var usable: [PrefetchState.Kind: Double] = [:]
    private var offered: Set<Lane> = []
    var problem: String?

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        lanes = (0..<Int.random(in: 1...5, using: &random)).map { Lane(channel: .email, provider: "\($0)") }
    }

    private func messages(_ lane: Lane) -> Int { parts.filter { $0.lane == lane }.reduce(0) { $0 + $1.messages } }

    mutating func step() {
        now += .milliseconds(Int.random(in: 0...800, using: &random))
        guard let lane = lanes.randomElement(using: &random) else { return }
        let before = wanted()
        var isTold = true
        switch Int.random(in: 0..<16, using: &random) {
        case 0, 1:
            waiting[lane, default: 0] += Int.random(in: 1...9, using: &random)
            isTold = state.offer(lane, at: now)
            offered.insert(lane)
        case 2..<5: ask()
        case 5..<7: answer()
        case 7, 8: split()
        case 9..<13: isTold = finish()
        case 13: state.adjust(lane, target: Int.random(in: 0...300, using: &random))
        case 14:
            probes[lane] = Bool.random(using: &random) ? now + .milliseconds(Int.random(in: 0...3_000, using: &random)) : nil
            state.block(lane, until: probes[lane])
        default: state.forget(at: now)
        }
        if !isTold {
            // Whoever waits for room for the first batch of a lane looks again in a while.
            let new = wanted().subtracting(before).filter { messages($0) > 0 }
            if !new.isEmpty { problem = "nobody is told that \(new) are wanted" }
        }
        check()
    }

    private func wanted() -> Set<Lane> {
        var copy = state
        return Set(copy.wants(at: now).map(\.lane))
    }

    private mutating func ask() {
        let wants = state.wants(at: now)
        for want in wants {
            if !(1...16).contains(want.count) { problem = "\(want.count) batches are wanted" }
            if asked.contains(where: { $0.lane == want.lane }) { problem = "asked twice" }
            if let probe = probes[want.lane], want.count > 1 || now < probe { problem = "\(want.count) of a lane whose breaker is open" }
            if state.total >= 16 * Self.most { problem = "taken though enough is here" }
        }
        // A lane of which nothing is here is never held back by others.
        let silent = offered.subtracting(wants.map(\.lane)).filter { lane in
            messages(lane) == 0 && !asked.contains { $0.lane == lane } && probes[lane].map { $0 <= now } ?? true
        }
        if state.total < 16 * Self.most, !silent.isEmpty { problem = "\(silent) starve" }
        asked += wants
    }

    private mutating func answer() {
        guard !asked.isEmpty else { return }
        if Int.random(in: 0..<6, using: &random) == 0 {
            state.failed(asked)
            asked = []
            return
        }
        let want = asked.remove(at: Int.random(in: 0..<asked.count, using: &random))
        let count = min(want.count, waiting[want.lane, default: 0])
        let sizes = (0..<count).map { _ in Int.random(in: 1...60, using: &random) }
        waiting[want.lane, default: 0] -= count
        let left = waiting[want.lane, default: 0]
        state.taken(want.lane, sizes: sizes, waiting: left, at: now)
        if left == 0 { offered.remove(want.lane) } else { offered.insert(want.lane) }
        parts += sizes.map { Part(lane: want.lane, kind: nil, messages: $0) }
        // A takeover brings one without being asked.
        if Int.random(in: 0..<6, using: &random) == 0 {
            state.taken(want.lane, sizes: [7], waiting: nil, at: now)
            parts.append(Part(lane: want.lane, kind: nil, messages: 7))
        }
    }

    private mutating func split() {
        guard let place = parts.indices.filter({ parts[$0].kind == nil }).randomElement(using: &random),
            let kind = Self.kinds.randomElement(using: &random)
        else { return }
        let count = Int.random(in: 0...parts[place].messages, using: &random)
        let usable = Bool.random(using: &random) ? Double.infinity : Double.random(in: 0...10, using: &random)
        state.assign(count, of: parts[place].lane, to: kind, usable: usable)
        parts[place].messages -= count
        parts.append(Part(lane: parts[place].lane, kind: kind, messages: count))
    }

    private mutating func finish() -> Bool {
        guard let place = parts.indices.randomElement(using: &random) else { return true }
        let count = Bool.random(using: &random) ? parts[place].messages : Int.random(in: 0...parts[place].messages, using: &random)
        // As `Share` does: nothing is not told.
        guard count > 0 else { return true }
        parts[place].messages -= count
        let (lane, kind) = (parts[place].lane, parts[place].kind)
        if parts[place].messages == 0 { parts.remove(at: place) }
        return state.finish(count, of: lane, kind: kind, at: now)
    }

    private mutating func check() {
        let sum = parts.reduce(0) { $0 + $1.messages }
        if state.total != sum || state.total < 0 { problem = "\(state.total) in place of \(sum)" }
        for lane in lanes where state.messages(of: lane) != messages(lane) {
            problem = "\(state.messages(of: lane)) of \(lane) in place of \(messages(lane))"
        }
    }
}

private let testMailing: MailingID = {
    var generator = SeededGenerator(seed: 1)
    return MailingID(milliseconds: 1, using: &generator)
}()
