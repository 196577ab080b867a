import NIOCore
import Testing
@testable import Model
@testable import Transport

/// Random events against the invariants of a pool.
extension SMTPPoolStateTests {
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
                let (next, actions) = poolState.opened(id, "\(id)", now: now)
                goOn(id, next)
                perform(actions)
            case 3 where step < 400:
                guard let id = opening.min() else { continue }
                opening.remove(id)
                perform(poolState.failedToOpen(id, failure, now: now, jitter: 0.5))
            case 4, 5:
                guard let (id, job) = busy.min(by: { $0.key < $1.key }) else { continue }
                ended.append(job)
                let (next, actions) = poolState.freed(id, answered: 1, now: now)
                goOn(id, next)
                perform(actions)
            default:
                guard let (id, job) = busy.max(by: { $0.key < $1.key }) else { continue }
                busy[id] = nil
                perform(
                    poolState.lost(
                        id, leftover: job, outcome: [.quiet, .failed, .answered, .throttled][step % 4], now: now, jitter: 0.5))
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
                let (next, actions) = poolState.opened(id, "\(id)", now: now)
                goOn(id, next)
                perform(actions)
            }
            if let (id, job) = busy.first {
                ended.append(job)
                let (next, actions) = poolState.freed(id, answered: 1, now: now)
                goOn(id, next)
                perform(actions)
            }
        }
        #expect(ended.sorted() == Array(1...max(1, added)).prefix(added).map { $0 })
    }
}
