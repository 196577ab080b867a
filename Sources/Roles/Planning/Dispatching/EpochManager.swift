import Broker
import Ledger
import Model
import Policy

/// Sees to it that what Redis holds can be believed; the shell of `EpochState`. A Redis that was emptied, or started again from whatever it
/// had on its disk, counts as lost: what workers still know of it is waited for before its batches are dispatched again.
actor EpochManager {
    /// What a look at Redis found.
    enum View {
        /// What Redis holds can be believed.
        case steady(Epoch)
        /// Nothing in it but results can be believed.
        case lost(EpochState.Loss)
        /// Another dispatcher of this ledger leads.
        case deposed
        /// Another ledger works with the same Redis and prefix.
        case foreign
    }

    nonisolated let fencingToken: FencingToken
    private let store: EpochStore
    private let registry: WorkerRegistry
    private let status: StatusStreams
    private var state: EpochState
    private var found: EpochStore.Standing?

    /// - Parameters:
    ///   - lease: the workers' lease.
    ///   - isAlone: the Redis is our own, so that no worker outside of this process can be at work.
    init(broker: Broker, fencingToken: FencingToken, lease: Duration, isAlone: Bool) {
        self.fencingToken = fencingToken
        state = EpochState(lease: lease, isAlone: isAlone)
        store = EpochStore(broker)
        registry = WorkerRegistry(broker)
        status = StatusStreams(broker)
    }

    /// Workers that are there, from 1.
    var crew: Int { state.crew }

    func close() async { await status.close() }

    /// Keeps the leadership, looks whether Redis can be believed, and admits workers.
    func look() async throws(RedisError) -> View {
        let standing = try await store.hold(fencingToken, time: Timing.leadership)
        switch standing.leadership {
        case .lost: return .deposed
        case .foreign: return .foreign
        case .held: break
        }
        found = standing
        guard let epoch = standing.epoch, epoch.isOf(run: standing.run, ledger: fencingToken.ledger) else {
            let all = try await registry.all().workers
            let uncollected = try await status.lag().entries.reduce(0, +)
            return .lost(state.lose(all, uncollected: uncollected, at: .now))
        }
        try await see()
        return .steady(epoch)
    }

    /// Begins a new epoch, once all is given up that the old one had.
    /// - Returns: nil when something changed meanwhile.
    func begin() async throws(RedisError) -> Epoch? {
        guard let found, let epoch = try await store.establish(after: found, fencingToken: fencingToken) else { return nil }
        state.begin()
        try await see()
        return epoch
    }

    private func see() async throws(RedisError) {
        let (all, now) = try await registry.all()
        // Known here first, and only then allowed to start anything.
        try await registry.admit(state.see(all, now: now))
        guard !state.departed.isEmpty || state.unknown != nil else { return }
        let holders = try await registry.holders(of: state.gone)
        let oldest = try await status.oldest().map { $0?.milliseconds }
        state.settle(holders: holders, oldest: oldest, now: now)
    }
}
