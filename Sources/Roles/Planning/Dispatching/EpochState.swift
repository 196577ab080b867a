import Broker
import Model
import Policy

/// What the dispatcher knows of the workers of an epoch, and what it waits for when Redis was lost. It guarantees that every worker that
/// may have messages in flight is known by name or noted as unknown, and that nothing is dispatched again before each of them has
/// reported, or no longer can.
struct EpochState: Sendable, Hashable {
    typealias Instant = ContinuousClock.Instant

    /// What is known after a loss of Redis.
    struct Loss: Sendable, Hashable {
        /// What it still waits for.
        enum Wait: Sendable, Hashable {
            /// Workers that finish their messages in flight.
            case busy(Int)
            /// Workers that have not come back; nil where their names are not known.
            case lost(Int?)
            /// Groups of results that no collector has taken.
            case results(Int)
        }

        /// Nil when everything has come that will come.
        var wait: Wait?
        /// Workers that cannot report their messages in flight; empty when every worker came back, nil when the workers are not known.
        var missing: [String]?
    }

    /// The workers' lease.
    let lease: Duration
    /// No worker outside of this process can be at work: the Redis is our own.
    let isAlone: Bool
    /// Workers that were alive at the last check; nil before the first.
    private(set) var workers: Set<String>?
    /// Workers that were lost at the last check.
    private var buried: Set<String> = []
    /// Workers that had batches at the last check.
    private var holders: Set<String> = []
    /// Lost workers whose last results may not be collected, with the latest time at which they may have reported some, in milliseconds of
    /// Redis time.
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
    var workerCount: Int { max(1, workers?.count ?? 1) }

    /// Workers that may have messages in flight, or results in Redis alone, as far as they are known.
    var concerned: Set<String> { (workers ?? []).union(departed.keys) }

    /// Takes over what the dispatcher before knew.
    /// - Parameter workers: nil where that is not known.
    mutating func inherit(_ workers: Set<String>?) {
        if !hasSeen { self.workers = workers }
    }

    // MARK: - While Redis can be believed

    /// Notes the workers of the epoch that holds.
    /// - Parameters:
    ///   - all: the registered workers.
    ///   - now: the time of Redis at which that was, in milliseconds.
    /// - Returns: the workers to be admitted; they are known from here on.
    mutating func see(_ all: [WorkerRegistry.Registration], now: UInt64) -> [String] {
        lostSince = nil
        hasSeen = true
        let alive = Set(all.filter(\.isAlive).map(\.worker))
        // Workers from before this planner's first check may have left results that only Redis has.
        if workers == nil { unknown = now }
        let dead = Set(all.map(\.worker)).union(workers ?? []).subtracting(alive)
        for worker in dead.subtracting(buried) { departed[worker] = now }
        buried = dead
        for worker in alive { departed[worker] = nil }
        workers = alive
        return alive.sorted()
    }

    /// The lost workers whose batches have to be checked.
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

    /// Notes what a Redis holds that cannot be trusted.
    /// - Parameters:
    ///   - all: the workers that are registered there.
    ///   - uncollected: groups of results that no collector has taken.
    mutating func lose(_ all: [WorkerRegistry.Registration], uncollected: Int, at now: Instant) -> Loss {
        let since = lostSince ?? now
        lostSince = since
        let elapsed = now - since
        // In a Redis of our own those of another run of the server are of a process that has ended.
        let all = isAlone ? all.filter { $0.condition != nil } : all
        // A worker that is dead or never registered is waited for as long as it might just be slow to come back.
        let busy = all.filter { $0.isAlive && $0.condition != .clean && $0.condition != .doubt }.map(\.worker)
        if !busy.isEmpty, elapsed < Timing.finishing { return Loss(wait: .busy(busy.count)) }
        let clean = Set(all.filter { $0.condition == .clean }.map(\.worker))
        let doubtful = Set(all.filter { $0.condition == .doubt }.map(\.worker))
        // Some that seemed to have left may only have been forgotten by the lost Redis.
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
