import NIOCore
import Testing

@testable import Model
@testable import Transport

@Suite struct SMTPPoolStateTests {
    typealias PoolState = SMTPPoolState<Int, String>

    let start = NIODeadline.now()
    let failure = SMTPFailure(action: .reconnect, stage: .connect, text: "refused")

    /// A pool's state that can be asked within an expectation, at one time.
    final class Office {
        private var poolState: PoolState
        private var now = NIODeadline.now()
        private let failure = SMTPFailure(action: .reconnect, stage: .connect, text: "refused")

        init(limit: Int) { poolState = PoolState(limit: limit) }

        func add(_ job: Int) -> [PoolState.Action] { poolState.add(job, now: now) }
        func opened(_ id: Int, _ name: String) -> (next: PoolState.Next, actions: [PoolState.Action]) {
            poolState.opened(id, name, now: now)
        }
        func freed(_ id: Int, answered: Int = 1) -> (next: PoolState.Next, actions: [PoolState.Action]) {
            poolState.freed(id, answered: answered, now: now)
        }
        func park(_ id: Int) -> (isParked: Bool, actions: [PoolState.Action]) { poolState.park(id, now: now) }
        func failedToOpen(_ id: Int) -> [PoolState.Action] { poolState.failedToOpen(id, failure, now: now, jitter: 1) }
        func lost(_ id: Int, leftover: Int?) -> [PoolState.Action] {
            poolState.lost(id, leftover: leftover, outcome: .quiet, now: now, jitter: 0)
        }
        func retire(_ id: Int) -> Bool { poolState.retire(id) }
        func close() -> [PoolState.Action] { poolState.close() }
        func abort() -> [PoolState.Action] { poolState.abort() }
        func woken(at time: NIODeadline) -> [PoolState.Action] {
            now = time
            return poolState.woken(now: time)
        }
    }

    func opened(_ actions: [PoolState.Action]) -> [Int] {
        actions.compactMap { if case .open(let id) = $0 { id } else { nil } }
    }

    func refused(_ actions: [PoolState.Action]) -> [Int] {
        actions.flatMap { action -> [Int] in if case .refuse(let jobs, _) = action { jobs } else { [] } }
    }

    func woken(_ actions: [PoolState.Action]) -> NIODeadline? {
        actions.compactMap { if case .wake(let time) = $0 { time } else { nil } }.first
    }

    func taken(_ next: PoolState.Next) -> Int? {
        if case .take(let job) = next { job } else { nil }
    }

    @Test func connectionsAreOpenedAsJobsComeUpToTheLimitAndJobsWaitInOrder() {
        let poolState = Office(limit: 2)
        #expect(opened(poolState.add(1)) == [1])
        #expect((poolState.add(2) + poolState.add(3)).isEmpty, "one at first: nobody knows whether it can be had")
        let first = poolState.opened(1, "a")
        #expect(taken(first.next) == 1 && opened(first.actions) == [2])
        #expect(taken(poolState.opened(2, "b").next) == 2)
        #expect(taken(poolState.freed(2).next) == 3)
        guard case .idle = poolState.freed(1).next else {
            Issue.record("a connection without work is idle")
            return
        }
        guard case .give(4, "a")? = poolState.add(4).first else {
            Issue.record("the idle connection takes the next job")
            return
        }
    }

    @Test func whenNoConnectionCanBeHadAllWhoWaitAreRefusedAndTheNextWaitsForTheBackOff() throws {
        let poolState = Office(limit: 3)
        for job in 1...5 { _ = poolState.add(job) }
        #expect(refused(poolState.failedToOpen(1)) == [1, 2, 3, 4, 5])
        let failed = NIODeadline.now()
        let time = try #require(woken(poolState.add(6) + poolState.add(7)))
        #expect(time > start && time < failed + .milliseconds(2 * ConnectBackoff.first))
        // One tries for all, and again after it worked.
        #expect(opened(poolState.woken(at: time)) == [2])
        let second = poolState.opened(2, "a")
        #expect(taken(second.next) == 6 && opened(second.actions) == [3], "one more at a time")
        #expect(opened(poolState.add(8)).isEmpty)
        #expect(opened(poolState.freed(2).actions).isEmpty)
    }

    /// "421 Too many connections": three are taken, and any further one is refused.
    @Test func aProviderThatTakesThreeIsRarelyAskedForAFourth() {
        var poolState = PoolState(limit: 20)
        var now = start
        var open = 0
        var tries = 0
        var jobs = 0
        for _ in 0..<600 {
            // Work enough for all, and messages are answered all the time.
            now = now + .milliseconds(100)
            var actions = poolState.woken(now: now)
            for _ in 0..<5 {
                jobs += 1
                actions += poolState.add(jobs, now: now)
            }
            if open > 0 { actions += poolState.freed(1, answered: 1, now: now).actions }
            while let action = actions.popLast() {
                guard case .open(let id) = action else { continue }
                tries += 1
                if open < 3 {
                    open += 1
                    actions += poolState.opened(id, "\(id)", now: now).actions
                } else {
                    actions += poolState.failedToOpen(id, failure, now: now, jitter: 0.5)
                }
            }
        }
        #expect(open == 3 && tries <= 12, "\(tries) in a minute")
    }

    /// The attempts of ten workers to connect to a provider that refuses.
    @Test func aFleetMakesAFewAttemptsASecond() {
        var generator = SeededGenerator(seed: 7)
        var attempts: [Int] = []
        for _ in 0..<10 {
            var poolState = PoolState(limit: 20)
            for tenth in 0..<600 {
                let now = start + .milliseconds(Int64(tenth) * 100)
                var actions = poolState.add(tenth, now: now) + poolState.woken(now: now)
                while let action = actions.popLast() {
                    guard case .open(let id) = action else { continue }
                    attempts.append(tenth / 10)
                    let jitter = Double.random(in: 0...1, using: &generator)
                    actions += poolState.failedToOpen(id, failure, now: now, jitter: jitter, fleet: 10)
                }
            }
        }
        let seconds = Dictionary(grouping: attempts) { $0 }.mapValues(\.count)
        #expect(seconds[0] ?? 0 <= 10 && seconds.allSatisfy { $0.key == 0 || $0.value <= 6 }, "\(seconds)")
        #expect(attempts.count <= 150, "\(attempts.count) in a minute")
    }

    @Test func aConnectionThatWaitsLongForAResponseLendsItsPlaceWhileSuchAreFew() {
        let poolState = Office(limit: 1)
        _ = poolState.add(1)
        _ = poolState.opened(1, "a")
        #expect(poolState.add(2).isEmpty)
        let parked = poolState.park(1)
        #expect(parked.isParked && opened(parked.actions) == [2])
        #expect(taken(poolState.opened(2, "b").next) == 2)
        // All are slow: no further connection is opened for that.
        #expect(!poolState.park(2).isParked)
        // The first has its response: others have taken its place.
        guard case .quit = poolState.freed(1).next else {
            Issue.record("there are more connections than may be")
            return
        }
        // Where most are answered in time, one may wait again.
        for job in 3..<40 {
            _ = poolState.add(job)
            _ = poolState.freed(2)
        }
        #expect(poolState.park(2).isParked)
    }

    @Test func theBackOffGrowsToItsLimitAndNoFurther() {
        var backoff = ConnectBackoff()
        var now = start
        for round in 0..<20 {
            backoff.failed(at: now, jitter: 0.5)
            let wait = (backoff.until - now).nanoseconds / 1_000_000
            #expect(wait <= ConnectBackoff.longest && wait >= min(ConnectBackoff.first << round, ConnectBackoff.longest) / 2)
            // Those that fail together count once.
            let until = backoff.until
            backoff.failed(at: now, jitter: 0.5)
            #expect(backoff.until == until)
            now = backoff.until
        }
        backoff.succeeded()
        #expect(!backoff.holds(at: now))
    }

    @Test func whatALostConnectionLeavesGoesFirst() {
        let poolState = Office(limit: 1)
        _ = poolState.add(1)
        #expect(taken(poolState.opened(1, "a").next) == 1)
        _ = poolState.add(2)
        let actions = poolState.lost(1, leftover: 1)
        #expect(opened(actions) == [2])
        #expect(taken(poolState.opened(2, "b").next) == 1)
    }

    @Test func anIdleConnectionMayLeaveUnlessAJobIsOnItsWay() {
        let poolState = Office(limit: 1)
        _ = poolState.add(1)
        _ = poolState.opened(1, "a")
        #expect(!poolState.retire(1))
        _ = poolState.freed(1)
        #expect(poolState.retire(1))
        #expect(!poolState.retire(1))
    }

    @Test func closingDropsWhoWaitsAndEndsWithTheLastConnection() {
        let poolState = Office(limit: 1)
        _ = poolState.add(1)
        _ = poolState.opened(1, "a")
        _ = poolState.add(2)
        let actions = poolState.close()
        #expect(actions.contains { if case .drop([2]) = $0 { true } else { false } })
        #expect(!actions.contains { if case .gone = $0 { true } else { false } })
        guard case .quit = poolState.freed(1).next else {
            Issue.record("a connection in use says goodbye after its job")
            return
        }
        let last = poolState.lost(1, leftover: nil)
        #expect(last.contains { if case .gone = $0 { true } else { false } })
        #expect(poolState.add(3).contains { if case .drop([3]) = $0 { true } else { false } })
    }

    @Test func abortingCutsEveryConnectionAndEndsWhenAllAreLost() {
        let poolState = Office(limit: 2)
        _ = poolState.add(1)
        _ = poolState.add(2)
        _ = poolState.opened(1, "a")
        _ = poolState.opened(2, "b")
        _ = poolState.freed(2)
        _ = poolState.add(3)
        _ = poolState.add(4)
        let actions = poolState.abort()
        let cut = actions.compactMap { if case .cut(let name) = $0 { name } else { nil } }
        #expect(cut.sorted() == ["a", "b"])
        #expect(actions.contains { if case .drop([4]) = $0 { true } else { false } })
        #expect(poolState.lost(1, leftover: 1).contains { if case .drop([1]) = $0 { true } else { false } })
        #expect(poolState.lost(2, leftover: nil).contains { if case .gone = $0 { true } else { false } })
    }
}
