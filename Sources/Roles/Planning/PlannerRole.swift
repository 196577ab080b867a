package import Broker
package import Ledger
package import Logging
import Metrics
package import Model
import Policy
import ServiceLifecycle

/// Plans and dispatches the mailings of a ledger while it leads. One process leads at a time; others stand by, and take over when the
/// leader ends or no longer renews its leadership. The ledger and Redis refuse what a planner writes after it lost the leadership.
package struct PlannerRole: Service {
    package typealias Store = PlanStore & DispatchStore & MailingStore & ReportStore & RepeatStore & SuppressionStore & LeadershipStore
        & EpochNoteStore & LimitStore & CopyStore & RetentionStore & UploadStore & NumberStore & WebhookStore
        & ChangeSource

    /// How a planner works.
    package struct Configuration: Sendable {
        /// Names the process.
        package var name: String
        /// Batches of a lane at most that are ready or with workers.
        package var window: Int
        /// Bytes of those batches at most, about.
        package var windowBytes = 32 << 20
        /// Bytes of one batch at most.
        package var batchBytes = WireLimit.batchBytes
        package var durations: Durations
        /// The one mailing to look after; nil for all of the ledger.
        package var only: MailingID?
        /// Those that mailings may name.
        package var providers: [String: Provider] = [:]
        /// The Redis is this process's own, so that no other worker can be at work.
        package var isAlone: Bool
        /// How long the recipients of mailings that have ended are kept; nil for always.
        package var keep: Duration?
        /// How long the outbox of webhooks keeps what was told, and at most what was not.
        package var keepOutbox = Duration.seconds(3 * 86_400)
        package static let longestOutbox = Duration.seconds(7 * 86_400)
        /// What is done about recipients that cannot be read on this machine; nil where no other planner can be at work.
        package var sharing: PlannerService.Sharing?
        /// Where links of a mailing lead to; nil where there is no tracker.
        package var tracker: (@Sendable (Mailing) -> PublishedTracker)?

        package init(name: String, window: Int, durations: Durations, only: MailingID? = nil, isAlone: Bool = false) {
            self.name = name
            self.window = window
            self.durations = durations
            self.only = only
            self.isAlone = isAlone
        }
    }

    /// The times of a planner.
    package struct Durations: Sendable {
        /// How often the ledger is read without an event.
        package var poll: Duration
        /// How long the leadership lasts without a renewal.
        package var lease: Duration
        /// The workers' lease.
        package var workerLease: Duration
        /// How long a mailing that nothing blocks may be without a result before it counts as stuck.
        package var stuckAfter: Duration

        package init(poll: Duration, lease: Duration, workerLease: Duration, stuckAfter: Duration) {
            self.poll = poll
            self.lease = lease
            self.workerLease = workerLease
            self.stuckAfter = stuckAfter
        }
    }

    private let configuration: Configuration
    private let broker: Broker
    private let ledger: any Store
    private let lock: @Sendable () -> Bool
    private let clocks: Clocks
    private let logger: Logger
    private let active = Gauge(label: "flotilla_planner_active")

    /// - Parameter lock: takes the lock of the ledger's file, and returns whether it became ours just now: whoever had it before
    ///   has ended, and its leadership need not expire.
    package init(
        _ configuration: Configuration, broker: Broker, ledger: any Store, lock: @escaping @Sendable () -> Bool,
        clocks: Clocks = .system, logger: Logger
    ) {
        self.configuration = configuration
        self.broker = broker
        self.ledger = ledger
        self.lock = lock
        self.clocks = clocks
        self.logger = logger
    }

    package func run() async throws {
        let stop = StopRequest()
        await withGracefulShutdownHandler {
            await serve(until: stop)
        } onGracefulShutdown: {
            stop.request()
        }
    }

    private func serve(until stop: StopRequest) async {
        var backoff = Backoff()
        var line = RepeatedLine()
        while !stop.isStopping {
            do throws(LedgerError) {
                active.record(0)
                var taken = try await take()
                if taken == nil { taken = try await standBy(until: stop) }
                guard let fencingToken = taken else { return }
                backoff = Backoff()
                active.record(1)
                await work(FencingToken(ledger: try await ledger.identity(), number: fencingToken), until: stop)
                active.record(0)
                try await ledger.releaseLeadership(Leadership.planning, fencingToken: fencingToken)
            } catch {
                if line.add(at: clocks.monotonic) != nil { logger.error("the planner waits: \(error)") }
                guard await backoff.wait(unless: stop) else { return }
            }
        }
    }

    /// Waits until the leadership is free, and stores recipients that the leader cannot read meanwhile. That may take minutes, and delays
    /// neither a takeover nor a stop: what is stored of a file by then is given up.
    /// - Returns: the fencing token; nil for a stop.
    private func standBy(until stop: StopRequest) async throws(LedgerError) -> Int64? {
        let holder = try await ledger.leader(Leadership.planning)?.holder ?? ""
        logger.notice("standing by: planner \(holder) leads, and this one takes over when it ends")
        let interval = min(Timing.renewal, configuration.durations.lease / 5)
        let result: Result<Int64?, LedgerError> = await withTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            if let sharing = configuration.sharing {
                let helper = SourceHelper(
                    ledger: ledger, host: sharing.host, holder: configuration.name, clocks: clocks, logger: logger)
                group.addTask { await helper.run(every: interval) }
            }
            do throws(LedgerError) { return .success(try await waitForLeadership(every: interval, until: stop)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func waitForLeadership(every interval: Duration, until stop: StopRequest) async throws(LedgerError) -> Int64? {
        while !stop.isStopping {
            // Nothing announces that a lock has become free.
            await stop.wait(atMost: interval)
            if !stop.isStopping, let fencingToken = try await take() { return fencingToken }
        }
        return nil
    }

    private func take() async throws(LedgerError) -> Int64? {
        let isHolderGone = lock()
        return try await ledger.acquireLeadership(
            Leadership.planning, holder: configuration.name, for: configuration.durations.lease, isHolderGone: isHolderGone)
    }

    /// Plans and dispatches until the stop, or until the leadership is lost.
    private func work(_ fencingToken: FencingToken, until stop: StopRequest) async {
        logger.info("planning and dispatching, fencing token \(fencingToken.number)")
        ledger.guardPlanning(fencingToken: fencingToken.number)
        let time = SharedTime(clocks)
        var planner = PlannerService(
            ledger: ledger, poll: configuration.durations.poll, only: configuration.only, providers: configuration.providers,
            batchBytes: configuration.batchBytes, clocks: clocks.with { time.milliseconds }, logger: logger)
        planner.sharing = configuration.sharing
        var dispatching = Dispatcher.Configuration(
            window: configuration.window, only: configuration.only, workerLease: configuration.durations.workerLease,
            isAlone: configuration.isAlone)
        dispatching.windowBytes = configuration.windowBytes
        dispatching.batchBytes = configuration.batchBytes
        dispatching.tracker = configuration.tracker
        let dispatcher = Dispatcher(
            dispatching, broker: broker, ledger: ledger, fencingToken: fencingToken, time: time, logger: logger)
        let monitor = StallMonitor(
            broker: broker, ledger: ledger, stuckAfter: configuration.durations.stuckAfter, only: configuration.only, clocks: clocks,
            logger: logger)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await monitor.run() }
            if let keep = configuration.keep, configuration.only == nil {
                let janitor = RetentionJanitor(ledger: ledger, keep: keep, clocks: clocks.with { time.earliest }, logger: logger)
                group.addTask { [broker] in
                    // Removed recipients do not come back: this machine's clock alone is not enough.
                    await time.learn(from: broker)
                    await janitor.run()
                }
            }
            if configuration.only == nil {
                // By the earliest clock: what is removed does not come back.
                let janitor = OutboxJanitor(
                    ledger: ledger, keep: configuration.keepOutbox, longest: Configuration.longestOutbox, clock: { time.earliest },
                    logger: logger)
                group.addTask {
                    while !Task.isCancelled {
                        await janitor.prune()
                        do { try await Task.sleep(for: .seconds(3600)) } catch { return }
                    }
                }
            }
            // They end with the stop by themselves; the monitor has to be ended, when both have.
            await withTaskGroup(of: Void.self) { roles in
                roles.addTask { [planner] in try? await planner.run() }
                roles.addTask { try? await dispatcher.run() }
                await keepLeadership(fencingToken, until: stop)
                if !stop.isStopping { roles.cancelAll() }
            }
            group.cancelAll()
        }
        ledger.guardPlanning(fencingToken: nil)
    }

    private func keepLeadership(_ fencingToken: FencingToken, until stop: StopRequest) async {
        var line = RepeatedLine()
        // Each renewal is a commit, which wakes whoever watches the ledger; one that fails is tried again sooner.
        let (interval, retry) = (configuration.durations.lease / 2, configuration.durations.lease / 6)
        while !stop.isStopping {
            // A planner that took over from a frozen one gets the lock when that has ended.
            _ = lock()
            do throws(LedgerError) {
                let isOurs = try await ledger.renewLeadership(
                    Leadership.planning, fencingToken: fencingToken.number, for: configuration.durations.lease)
                guard isOurs else {
                    return logger.warning("another planner leads now; this one stands by")
                }
            } catch {
                // It stays ours while nobody else has it: a full disk keeps others from it as well.
                if line.add(at: clocks.monotonic) != nil { logger.warning("the leadership cannot be renewed: \(error)") }
                await stop.wait(atMost: retry)
                continue
            }
            await stop.wait(atMost: interval)
        }
    }
}
