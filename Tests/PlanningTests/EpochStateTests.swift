import Model
import Policy
import Testing

@testable import Broker
@testable import Planning

/// What the dispatcher knows of the workers, and what it waits for after a loss of Redis.
@Suite struct EpochStateTests {
    private static let start = ContinuousClock.now
    private let longest = max(Duration.seconds(10), Timing.longestReturn) + Timing.returnMargin

    private func worker(_ name: String, isAlive: Bool = true, _ condition: WorkerRegistry.Condition? = .clean)
        -> WorkerRegistry.Registration
    {
        WorkerRegistry.Registration(worker: name, isAlive: isAlive, condition: condition)
    }

    /// An epoch with workers that were seen and admitted.
    private func known(_ workers: [WorkerRegistry.Registration]) -> EpochState {
        var state = EpochState(lease: .seconds(10), isAlone: false)
        state.begin()
        #expect(state.see(workers, now: 1_000) == workers.map(\.worker))
        return state
    }

    @Test func aWorkerThatHasGoneIsKnownUntilOthersHaveItsBatchesAndItsResultsAreCollected() {
        var state = known([worker("a"), worker("b")])
        #expect(state.workerCount == 2)
        #expect(state.see([worker("a", isAlive: false), worker("b")], now: 2_000) == ["b"])
        #expect(state.gone == ["a"] && state.workerCount == 1)
        state.settle(holders: ["a"], oldest: [nil], now: 2_000)
        _ = state.see([worker("b")], now: 3_000)
        // Its batches are others' now. It may have reported results until just before that, and they may be in Redis alone.
        state.settle(holders: [], oldest: [2_000, nil], now: 3_000)
        #expect(state.departed == ["a": 3_000])
        state.settle(holders: [], oldest: [3_001], now: 4_000)
        #expect(state.departed.isEmpty)
    }

    @Test func aWorkerThatComesBackIsNoDepartedOne() {
        var state = known([worker("a")])
        _ = state.see([worker("a", isAlive: false)], now: 2_000)
        #expect(state.see([worker("a")], now: 3_000) == ["a"])
        #expect(state.departed.isEmpty && state.gone.isEmpty)
        _ = state.see([], now: 4_000)
        #expect(state.departed == ["a": 4_000])
    }

    @Test func whoWorkedBeforeTheDispatcherLookedIsUnknownUntilAllIsCollected() {
        var state = EpochState(lease: .seconds(10), isAlone: false)
        _ = state.see([worker("a")], now: 1_000)
        state.settle(holders: [], oldest: [nil], now: 1_000)
        #expect(state.unknown == 1_000)
        state.settle(holders: [], oldest: [900], now: 2_000)
        #expect(state.unknown == 1_000)
        state.settle(holders: [], oldest: [1_001], now: 2_000)
        #expect(state.unknown == nil)
    }

    @Test func afterALossOfWhichEachHasToldNobodyIsMissing() {
        var state = known([worker("a"), worker("b")])
        #expect(state.lose([worker("a", .busy), worker("b", .lost)], uncollected: 0, at: Self.start).wait == .busy(2))
        #expect(state.lose([worker("a")], uncollected: 0, at: Self.start).wait == .lost(1))
        #expect(state.lose([worker("a"), worker("b")], uncollected: 3, at: Self.start) == .init(wait: .results(3), missing: []))
        #expect(state.lose([worker("a"), worker("b")], uncollected: 0, at: Self.start) == .init(wait: nil, missing: []))
    }

    @Test func whoDoesNotComeBackOrCannotTellIsMissing() {
        var state = known([worker("a"), worker("b"), worker("c")])
        let all = [worker("a"), worker("b", .doubt)]
        #expect(state.lose(all, uncollected: 0, at: Self.start).wait == .lost(1))
        #expect(state.lose(all, uncollected: 0, at: Self.start + longest - .milliseconds(1)).wait == .lost(1))
        #expect(state.lose(all, uncollected: 0, at: Self.start + longest) == .init(wait: nil, missing: ["c", "b"]))
        // One that finishes for ever is waited for so long and no longer.
        var slow = known([worker("a")])
        #expect(slow.lose([worker("a", .busy)], uncollected: 0, at: Self.start).wait == .busy(1))
        #expect(slow.lose([worker("a", .busy)], uncollected: 0, at: Self.start + Timing.finishing).missing == ["a"])
    }

    @Test func aDispatcherThatKnowsOfNobodySaysSo() {
        var state = EpochState(lease: .seconds(10), isAlone: false)
        #expect(state.lose([], uncollected: 0, at: Self.start).wait == .lost(nil))
        #expect(state.lose([], uncollected: 0, at: Self.start + longest) == .init(wait: nil, missing: nil))
        // In a Redis of its own nobody is waited for.
        var alone = EpochState(lease: .seconds(10), isAlone: true)
        #expect(alone.lose([], uncollected: 0, at: Self.start) == .init(wait: nil, missing: nil))
    }

    /// Planner and Redis were lost together: the ledger tells the next planner whom to ask.
    @Test func whomTheLedgerKnowsIsAskedAndNobodyIsUnknown() {
        var state = EpochState(lease: .seconds(10), isAlone: false)
        state.inherit(["a", "b"])
        #expect(state.lose([worker("a")], uncollected: 0, at: Self.start).wait == .lost(1))
        #expect(state.lose([worker("a"), worker("b")], uncollected: 0, at: Self.start) == .init(wait: nil, missing: []))
        var silent = EpochState(lease: .seconds(10), isAlone: false)
        silent.inherit(["a", "b"])
        _ = silent.lose([worker("a")], uncollected: 0, at: Self.start)
        #expect(silent.lose([worker("a")], uncollected: 0, at: Self.start + longest) == .init(wait: nil, missing: ["b"]))
    }

    @Test func whoIsKnownFromTheLedgerAndHasGoneIsDepartedAndNobodyIsUnknown() {
        var state = EpochState(lease: .seconds(10), isAlone: false)
        state.inherit(["a", "b"])
        #expect(state.see([worker("a"), worker("c")], now: 2_000) == ["a", "c"])
        #expect(state.unknown == nil && state.departed == ["b": 2_000] && state.concerned == ["a", "b", "c"])
        // What this planner has seen itself, the ledger does not change.
        state.inherit([])
        #expect(state.concerned == ["a", "b", "c"])
    }

    /// The process before us has ended, and nothing of it can come back; its lease may seem to last.
    @Test func inARedisOfOurOwnNobodyOfAnEarlierRunIsWaitedFor() {
        var state = EpochState(lease: .seconds(10), isAlone: true)
        state.inherit(["old"])
        #expect(state.lose([worker("old", nil)], uncollected: 2, at: Self.start) == .init(wait: .results(2), missing: ["old"]))
        var own = EpochState(lease: .seconds(10), isAlone: true)
        own.begin()
        _ = own.see([worker("me")], now: 1_000)
        #expect(own.lose([worker("me", nil)], uncollected: 0, at: Self.start).wait == .lost(1))
    }

    @Test func whateverHappensNobodyIsForgottenBeforeItsResultsAreCollected() {
        for seed in 0..<3_000 as Range<UInt64> {
            var run = EpochRun(seed: seed)
            for _ in 0..<80 where run.problem == nil { run.step() }
            run.lose()
            if let problem = run.problem { Issue.record("seed \(seed): \(problem)") }
        }
    }
}

/// A fleet as Redis sees it, and a dispatcher that looks at it.
private struct EpochRun {
    private struct Worker {
        var isRegistered = true
        var isAlive = true
        var isAdmitted = false
        /// It has batches in a lane.
        var holds = false
    }

    private static let start = ContinuousClock.now
    private var random: SeededGenerator
    private var state = EpochState(lease: .seconds(10), isAlone: false)
    private var workers: [String: Worker] = [:]
    /// Results that no collector has taken, the oldest first.
    private var results: [(worker: String, time: UInt64)] = []
    private var now: UInt64 = 1_000
    private var names = 0
    private var hasLooked = false
    var problem: String?

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        if Bool.random(using: &random) {
            state.begin()
            hasLooked = true
        } else {
            // It comes to a fleet that works.
            for _ in 0..<3 { add() }
            for name in workers.keys { workers[name]?.isAdmitted = true }
            for _ in 0..<6 { work() }
        }
    }

    private var registrations: [WorkerRegistry.Registration] {
        workers.filter(\.value.isRegistered).map {
            WorkerRegistry.Registration(worker: $0.key, isAlive: $0.value.isAlive, condition: .clean)
        }
    }

    private mutating func add() {
        names += 1
        workers["w\(names)"] = Worker()
    }

    private mutating func pick(_ condition: (Worker) -> Bool) -> String? {
        workers.filter { condition($0.value) }.keys.sorted().randomElement(using: &random)
    }

    private mutating func work() {
        if let name = pick({ $0.isAlive && $0.isAdmitted }) { workers[name]?.holds = true }
        // A worker whose lease has expired finishes what it has in flight.
        if let name = pick({ $0.holds }), Bool.random(using: &random) { results.append((name, now)) }
    }

    mutating func step() {
        if Int.random(in: 0..<3, using: &random) > 0 { now += UInt64.random(in: 0...900, using: &random) }
        switch Int.random(in: 0..<16, using: &random) {
        case 0: if workers.count < 6 { add() }
        case 1..<5: look()
        case 5..<9: work()
        case 9: if let name = pick({ $0.isAlive }) { die(name) }
        case 10:
            // It ends in order: it has nothing any more.
            if let name = pick({ $0.isAlive }) {
                workers[name]?.holds = false
                die(name)
            }
        case 11:
            if let name = pick({ !$0.isAlive && $0.isRegistered }) { workers[name]?.isAlive = true }
        case 12:
            guard let dead = pick({ !$0.isAlive && $0.holds }), let name = pick({ $0.isAlive && $0.isAdmitted }) else { break }
            workers[dead]?.holds = false
            workers[name]?.holds = true
        case 13:
            if let name = pick({ !$0.isAlive && !$0.holds }) { workers[name]?.isRegistered = false }
        default: results.removeFirst(min(results.count, Int.random(in: 0...2, using: &random)))
        }
        check()
    }

    /// Its lease expires: it must be admitted again.
    private mutating func die(_ name: String) {
        workers[name]?.isAlive = false
        workers[name]?.isAdmitted = false
    }

    private mutating func look() {
        hasLooked = true
        // What is registered was read at that time, and the rest a moment later.
        for name in state.see(registrations, now: now) where workers[name]?.isAlive == true { workers[name]?.isAdmitted = true }
        guard !state.departed.isEmpty || state.unknown != nil else { return }
        let holders = Set(state.gone.filter { workers[$0]?.holds == true })
        state.settle(holders: holders, oldest: [results.first?.time, nil], now: now)
    }

    /// Workers that may have messages in flight, or results in Redis alone.
    private var concerned: Set<String> {
        Set(workers.filter(\.value.holds).keys).union(results.map(\.worker))
    }

    private mutating func check() {
        guard hasLooked, state.unknown == nil else { return }
        let known = (state.workers ?? []).union(state.departed.keys)
        let forgotten = concerned.subtracting(known)
        if !forgotten.isEmpty { problem = "\(forgotten) are forgotten" }
    }

    /// Redis is lost; some come back and tell, others do not.
    mutating func lose() {
        guard problem == nil else { return }
        let concerned = concerned
        let isKnown = hasLooked && state.unknown == nil
        var told: [String: WorkerRegistry.Condition] = [:]
        var elapsed = Duration.zero
        for _ in 0..<60 {
            elapsed += .milliseconds(Int.random(in: 0...3_000, using: &random))
            if let name = pick({ $0.isAlive }), Bool.random(using: &random) {
                told[name] = [.lost, .busy, .clean, .doubt].randomElement(using: &random)
            }
            let all = told.map { WorkerRegistry.Registration(worker: $0.key, isAlive: true, condition: $0.value) }
            let loss = state.lose(all, uncollected: 0, at: Self.start + elapsed)
            guard loss.wait == nil else { continue }
            let silent = concerned.filter { told[$0] != .clean }
            if let missing = loss.missing {
                if !isKnown { problem = "\(missing) are said to be all, though it is not known who worked" }
                if !silent.isSubset(of: missing) { problem = "\(silent.subtracting(missing)) have not told, and are not missed" }
                if missing.contains(where: { told[$0] == .clean }) { problem = "somebody is missed who has told" }
            }
            let busy = told.values.contains { $0 == .busy || $0 == .lost }
            if busy, elapsed < Timing.finishing { problem = "not waited for who is busy" }
            return
        }
        if elapsed > Timing.finishing * 2 { problem = "waits for ever" }
    }
}
