import Broker
import Logging
import Metrics
import Model
import Policy
import Signing
import Synchronization
import Text

/// What all batches of a worker share.
final class WorkerContext: Sendable {
    let configuration: WorkerConfiguration
    let queue: BatchQueue
    let status: StatusStreams
    let inFlight: InFlightBatches
    let prefetch: Prefetch
    let lease: LeaseRenewal
    let clocks: Clocks
    /// The time that the fleet shares.
    let time: SharedTime
    let limits: ActiveLimits
    let suppressed: SuppressedLately
    let connections: ConnectionBudget
    let rates: AdaptiveRateController
    let meters = DeliveryMetersTable()
    let signing = SigningThreads()
    let logger: Logger
    /// Wakes messages that wait: a stop, a lease that expired, a mailing that was paused, a circuit breaker that opened or closed.
    let changes: Broadcast
    /// Counts what changes for messages that wait for a limit.
    let waiting = WaitingChanges()
    /// Wakes the one who takes batches.
    let demand: WakeSignal
    /// Wakes the one who renews the lease.
    let renewal = WakeSignal()
    /// Wakes the one who looks after what was published.
    let published = WakeSignal()
    /// Wakes the one who sends results that have waited.
    let results = WakeSignal()
    /// The size of a message lately, in bytes: what to make room for.
    let messageSize = Atomic<Int>(4096)
    /// Workers of the fleet, as far as is known.
    let fleet = Atomic<Int>(1)
    /// Messages that got a response, and messages that are with their transports now.
    let answered = Atomic<Int>(0)
    let transmitting = Atomic<Int>(0)
    private let takeovers = Counter(label: "flotilla_batches_taken_over_total")
    private let quarantined = Counter(label: "flotilla_batches_quarantined_total")
    private let stopping = Atomic<Bool>(false)
    private let cutting = Atomic<Bool>(false)
    private let done = Atomic<Bool>(false)
    private let lost = Atomic<Bool>(false)
    private let claims = Atomic<Int>(0)
    private let mustReclaim = Atomic<Bool>(false)
    private let arrived = Mutex<[InFlightBatch]>([])
    private let halts = Mutex<[MailingID: MailingHalt]>([:])
    private let lines = Mutex<[String: RepeatedLine]>([:])

    init(configuration: WorkerConfiguration, broker: Broker, clocks: Clocks = .system, logger: Logger) {
        self.configuration = configuration
        self.clocks = clocks
        time = SharedTime(clocks)
        self.logger = logger
        connections = ConnectionBudget(configuration.connections)
        let changes = Broadcast(clocks: clocks)
        let demand = WakeSignal()
        self.changes = changes
        self.demand = demand
        prefetch = Prefetch(
            first: configuration.concurrency * GroupSizer.first, most: configuration.concurrency * configuration.group,
            bytes: configuration.prefetchBytes, signal: demand, clocks: clocks)
        inFlight = InFlightBatches(changes: changes)
        queue = BatchQueue(broker)
        suppressed = SuppressedLately(RecentSuppressions(broker))
        let status = StatusStreams(broker)
        self.status = status
        lease = LeaseRenewal(
            worker: configuration.id, length: configuration.lease, registry: WorkerRegistry(broker), status: status,
            inFlight: inFlight, clocks: clocks, logger: logger)
        let limits = ActiveLimits(configuration.limits, clocks: clocks, logger: logger)
        self.limits = limits
        rates = AdaptiveRateController(AdaptiveRateStore(broker), limits: limits, time: time, logger: logger)
    }

    /// Milliseconds since 1970.
    var now: Int64 { time.milliseconds }

    /// How far behind `now` a clock that may be right can be, in milliseconds: nobody expires before.
    var delay: Int64 { max(0, time.milliseconds - time.earliest) }

    /// Whether a lifetime has ended by every clock.
    func hasExpired(_ expires: Int64) -> Bool { time.earliest >= expires }

    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    func stop() {
        stopping.store(true, ordering: .relaxed)
        wakeAll()
    }

    /// A number for each claim of a batch.
    func nextClaim() -> Int { claims.add(1, ordering: .relaxed).newValue }

    /// Notes that a batch was left pending for us, and has to be taken again.
    func leavePending() {
        mustReclaim.store(true, ordering: .relaxed)
        demand.notify()
    }

    /// Whether batches were left pending since the last call.
    func takePending() -> Bool { mustReclaim.exchange(false, ordering: .relaxed) }

    /// Notes batches that were taken over. They are in flight from here on, so that a loss of Redis or a stop finds them before work on
    /// them starts.
    func arrive(_ leases: [BatchLease]) {
        let batches = leases.map { InFlightBatch($0, buffer: ResultBuffer(lease: $0, worker: self)) }
        for batch in batches { inFlight.insert(batch) }
        arrived.withLock { $0 += batches }
        demand.notify()
    }

    /// Batches that were taken over since the last call.
    func takeArrived() -> [InFlightBatch] {
        arrived.withLock { batches in
            defer { batches = [] }
            return batches
        }
    }

    /// Results could not be reported before the process ends.
    var hasLostResults: Bool { lost.load(ordering: .relaxed) }

    func loseResults() { lost.store(true, ordering: .relaxed) }

    /// Nothing is in flight, and nothing will be.
    var isDone: Bool { done.load(ordering: .relaxed) }

    func hasEnded() {
        done.store(true, ordering: .relaxed)
        wakeAll()
    }

    /// The stop is cut short: messages in flight are not waited for.
    var isCut: Bool { cutting.load(ordering: .relaxed) }

    func cut() {
        cutting.store(true, ordering: .relaxed)
        stop()
    }

    private func wakeAll() {
        changes.notify()
        for signal in [demand, renewal, published, results] { signal.notify() }
    }

    /// Whether a message of the mailing and batch may start, as far as this worker knows.
    func mayStart(_ mailing: PreparedMailing, _ batch: InFlightBatch) -> Bool {
        !isStopping && mailing.isSending && holds(batch)
    }

    /// Whether the batch is certainly this worker's.
    func holds(_ batch: InFlightBatch) -> Bool { !batch.isEnded && lease.isHeld }

    /// Logs what was found of a batch whose worker's lease has expired.
    func takenOver(_ lease: BatchLease, _ plan: TakeoverPlan) {
        takeovers.increment()
        if plan.isQuarantined {
            quarantined.increment()
            return logger.error(
                """
                batch \(lease.batch.id) is quarantined: \(Plural.text(lease.holder.deliveries - 1, "worker")) ended with it. Held are \
                \(Plural.text(plan.uncertain.count, "recipient")) that it had open: flotilla mailing uncertain \(lease.batch.id.mailing)
                """, metadata: lease.fields)
        }
        let notStarted = plan.open.count - (plan.isHeld ? 0 : plan.uncertain.count)
        logger.warning(
            """
            batch \(lease.batch.id) is taken over from worker \(lease.from ?? ""), whose lease has expired: \(plan.done) done, \
            \(plan.uncertain.count) uncertain, \(notStarted) not started
            """, metadata: lease.fields)
    }

    /// Stops the mailing here at once, and asks the planner to pause it: the provider refuses our set-up.
    func refused(_ mailing: PreparedMailing, _ response: ProviderResponse) {
        refused(
            mailing, "provider \(mailing.provider) refuses us at \(response.stage.rawValue): \(response.code) \(response.text)")
    }

    /// Stops the mailing here at once, and asks the planner to pause it, for a reason in words.
    func refused(_ mailing: PreparedMailing, _ reason: String) {
        mailing.halt(at: clocks.now)
        changes.notify()
        requestHalt(mailing.id, MailingHalt(.refusal, reason))
    }

    /// Logs what keeps batches of a provider waiting, once a minute for all of them.
    func tell(_ problem: any Error, of batch: BatchLease) {
        let count = lines.withLock { $0[batch.lane.provider, default: RepeatedLine()].add(at: clocks.monotonic) }
        logger.log(
            level: count == nil ? .debug : .warning,
            "batches for provider \(batch.lane.provider) wait: \(problem)\(RepeatedLine.text(count ?? 1))", metadata: batch.fields)
    }

    /// Logs that a lane has batches of a newer release, once a minute.
    func reportNewer(_ lane: Lane) {
        guard lines.withLock({ $0["newer \(lane)", default: RepeatedLine()].add(at: clocks.monotonic) }) != nil else { return }
        logger.warning(
            """
            batches of lane \(lane) are of a newer release and are left for its workers (this one reads wire versions up to \
            \(WireVersion.current)): upgrade this worker
            """, metadata: ["channel": "\(lane.channel.rawValue)", "provider": "\(lane.provider)"])
    }

    /// Asks the planner to pause a mailing, with the reason.
    func requestHalt(_ mailing: MailingID, _ halt: MailingHalt) {
        halts.withLock { $0[mailing] = $0[mailing] ?? halt }
        published.notify()
    }

    /// A mailing that the planner must still be asked to pause, and why.
    var nextHalt: (mailing: MailingID, halt: MailingHalt)? {
        halts.withLock { $0.first.map { ($0.key, $0.value) } }
    }

    func haltSent(_ mailing: MailingID) { halts.withLock { $0[mailing] = nil } }
}
