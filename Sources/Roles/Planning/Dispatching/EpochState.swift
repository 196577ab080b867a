import Broker
import Model
import Policy

/// What the dispatcher knows of the workers of an epoch, and what it must wait for when Redis was lost. It guarantees that every worker
/// that may have messages in flight is known by name or known to be unknown, and that nothing is dispatched again before each of them has
/// told what it knows, or cannot any more.
struct EpochState: Sendable, Hashable {
    typealias Instant = ContinuousClock.Instant

    /// What is known after a loss of Redis.
    struct Loss: Sendable, Hashable {
        /// What is still waited for.
        enum Wait: Sendable, Hashable {
            /// Workers that finish their messages in flight.
            case busy(Int)
            /// Workers that have not come back; nil when it is not known which.
            case lost(Int?)
            /// Groups of results that no collector has taken.
            case results(Int)
        }

        /// Nil when all is in that will come.
        var wait: Wait?
        /// Workers of whose messages in flight nobody can tell; empty when every worker came back, nil when it is not known who worked.
        var missing: [String]?
    }

    /// The workers' lease.
    let lease: Duration
    /// No worker outside of this process can be at work: the Redis is our own.
    let isAlone: Bool
    /// Workers that were alive at the last look; nil before the first.
    private(set) var workers: Set<String>?
    /// Workers that are gone and that were seen so.
    private var buried: Set<String> = []
    /// Those that had batches at the last look.
    private var holders: Set<String> = []
    /// Workers that are gone and whose last results may not be collected, with the time of Redis, in milliseconds, at which they last may
    /// have reported some.
    private(set) var departed: [String: UInt64] = [:]
    /// The last time at which workers that nobody here knows may have reported results: they worked before this planner looked.
    private(set) var unknown: UInt64?
    private var lostSince: Instant?
    /// The workers were looked at here; before that, `workers` is what the ledger knows of them.
    private var hasSeen = false

    init(lease: Duration, isAlone: Bool) {
        self.lease = lease
        self.isAlone = isAlone
    }

    /// Workers that are there, from 1.
    var crew: Int { max(1, workers?.count ?? 1) }

    /// Workers that may have messages in flight, or results in Redis alone, as far as they are known.
    var concerned: Set<String> { (workers ?? []).union(departed.keys) }

    /// Takes over what the dispatcher before knew.
    /// - Parameter workers: nil where that is not known.
    mutating func inherit(_ workers: Set<String>?) {
        if !hasSeen { self.workers = workers }
    }

    // MARK: - While Redis can be believed

    /// A look at the workers of the epoch that holds.
    /// - Parameters:
    ///   - all: those that are registered.
    ///   - now: the time of Redis at which that was, in milliseconds.
    /// - Returns: the workers to be admitted; they are known from here on.
    mutating func see(_ all: [WorkerRegistry.Registration], now: UInt64) -> [String] {
        lostSince = nil
        hasSeen = true
        let alive = Set(all.filter(\.isAlive).map(\.worker))
        // Whoever worked before this planner looked may have left results that are in Redis alone.
        if workers == nil { unknown = now }
        let dead = Set(all.map(\.worker)).union(workers ?? []).subtracting(alive)
        for worker in dead.subtracting(buried) { departed[worker] = now }
        buried = dead
        for worker in alive { departed[worker] = nil }
        workers = alive
        return alive.sorted()
    }

    /// The workers whose batches are to be asked after: all that have departed.
    var gone: [String] { Set(departed.keys).union(buried).sorted() }

    /// Forgets workers that have departed, once others have their batches and collectors have taken all that they reported.
    /// - Parameters:
    ///   - holders: those of `gone` whose batches nobody has taken over.
    ///   - oldest: when the oldest entry of each status stream was added, in milliseconds of Redis time; nil where there is none.
    ///   - now: the time of Redis of the look, in milliseconds.
    mutating func settle(holders: Set<String>, oldest: [UInt64?], now: UInt64) {
        // A worker's batches are its own until others have them, and know which messages were in flight. Until just before that it may
        // have reported results.
        for worker in holders.union(self.holders) where departed[worker] != nil { departed[worker] = now }
        self.holders = holders
        if unknown != nil, !holders.isEmpty { unknown = now }
        func mayBeUncollected(_ time: UInt64) -> Bool { time == now || oldest.contains { $0.map { $0 <= time } ?? false } }
        departed = departed.filter { mayBeUncollected($0.value) }
        if let time = unknown, !mayBeUncollected(time) { unknown = nil }
    }

    // MARK: - After a loss

    /// A look at a Redis that cannot be believed.
    /// - Parameters:
    ///   - all: the workers that are registered there.
    ///   - uncollected: groups of results that no collector has taken.
    mutating func lose(_ all: [WorkerRegistry.Registration], uncollected: Int, at now: Instant) -> Loss {
        let since = lostSince ?? now
        lostSince = since
        let elapsed = now - since
        // In a Redis of our own those of another run of the server are of a process that has ended.
        let all = isAlone ? all.filter { $0.condition != nil } : all
        // Who is dead, or never registered, is waited for as long as it might only be slow to come back.
        let busy = all.filter { $0.isAlive && $0.condition != .clean && $0.condition != .doubt }.map(\.worker)
        if !busy.isEmpty, elapsed < Timing.finishing { return Loss(wait: .busy(busy.count)) }
        let clean = Set(all.filter { $0.condition == .clean }.map(\.worker))
        let doubtful = Set(all.filter { $0.condition == .doubt }.map(\.worker))
        // Of those that seemed to have left, some may only have been forgotten by the Redis that was lost.
        let lost = (workers ?? []).union(departed.keys).subtracting(clean).subtracting(doubtful).sorted()
        let isUnknown = workers == nil && !isAlone || unknown != nil
        let mayReturn = !lost.isEmpty && (hasSeen || !isAlone)
        if mayReturn || isUnknown, elapsed < max(lease, Timing.longestReturn) + Timing.returnMargin {
            return Loss(wait: .lost(isUnknown ? nil : lost.count))
        }
        return Loss(
            wait: uncollected > 0 ? .results(uncollected) : nil, missing: isUnknown || workers == nil ? nil : lost + doubtful.sorted())
    }

    /// A new epoch has begun, in which nobody has worked yet.
    mutating func begin() {
        workers = []
        hasSeen = true
        buried = []
        holders = []
        departed = [:]
        unknown = nil
        lostSince = nil
    }
}
