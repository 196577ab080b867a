package import Broker
package import Ledger
package import Logging
import Metrics
package import Model
import ServiceLifecycle
import Synchronization

/// Plans and feeds the mailings of a ledger as long as it has the leadership, which one process has at a time: others stand by and
/// take over when the holder ends, or gives no sign of life. What a holder writes after it lost the leadership is refused, by the
/// ledger and by Redis.
package struct PlannerRole: Service {
    package typealias Store = PlanStore & Outbox & MailingStore & ReportStore & LeadershipStore & LimitStore

    /// How a planner works.
    package struct Configuration: Sendable {
        /// Names the process.
        package var name: String
        /// Batches of a channel at most that are ready or in work.
        package var window: Int
        /// How often the ledger is looked at.
        package var poll: Duration
        /// How long the leadership lasts without a sign of life.
        package var lease: Duration
        /// The workers' lease.
        package var workerLease: Duration
        /// How long a mailing that nothing holds up may be without a result before it counts as stuck.
        package var stuckAfter: Duration
        /// The one mailing to look after; nil for all of the ledger.
        package var only: MailingID?
        /// The Redis is this process's own, so that no other worker can be at work.
        package var isAlone: Bool

        package init(
            name: String, window: Int, poll: Duration, lease: Duration, workerLease: Duration, stuckAfter: Duration,
            only: MailingID? = nil, isAlone: Bool = false
        ) {
            self.name = name
            self.window = window
            self.poll = poll
            self.lease = lease
            self.workerLease = workerLease
            self.stuckAfter = stuckAfter
            self.only = only
            self.isAlone = isAlone
        }
    }

    private let configuration: Configuration
    private let broker: Broker
    private let ledger: any Store
    private let lock: @Sendable () -> Bool
    private let logger: Logger
    private let active = Gauge(label: "flotilla_planner_active")

    /// - Parameter lock: takes the lock of the ledger's file, and says whether it became ours just now: whoever had it before
    ///   has ended, and its leadership need not run out.
    package init(
        _ configuration: Configuration, broker: Broker, ledger: any Store, lock: @escaping @Sendable () -> Bool,
        logger: Logger
    ) {
        self.configuration = configuration
        self.broker = broker
        self.ledger = ledger
        self.lock = lock
        self.logger = logger
    }

    package func run() async throws {
        let stopping = Atomic<Bool>(false)
        await withGracefulShutdownHandler {
            await serve { stopping.load(ordering: .relaxed) || Task.isCancelled }
        } onGracefulShutdown: {
            stopping.store(true, ordering: .relaxed)
        }
    }

    private func serve(isStopping: @Sendable () -> Bool) async {
        var backoff = Backoff()
        var hasWaited = false
        while !isStopping() {
            do throws(LedgerError) {
                if let fencingToken = try await take() {
                    backoff = Backoff()
                    hasWaited = false
                    active.record(1)
                    await work(FencingToken(ledger: try await ledger.identity(), number: fencingToken), isStopping: isStopping)
                    active.record(0)
                    try await ledger.releaseLeadership(Leadership.planning, fencingToken: fencingToken)
                    continue
                }
                if !hasWaited {
                    let holder = try await ledger.leader(Leadership.planning)?.holder ?? ""
                    logger.notice("standby: planner \(holder) is the leader, and this one takes over when it ends")
                    hasWaited = true
                }
                active.record(0)
                try? await Task.sleep(for: min(.milliseconds(500), configuration.lease / 5))
            } catch {
                if backoff.count % 5 == 0 { logger.error("the planner waits: \(error)") }
                guard await backoff.wait() else { return }
            }
        }
    }

    private func take() async throws(LedgerError) -> Int64? {
        let isHolderGone = lock()
        let now = Clock.milliseconds()
        return try await ledger.acquireLeadership(
            Leadership.planning, holder: configuration.name, until: now + configuration.lease.nanoseconds / 1_000_000, now: now,
            isHolderGone: isHolderGone)
    }

    /// Plans and feeds until the stop, or until the leadership is lost.
    private func work(_ fencingToken: FencingToken, isStopping: @Sendable () -> Bool) async {
        logger.info("leader: planning and dispatching, fencing token \(fencingToken.number)")
        ledger.guardPlanning(fencingToken: fencingToken.number)
        let planner = PlannerService(
            ledger: ledger, poll: configuration.poll, only: configuration.only, logger: logger)
        let dispatcher = Dispatcher(
            broker: broker, ledger: ledger, window: configuration.window, poll: configuration.poll,
            only: configuration.only, fencingToken: fencingToken, lease: configuration.workerLease, isAlone: configuration.isAlone,
            logger: logger)
        let watch = StallMonitor(
            broker: broker, ledger: ledger, backoff: Double(configuration.stuckAfter.nanoseconds) / 1e9, only: configuration.only,
            logger: logger)
        await withTaskGroup(of: Void.self) { group in
            // Not of the group: that ends with the stop, and the watch has to be ended.
            let watching = Task { await watch.run() }
            group.addTask { try? await planner.run() }
            group.addTask { try? await dispatcher.run() }
            await keepDuty(fencingToken, isStopping: isStopping)
            if !isStopping() { group.cancelAll() }
            await group.waitForAll()
            watching.cancel()
            await watching.value
        }
        ledger.guardPlanning(fencingToken: nil)
    }

    private func keepDuty(_ fencingToken: FencingToken, isStopping: @Sendable () -> Bool) async {
        let interval = configuration.lease / 5
        var failures = 0
        while !isStopping() {
            // Who took over from a planner that stood still gets the lock when that one has ended.
            _ = lock()
            do throws(LedgerError) {
                let until = Clock.milliseconds() + configuration.lease.nanoseconds / 1_000_000
                guard try await ledger.renewLeadership(Leadership.planning, fencingToken: fencingToken.number, until: until) else {
                    return logger.warning("another planner is the leader now; this one is a standby")
                }
            } catch {
                // As long as nobody else has it, it is ours: a full disk keeps others from it as well.
                if failures % 30 == 0 { logger.warning("the leadership cannot be renewed: \(error)") }
                failures += 1
            }
            let next = ContinuousClock.now + interval
            while !isStopping(), ContinuousClock.now < next {
                do { try await Task.sleep(for: .milliseconds(50)) } catch { return }
            }
        }
    }
}
