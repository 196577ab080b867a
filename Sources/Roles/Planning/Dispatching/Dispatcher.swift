package import Broker
package import Ledger
package import Logging
import Metrics
package import Model
import Policy
import ServiceLifecycle
import Synchronization

/// Keeps a window of batches ready in the lanes, shared fairly among the mailings in work; publishes mailings and limits to the workers;
/// notices when a mailing is complete. Commits to the ledger, workers, and the times that mailings wait for wake it. At a stop in good
/// order it takes back the batches that no worker has.
package actor Dispatcher: Service {
    package typealias Store = DispatchStore & MailingStore & ReportStore & EpochNoteStore & LimitStore & CopyStore & NumberStore
        & ChangeSource

    /// How a dispatcher works.
    package struct Configuration: Sendable {
        /// Batches of a lane at most that are ready or with workers.
        package var window: Int
        /// Bytes of those batches at most, about.
        package var windowBytes = 32 << 20
        /// Bytes of one batch at most.
        package var batchBytes = WireLimit.batchBytes
        /// The one mailing to look after; nil for all of the ledger.
        package var only: MailingID?
        /// The workers' lease.
        package var workerLease: Duration
        /// The Redis is this process's own, so that no other worker can be at work.
        package var isAlone: Bool
        /// Where links of a mailing lead to; nil where there is no tracker.
        package var tracker: (@Sendable (Mailing) -> PublishedTracker)?

        package init(window: Int, only: MailingID? = nil, workerLease: Duration, isAlone: Bool = false) {
            self.window = window
            self.only = only
            self.workerLease = workerLease
            self.isAlone = isAlone
        }
    }

    let broker: Broker
    let queue: BatchQueue
    let published: PublishedMailings
    let publishedLimits: PublishedLimits
    let ledger: any Store
    let only: MailingID?
    let batchBytes: Int
    let tracker: (@Sendable (Mailing) -> PublishedTracker)?
    /// The time by three clocks.
    let time: SharedTime
    nonisolated let clocks: Clocks
    let logger: Logger
    let epochs: EpochManager
    nonisolated let fencingToken: FencingToken
    /// What workers see of the mailings in work; a mailing that is missing is reconciled with Redis before anything of it is dispatched.
    var shown: [MailingID: Shown] = [:]
    /// Mailings of a newer release, which are left to its planner.
    var newer: Set<MailingID> = []
    /// The limits set at run time that the workers see, by scope; nil when that is not known.
    var shownLimits: [String: String]?
    var choice: DispatchChoice
    var epoch: Epoch?
    let status: StatusStreams
    var orphans = OrphanWatch()
    /// When dispatches whose results will never come are next searched; nil before the first search.
    var nextOrphanCheck: ContinuousClock.Instant?
    let rebuilds = Counter(label: "flotilla_redis_rebuilds_total")
    private var problem = DispatchProblem()
    let workerLease: Duration
    /// The ledger is an older copy of itself that was not accepted yet; nil until that was checked.
    var copy: FoundCopy?
    /// The mailings of which nothing was sent that a ledger lacks that has another server now; nil for a ledger that has not.
    var untouched: Set<MailingID>?
    /// What was dispatched here.
    var own = OwnDispatches()
    /// The note beside the ledger, as it was at the first check for a copy.
    var noted: LedgerNote?
    /// When Redis was last searched for keys that are lost.
    var inspected: ContinuousClock.Instant
    /// When Redis was last asked for the epoch and the workers; nil where it is to be asked at once.
    private var looked: ContinuousClock.Instant?
    private nonisolated let signal = WakeSignal()
    /// A worker is new or has left.
    private nonisolated let hasNewWorkers = Atomic<Bool>(false)
    private nonisolated let stop = StopRequest()

    /// - Parameter fencingToken: what proves that this dispatcher leads.
    package init(
        _ configuration: Configuration, broker: Broker, ledger: any Store, fencingToken: FencingToken,
        time: SharedTime = SharedTime(), logger: Logger
    ) {
        self.time = time
        clocks = time.clocks
        inspected = clocks.now
        only = configuration.only
        batchBytes = configuration.batchBytes
        tracker = configuration.tracker
        workerLease = configuration.workerLease
        self.fencingToken = fencingToken
        epochs = EpochManager(
            broker: broker, notes: ledger, fencingToken: fencingToken, lease: configuration.workerLease, isAlone: configuration.isAlone,
            clocks: time.clocks)
        self.broker = broker
        queue = BatchQueue(broker)
        status = StatusStreams(broker)
        published = PublishedMailings(broker)
        publishedLimits = PublishedLimits(broker)
        self.ledger = ledger
        choice = DispatchChoice(window: configuration.window, bytes: configuration.windowBytes)
        self.logger = logger
    }

    package func run() async throws {
        let demand = WakeStream(broker, for: .dispatcher)
        let changes = ledger.wake(signal)
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.follow(demand) }
                await dispatch()
                await demand.close()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.stop.request()
            self.signal.notify()
        }
        changes.cancel()
        // A cancelled dispatcher no longer leads.
        if !Task.isCancelled { await recall() }
        await status.close()
        await epochs.close()
    }

    private nonisolated var isStopping: Bool { stop.isStopping }

    /// Wakes the dispatcher when a lane runs low, or a worker is new.
    private nonisolated func follow(_ demand: WakeStream) async {
        var demand = demand
        var backoff = Backoff()
        while !isStopping {
            do throws(RedisError) {
                let events = try await demand.next(atMost: .seconds(10))
                if events.contains(.worker) || events.contains(.other) { hasNewWorkers.store(true, ordering: .relaxed) }
                if !events.isEmpty { signal.notify() }
                backoff = Backoff()
            } catch {
                guard await backoff.wait(unless: stop) else { return }
            }
        }
    }

    /// Writes to the ledger what keeps anything from being dispatched, once that has lasted: commands read it there when Redis cannot be
    /// asked.
    private func reportProblem() async {
        let lasting = problem.toReport(at: clocks.now)
        guard lasting != problem.reported else { return }
        do throws(LedgerError) {
            try await ledger.setRedisProblem(lasting)
            problem.wasReported(lasting)
        } catch { logger.debug("the problem with Redis was not noted in the ledger: \(error)") }
    }

    private func dispatch() async {
        var backoff = Backoff()
        var line = RepeatedLine()
        var spacing = TurnSpacing(interval: .milliseconds(30), burst: 3)
        // An earlier dispatcher may have been killed before it cleared this.
        try? await ledger.setRedisProblem(nil)
        while !isStopping {
            // Commits come by the hundred a second while much is sent: one turn serves many.
            let mayBegin = spacing.next(after: clocks.now)
            var next = Timing.fallback
            do {
                next = try await turn()
                await reportProblem()
                backoff = Backoff()
            } catch {
                looked = nil
                await leaveLedger(error)
                if let text = Self.problem(error) { problem.note(text, at: clocks.now) }
                await reportProblem()
                if line.add(at: clocks.monotonic) != nil { logger.warning("dispatching waits: \(error)") }
                guard await backoff.wait(unless: stop) else { return }
            }
            await signal.wait(atMost: next)
            if mayBegin > clocks.now { try? await clocks.sleep(until: mayBegin) }
        }
    }

    /// What people are told of an error that blocks dispatching; nil for what passes by itself.
    private static func problem(_ error: any Error) -> String? {
        switch error {
        case let error as RedisError: error == .epochEnded ? nil : "\(error)"
        case LedgerError.leadershipLost: nil
        case let error as LedgerError: "\(error)"
        default: nil
        }
    }

    /// One pass over every mailing in work.
    /// - Returns: when the next pass is due without an event.
    private func turn() async throws -> Duration {
        try ledger.checkFile()
        guard let epoch = try await believed() else { return .milliseconds(250) }
        problem.note(nil, at: clocks.now)
        var work = try await ledger.work().filter { only == nil || $0.id == only }
        try await inspect(work, epoch)
        try await publishLimits()
        let now = time.milliseconds
        try await end(work, now: now, over: time.earliest)
        try await publish(work, epoch)
        let sent = try await complete(work, now: now)
        work.removeAll { sent.contains($0.id) }
        try await giveUpOrphans(work.filter { $0.dispatched > 0 && shown[$0.id] != nil }.map(\.id))
        try await dispatch(work, epoch, now: now)
        // Retries and lifetimes that come due.
        let times = work.flatMap { [$0.next, $0.open > 0 ? $0.expires : nil] }.compactMap { $0 }.filter { $0 > now }
        let look = work.isEmpty ? Timing.idlePoll : Timing.workPoll(mailings: work.count)
        return min(look, times.min().map { .milliseconds($0 - now) } ?? look)
    }

    /// The epoch of Redis; nil while its contents cannot be trusted, or another dispatcher leads.
    private func believed() async throws -> Epoch? {
        let mustLook = hasNewWorkers.exchange(false, ordering: .relaxed)
        if let epoch, !mustLook, let looked, clocks.now - looked < Timing.renewal { return epoch }
        try await time.read(from: broker)
        let view = try await epochs.look()
        looked = clocks.now
        switch view {
        case .steady(let now):
            let commits = try await ledger.commits()
            if try await findCopy() {
                try await epochs.distrust()
                break
            }
            own.begin(at: commits)
            if now != epoch {
                try await removeEnded()
                try await takeNote()
                enter(now)
            }
            return now
        case .deposed:
            say(.warning, "another planner leads now; this one dispatches nothing more")
            problem.note(nil, at: clocks.now)
        case .foreign:
            say(
                .error,
                """
                another ledger uses this Redis and prefix, or its planner is down and its work is still there: give each its own \
                redis.prefix, or let the roles of that ledger end its work. Where that ledger is gone for good, remove the keys of \
                this prefix. Nothing is dispatched meanwhile
                """)
        case .evicting(let error): say(.error, "\(error)")
        case .lost(let loss):
            epoch = nil
            let wasOlder = isOlderCopy
            // What is put back into Redis then counts from the next look on.
            if try await findCopy(), !wasOlder { break }
            try await takeNote()
            if let begun = try await rebuild(loss) {
                enter(begun)
                return begun
            }
        }
        epoch = nil
        return nil
    }

    private func enter(_ new: Epoch) {
        shown = [:]
        shownLimits = nil
        epoch = new
    }

    /// A pass failed: the mailings are reconciled with Redis before anything more is dispatched.
    func doubt(_ mailings: some Sequence<MailingID>) {
        for id in mailings { shown[id] = nil }
        epoch = nil
    }

    /// Logs what keeps batches from being dispatched, now and then.
    func say(_ level: Logger.Level, _ text: String) {
        problem.note(text, at: clocks.now)
        guard problem.isTimeToSay(at: clocks.now) else { return }
        logger.log(level: level, "\(text)")
    }
}
