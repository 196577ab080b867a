import NIOCore
import Testing

@testable import Model
@testable import Transport

@Suite struct SMTPPoolStateTests {
    typealias PoolState = SMTPPoolState<Int, String>

    private let start = NIODeadline.now()
    private let failure = SMTPFailure(kind: .reconnect, stage: .connect, text: "refused")

    /// A pool's state that can be asked within an expectation, at one time.
    private final class Office {
        private var poolState: PoolState
        private var now = NIODeadline.now()
        private let failure = SMTPFailure(kind: .reconnect, stage: .connect, text: "refused")

        init(limit: Int) { poolState = PoolState(limit: limit) }

        func add(_ job: Int) -> [PoolState.Action] { poolState.add(job, now: now) }
        func opened(_ id: Int, _ name: String) -> PoolState.Next { poolState.opened(id, name) }
        func freed(_ id: Int) -> (next: PoolState.Next, actions: [PoolState.Action]) {
            poolState.freed(id, isFruitful: true, now: now)
        }
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

    private func opened(_ actions: [PoolState.Action]) -> [Int] {
        actions.compactMap { if case .open(let id) = $0 { id } else { nil } }
    }

    private func refused(_ actions: [PoolState.Action]) -> [Int] {
        actions.flatMap { action -> [Int] in if case .refuse(let jobs, _) = action { jobs } else { [] } }
    }

    private func woken(_ actions: [PoolState.Action]) -> NIODeadline? {
        actions.compactMap { if case .wake(let time) = $0 { time } else { nil } }.first
    }

    private func taken(_ next: PoolState.Next) -> Int? {
        if case .take(let job) = next { job } else { nil }
    }

    @Test func connectionsAreOpenedAsJobsComeUpToTheLimitAndJobsWaitInOrder() {
        let poolState = Office(limit: 2)
        #expect(opened(poolState.add(1)) == [1])
        #expect(opened(poolState.add(2)) == [2])
        #expect(opened(poolState.add(3)).isEmpty)
        #expect(taken(poolState.opened(2, "b")) == 1)
        #expect(taken(poolState.opened(1, "a")) == 2)
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
        let first = poolState.failedToOpen(1) + poolState.failedToOpen(2)
        let failed = NIODeadline.now()
        #expect(refused(first).isEmpty && opened(first).isEmpty)
        let time = try #require(woken(first))
        #expect(refused(poolState.failedToOpen(3)) == [1, 2, 3, 4, 5])
        #expect((poolState.add(6) + poolState.add(7)).isEmpty)
        #expect(time > start && time < failed + .milliseconds(2 * SMTPBackoff.first))
        // One tries for all, and again after it worked.
        #expect(opened(poolState.woken(at: time)) == [4])
        #expect(taken(poolState.opened(4, "a")) == 6)
        #expect(opened(poolState.add(8)) == [5], "one more at a time")
        #expect(opened(poolState.add(9)).isEmpty)
        #expect(opened(poolState.freed(4).actions) == [6])
    }

    @Test func theBackOffGrowsToItsLimitAndNoFurther() {
        var backoff = SMTPBackoff()
        var now = start
        for round in 0..<20 {
            backoff.failed(at: now, jitter: 0.5)
            let wait = (backoff.until - now).nanoseconds / 1_000_000
            #expect(wait <= SMTPBackoff.longest && wait >= min(SMTPBackoff.first << round, SMTPBackoff.longest) / 2)
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
        #expect(taken(poolState.opened(1, "a")) == 1)
        _ = poolState.add(2)
        let actions = poolState.lost(1, leftover: 1)
        #expect(opened(actions) == [2])
        #expect(taken(poolState.opened(2, "b")) == 1)
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

    /// Whatever happens in whatever order, the limit holds, and each job is given, refused or dropped in the end.
    @Test(arguments: [UInt64](1...60))
    func noJobIsLostAndTheLimitHolds(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let limit = Int.random(in: 1...4, using: &generator)
        var poolState = PoolState(limit: limit)
        var now = start
        var opening: Set<Int> = []
        var busy: [Int: Int] = [:]
        var idle: Set<Int> = []
        var wake: NIODeadline?
        var ended: [Int] = []
        var added = 0
        func perform(_ actions: [PoolState.Action]) {
            for action in actions {
                switch action {
                case .give(let job, let name):
                    let id = Int(name) ?? 0
                    #expect(idle.remove(id) != nil)
                    busy[id] = job
                case .open(let id): opening.insert(id)
                case .refuse(let jobs, _): ended += jobs
                case .drop(let jobs): ended += jobs
                case .wake(let time): wake = time
                case .quit(let name): idle.remove(Int(name) ?? 0)
                case .cut, .gone: break
                }
            }
        }
        func goOn(_ id: Int, _ next: PoolState.Next) {
            busy[id] = nil
            switch next {
            case .take(let job): busy[id] = job
            case .idle: idle.insert(id)
            case .quit: break
            }
        }
        for step in 0..<600 {
            #expect(opening.count + busy.count + idle.count <= limit)
            now = now + .milliseconds(Int64.random(in: 0...80, using: &generator))
            if let time = wake, time <= now {
                wake = nil
                perform(poolState.woken(now: now))
            }
            switch Int.random(in: 0...6, using: &generator) {
            case 0 where step < 400:
                added += 1
                perform(poolState.add(added, now: now))
            case 1, 2:
                guard let id = opening.min() else { continue }
                opening.remove(id)
                goOn(id, poolState.opened(id, "\(id)"))
            case 3 where step < 400:
                guard let id = opening.min() else { continue }
                opening.remove(id)
                perform(poolState.failedToOpen(id, failure, now: now, jitter: 0.5))
            case 4, 5:
                guard let (id, job) = busy.min(by: { $0.key < $1.key }) else { continue }
                ended.append(job)
                let (next, actions) = poolState.freed(id, isFruitful: true, now: now)
                goOn(id, next)
                perform(actions)
            default:
                guard let (id, job) = busy.max(by: { $0.key < $1.key }) else { continue }
                busy[id] = nil
                perform(
                    poolState.lost(
                        id, leftover: job, outcome: [.quiet, .failed, .fruitful][step % 3], now: now, jitter: 0.5))
            }
        }
        // Whoever is left is answered once the provider works.
        for _ in 0..<2_000 where ended.count < added {
            now = now + .milliseconds(100)
            if let time = wake, time <= now {
                wake = nil
                perform(poolState.woken(now: now))
            }
            if let id = opening.min() {
                opening.remove(id)
                goOn(id, poolState.opened(id, "\(id)"))
            }
            if let (id, job) = busy.first {
                ended.append(job)
                let (next, actions) = poolState.freed(id, isFruitful: true, now: now)
                goOn(id, next)
                perform(actions)
            }
        }
        #expect(ended.sorted() == Array(1...max(1, added)).prefix(added).map { $0 })
    }
}
