import Broker
import Ledger
import Model
import Policy

/// Makes sure that the contents of Redis can be trusted; the shell of `EpochState`. A Redis that was emptied, or started again from its
/// disk, counts as lost: the dispatcher waits for what workers know of its batches before it dispatches them again.
actor EpochManager {
    /// The state of Redis at one check.
    enum View {
        /// The contents of Redis can be trusted.
        case steady(Epoch)
        /// Only results in it can be trusted.
        case lost(EpochState.Loss)
        /// It evicts keys when its memory is full.
        case evicting(RedisError)
        /// Another dispatcher of this ledger leads.
        case deposed
        /// Another ledger works with the same Redis and prefix, or has work in it.
        case foreign
    }

    nonisolated let fencingToken: FencingToken
    private let broker: Broker
    private let store: EpochStore
    private let registry: WorkerRegistry
    private let status: StatusStreams
    private let queue: BatchQueue
    private let notes: any EpochNoteStore & CopyStore
    private let boot: String
    private let clocks: Clocks
    private let isAlone: Bool
    private var state: EpochState
    private var found: EpochStore.Snapshot?
    /// What the ledger knows of the epoch; nil for nothing.
    private var note: EpochNote?
    private var hasRead = false
    /// When it next checks whether another ledger has work here; nil before the first check.
    private var nextWorkCheck: ContinuousClock.Instant?
    /// When another ledger was last found to use this Redis.
    private var lastForeign: ContinuousClock.Instant?
    /// The last epoch that held.
    private var believed: Epoch?
    /// The losses that each worker had noticed while the epoch held.
    private var losses: [String: Int] = [:]
    /// The workers of a lost epoch were made to report their condition again.
    private var hasCalled = false

    /// - Parameters:
    ///   - notes: the ledger, which keeps for the next dispatcher what this one knows.
    ///   - lease: the workers' lease.
    ///   - isAlone: the Redis is our own, so that no worker outside of this process can be at work. It writes whatever it is told
    ///     to a file before it answers.
    ///   - boot: names the boot of this machine; empty where that is not known.
    init(
        broker: Broker, notes: any EpochNoteStore & CopyStore, fencingToken: FencingToken, lease: Duration, isAlone: Bool, clocks: Clocks,
        boot: String = MachineBoot.id
    ) {
        self.broker = broker
        self.fencingToken = fencingToken
        self.notes = notes
        self.isAlone = isAlone
        self.boot = boot
        self.clocks = clocks
        queue = BatchQueue(broker)
        state = EpochState(lease: lease, isAlone: isAlone)
        store = EpochStore(broker)
        registry = WorkerRegistry(broker)
        status = StatusStreams(broker)
    }

    /// Workers that are there, from 1.
    var workerCount: Int { state.workerCount }

    func close() async { await status.close() }

    /// Keeps the leadership, checks whether Redis can be trusted, and admits workers.
    func look() async throws -> View {
        if !hasRead {
            note = try await notes.epochNote()
            hasRead = true
        }
        var snapshot = try await store.hold(fencingToken, time: Timing.leadership, takesUnknown: isAlone)
        if snapshot.leadership == .unknown {
            guard try await mayTakeUnknown() else { return .foreign }
            snapshot = try await store.hold(fencingToken, time: Timing.leadership)
        }
        // This reads all keys of the Redis, which may serve others too.
        if let absent = snapshot.absent, nextWorkCheck.map({ clocks.now >= $0 }) ?? true {
            nextWorkCheck = clocks.now + .seconds(5)
            guard try await !store.hasWork() else { return .foreign }
            snapshot = try await store.hold(fencingToken, time: Timing.leadership, after: absent)
        }
        switch snapshot.leadership {
        case .lost, .foreign:
            // Another may begin an epoch meanwhile.
            believed = nil
            if snapshot.leadership == .foreign { lastForeign = clocks.now }
            return snapshot.leadership == .lost ? .deposed : .foreign
        case .held: lastForeign = nil
        // It lost its data just now.
        case .unknown: return .foreign
        }
        found = snapshot
        if let policy = try await broker.evictionPolicy() {
            if snapshot.epoch != nil { try await distrust() }
            return .evicting(.evicts(policy: policy))
        }
        // While this dispatcher leads, nobody else begins an epoch: another one is a text that was altered.
        guard let epoch = snapshot.epoch, epoch.isOf(run: snapshot.run, ledger: fencingToken.ledger), epoch == believed ?? epoch else {
            try await callWorkers(snapshot)
            state.inherit(note?.workers)
            let all = try await registry.all().workers
            let uncollected = try await status.lag().entries.reduce(0, +)
            return .lost(state.lose(all, uncollected: uncollected, at: clocks.now))
        }
        state.inherit(note?.epoch == epoch.text ? note?.workers : nil)
        try await see(epoch)
        believed = epoch
        return .steady(epoch)
    }

    /// Whether a Redis of which it is not known whose it was may be taken. It may have lost its data: the ledger that had it takes it again
    /// within seconds, if its planner is at work; else its workers report there again, for its collectors.
    private func mayTakeUnknown() async throws -> Bool {
        if let lastForeign {
            guard clocks.now - lastForeign > Timing.leadership else { return false }
        } else {
            // A ledger that has dispatched before is taken for the owner of what is here.
            if note != nil { return true }
            if try await notes.commits() > 0 { return true }
        }
        guard try await !store.hasWork() else { return false }
        return try await registry.all().workers.allSatisfy { !$0.isAlive || $0.condition == .clean }
    }

    /// Where Redis lost the epoch and kept the registrations, workers still count as clean by the lost epoch. So their registrations are
    /// removed once: each finds its lease lost, finishes its messages in flight, and reports its condition again.
    private func callWorkers(_ snapshot: EpochStore.Snapshot) async throws(RedisError) {
        let known = believed ?? note.map { Epoch(text: $0.epoch) }
        guard !hasCalled, let known, known.isOf(run: snapshot.run, ledger: fencingToken.ledger) else { return }
        // Workers that have noticed a loss since then report their condition now.
        let unreported = try await registry.all().workers.contains { worker in
            worker.isAlive && worker.condition != nil && worker.condition != .lost
                && losses[worker.worker].map { worker.losses <= $0 } ?? true
        }
        guard unreported else { return }
        try await store.forgetWorkers(fencingToken)
        hasCalled = true
    }

    /// Dispatches of a lost Redis whose messages are all accounted for: living workers had them, and no other.
    func claims() async throws(RedisError) -> Set<Dispatch> {
        try await registry.claims(of: registry.all().workers.filter { $0.condition == .clean }.map(\.worker))
    }

    /// The recipients of dispatches whose messages were started before Redis ended; nil where its marks prove nothing. Those of our own
    /// Redis do: it is the one that this ledger's last dispatcher worked with, and the machine has not been started since.
    func started(_ dispatches: [Dispatch]) async throws(RedisError) -> [Dispatch: Set<Int>]? {
        guard isAlone, let note, !boot.isEmpty, note.boot == boot, note.epoch == found?.epoch?.text else { return nil }
        return try await queue.started(dispatches)
    }

    /// Ends the epoch: a key is lost, or the ledger.
    func distrust() async throws(RedisError) { try await store.distrust(ledger: fencingToken.ledger) }

    /// Ends the epoch and the leadership in Redis.
    func leave() async throws(RedisError) {
        try await store.distrust(ledger: fencingToken.ledger)
        try await store.release(fencingToken)
    }

    /// Notes that the ledger has made a commit.
    /// - Returns: the last one that is known.
    func note(commits: Int64) async throws(RedisError) -> Int64 { try await store.note(commits: commits, of: fencingToken.ledger) }

    /// The last commit of the ledger that was noted; nil where nothing is known of it.
    func commits() async throws(RedisError) -> Int64? { try await store.commits(of: fencingToken.ledger) }

    /// The highest batch of each mailing that was ever dispatched, of mailings that have not ended.
    func reached(_ mailings: [MailingID]) async throws(RedisError) -> [MailingID: Int] { try await store.reached(mailings) }

    /// Forgets the highest dispatched batches.
    func forgetReached(_ mailings: [MailingID]) async throws(RedisError) { try await store.forgetReached(mailings, fencingToken) }

    /// Notes in Redis the highest dispatched batches, where it does not know them.
    func remember(reached: [String: Int]) async throws(RedisError) {
        try await store.remember(reached: Dictionary(reached.compactMap { id, last in MailingID(id).map { ($0, last) } }) { $1 })
    }

    /// Begins a new epoch, after the dispatches of the old one were given up.
    /// - Returns: nil when something changed meanwhile.
    func begin() async throws -> Epoch? {
        guard let found else { return nil }
        let epoch = Epoch(run: found.run, ledger: fencingToken.ledger)
        // The dispatches of the old epoch were given up: it no longer concerns anybody.
        try await write(EpochNote(epoch: epoch.text, boot: boot))
        guard try await store.establish(after: found, as: epoch, fencingToken: fencingToken) != nil else { return nil }
        state.begin()
        hasCalled = false
        believed = epoch
        try await see(epoch)
        return epoch
    }

    private func see(_ epoch: Epoch) async throws {
        let (all, now) = try await registry.all()
        losses = Dictionary(all.map { ($0.worker, $0.losses) }) { $1 }
        let admitted = state.see(all, now: now)
        // Workers are noted here and in the ledger before they may start anything.
        let next = noteFor(epoch)
        if next != note { try await write(next) }
        try await registry.admit(admitted)
        guard !state.departed.isEmpty || state.unknown != nil else { return }
        let holders = try await registry.holders(of: state.gone)
        let oldest = try await status.oldest().map { $0?.milliseconds }
        state.settle(holders: holders, oldest: oldest, now: now)
    }

    /// The note for the next dispatcher; nil while the workers from before this one's first check are not known.
    private func noteFor(_ epoch: Epoch) -> EpochNote? {
        guard state.unknown == nil else { return nil }
        // An epoch that was not begun here may be of another machine.
        let boot = note?.epoch == epoch.text ? note?.boot ?? "" : ""
        return EpochNote(epoch: epoch.text, boot: boot, workers: state.concerned)
    }

    private func write(_ note: EpochNote?) async throws(LedgerError) {
        try await notes.setEpochNote(note)
        self.note = note
    }
}
