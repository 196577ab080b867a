import Broker
import Ledger
import Logging
import Metrics
import Model

/// Sees to it that what Redis holds can be believed. A Redis that was emptied, or started again from whatever it had on its
/// disk, is taken for lost; what workers still know of it is waited for before its batches are fed again.
actor EpochManager {
    /// What a look at Redis found.
    enum View {
        /// What Redis holds can be believed.
        case steady(Epoch)
        /// Nothing in it but results can be believed.
        case lost(Loss)
        /// Another dispatcher of this ledger has taken over.
        case deposed
        /// Another ledger works with the same Redis and prefix.
        case foreign
    }

    struct Loss {
        /// What is still waited for; nil when all is in that will come.
        var waitingFor: String?
        /// Whose messages on the wire nobody can tell of; empty when every worker came back, nil when it is not known who
        /// worked.
        var missing: [String]?
    }

    /// How long the leadership is kept in Redis without a sign of the dispatcher.
    private static let dutyTime = Duration.seconds(30)
    /// How long a worker may take to come back after an outage: the longest wait between two tries, and some.
    private static let longestReturn = Duration.seconds(8)
    /// How long a worker that is there may take to finish what it has on the wire.
    private static let backoff = Duration.seconds(30)

    let fencingToken: FencingToken
    /// The workers' lease.
    let lease: Duration
    /// No worker outside of this process can be at work: the Redis is our own.
    let isAlone: Bool
    private let board: EpochStore
    private let register: WorkerRegistry
    private let status: StatusStreams
    /// Workers at the last look; nil before the first.
    private var workers: Set<String>?
    /// Workers that are gone and that were noted.
    private var buried: Set<String> = []
    /// Workers that are gone and whose last results may not be collected, with the time of Redis at which that was seen.
    private var departed: [String: UInt64] = [:]
    private var lostSince: ContinuousClock.Instant?
    private var found: (epoch: Epoch?, run: String) = (nil, "")

    init(broker: Broker, fencingToken: FencingToken, lease: Duration, isAlone: Bool) {
        self.fencingToken = fencingToken
        self.lease = lease
        self.isAlone = isAlone
        board = EpochStore(broker)
        register = WorkerRegistry(broker)
        status = StatusStreams(broker)
    }

    /// Workers that are there.
    var crew: Int { max(1, workers?.count ?? 1) }

    func close() async { await status.close() }

    func look() async throws(RedisError) -> View {
        let (leadership, epoch, run) = try await board.hold(fencingToken, time: Self.dutyTime)
        switch leadership {
        case .lost: return .deposed
        case .foreign: return .foreign
        case .held: break
        }
        found = (epoch, run)
        guard let epoch, epoch.isOf(run: run, ledger: fencingToken.ledger) else {
            let since = lostSince ?? .now
            lostSince = since
            return .lost(try await loss(since: since))
        }
        lostSince = nil
        try await count()
        return .steady(epoch)
    }

    /// Begins a new epoch, once all is given up that the old one had.
    /// - Returns: nil when something changed meanwhile.
    func begin() async throws(RedisError) -> Epoch? {
        guard let epoch = try await board.establish(after: found.epoch, run: found.run, fencingToken: fencingToken) else { return nil }
        // In the new epoch nobody has worked yet.
        workers = []
        departed = [:]
        lostSince = nil
        try await count()
        return epoch
    }

    /// Notes who is at work, and lets them; and whose last results are in the ledger by now.
    private func count() async throws(RedisError) {
        let (all, now) = try await register.all()
        let alive = Set(all.filter(\.isAlive).map(\.worker))
        // Whoever worked before this planner looked may have left results that are in Redis alone.
        if workers == nil { departed["a worker of before"] = now }
        let dead = Set(all.map(\.worker)).union(workers ?? []).subtracting(alive)
        for worker in dead.subtracting(buried) { departed[worker] = now }
        buried = dead
        for worker in alive { departed[worker] = nil }
        workers = alive
        // Known here first, and only then allowed to begin.
        try await register.note(Array(alive))
        guard !departed.isEmpty else { return }
        // A worker's batches are its own until others have them, and know what was on the wire.
        let holders = try await register.holders()
        for worker in holders where departed[worker] != nil { departed[worker] = now }
        if departed["a worker of before"] != nil, !holders.subtracting(alive).isEmpty { departed["a worker of before"] = now }
        let oldest = try await status.oldest()
        departed = departed.filter { _, seen in
            seen == now || oldest.contains { $0.map { $0.milliseconds <= seen } ?? false }
        }
    }

    private func loss(since: ContinuousClock.Instant) async throws(RedisError) -> Loss {
        let (all, _) = try await register.all()
        let elapsed = ContinuousClock.now - since
        var loss = Loss()
        // Who never registered, or is dead, is waited for as long as it might only be slow to come back.
        let busy = all.filter { $0.isAlive && $0.condition != .clean && $0.condition != .doubt }.map(\.worker)
        if !busy.isEmpty, elapsed < Self.backoff {
            loss.waitingFor = "\(busy.count) workers to finish their messages in flight"
            return loss
        }
        let clean = Set(all.filter { $0.condition == .clean }.map(\.worker))
        let doubtful = Set(all.filter { $0.condition == .doubt }.map(\.worker))
        // Of those that seemed to have left, some may only have been forgotten by the Redis that was lost.
        let away = (workers ?? []).union(departed.keys).subtracting(clean).subtracting(doubtful).sorted()
        if !away.isEmpty || workers == nil && !isAlone, elapsed < max(lease + .seconds(2), Self.longestReturn) {
            loss.waitingFor = away.isEmpty ? "workers to come back" : "\(away.count) workers to come back"
            return loss
        }
        if workers != nil { loss.missing = away + doubtful.sorted() }
        let waiting = try await status.lag().entries.reduce(0, +)
        if waiting > 0 { loss.waitingFor = "collectors to take \(waiting) groups of results" }
        return loss
    }
}
