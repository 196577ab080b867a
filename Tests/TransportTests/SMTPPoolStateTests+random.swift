import NIOCore
import Testing

@testable import Model
@testable import Transport

/// Random events against the invariants of a pool.
extension SMTPPoolStateTests {
    /// Whatever happens in whatever order, the limit holds, and each job is given, refused or dropped in the end.
    @Test(arguments: [UInt64](1...60))
    func noJobIsLostAndTheLimitHolds(_ seed: UInt64) {
        var run = PoolRun(seed: seed, start: start, failure: failure)
        for number in 0..<600 {
            #expect(run.connections <= run.limit)
            run.step(number)
        }
        // Whoever is left is answered once the provider works.
        for _ in 0..<2_000 where run.ended.count < run.added { run.work() }
        #expect(run.ended.sorted() == Array(0..<run.added))
    }
}

/// A pool with its connections and jobs, to which events happen at random.
private struct PoolRun {
    typealias PoolState = SMTPPoolState<Int, String>

    let limit: Int
    /// The jobs that were added have the numbers below.
    private(set) var added = 0
    /// The jobs that were answered, refused or dropped.
    private(set) var ended: [Int] = []
    private let failure: SMTPFailure
    private var generator: SeededGenerator
    private var pool: PoolState
    private var now: NIODeadline
    private var wake: NIODeadline?
    private var opening: Set<Int> = []
    /// The job of each connection at work.
    private var busy: [Int: Int] = [:]
    private var idle: Set<Int> = []

    var connections: Int { opening.count + busy.count + idle.count }

    init(seed: UInt64, start: NIODeadline, failure: SMTPFailure) {
        var generator = SeededGenerator(seed: seed)
        limit = Int.random(in: 1...4, using: &generator)
        pool = PoolState(limit: limit)
        now = start
        self.failure = failure
        self.generator = generator
    }

    /// Something happens. Late events are only such as bring the work forward.
    mutating func step(_ number: Int) {
        pass(.milliseconds(Int64.random(in: 0...80, using: &generator)))
        let isLate = number >= 400
        switch Int.random(in: 0...6, using: &generator) {
        case 0 where !isLate:
            added += 1
            perform(pool.add(added - 1, now: now))
        case 1, 2: open()
        case 3 where !isLate:
            guard let id = opening.min() else { return }
            opening.remove(id)
            perform(pool.failedToOpen(id, failure, now: now, jitter: 0.5))
        case 4, 5: if let id = busy.keys.min() { answer(id) }
        default:
            guard let id = busy.keys.max(), let job = busy.removeValue(forKey: id) else { return }
            let outcome: PoolState.Outcome = [.quiet, .failed, .answered, .throttled][number % 4]
            perform(pool.lost(id, leftover: job, outcome: outcome, now: now, jitter: 0.5))
        }
    }

    /// The provider opens a connection and answers a message.
    mutating func work() {
        pass(.milliseconds(100))
        open()
        if let id = busy.keys.min() { answer(id) }
    }

    private mutating func pass(_ time: TimeAmount) {
        now = now + time
        guard let due = wake, due <= now else { return }
        wake = nil
        perform(pool.woken(now: now))
    }

    private mutating func open() {
        guard let id = opening.min() else { return }
        opening.remove(id)
        let (next, actions) = pool.opened(id, "\(id)", now: now)
        proceed(id, next)
        perform(actions)
    }

    private mutating func answer(_ id: Int) {
        if let job = busy.removeValue(forKey: id) { ended.append(job) }
        let (next, actions) = pool.freed(id, answered: 1, now: now)
        proceed(id, next)
        perform(actions)
    }

    private mutating func proceed(_ id: Int, _ next: PoolState.Next) {
        switch next {
        case .take(let job): busy[id] = job
        case .idle: idle.insert(id)
        case .quit: break
        }
    }

    private mutating func perform(_ actions: [PoolState.Action]) {
        for action in actions {
            switch action {
            case .give(let job, let name):
                let id = Int(name) ?? 0
                let wasIdle = idle.remove(id) != nil
                #expect(wasIdle)
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
}
