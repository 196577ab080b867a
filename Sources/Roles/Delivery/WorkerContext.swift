import Broker
import Logging
import Metrics
import Model
import Synchronization

/// What all batches of a worker share.
final class WorkerContext: Sendable {
    let configuration: WorkerConfiguration
    let queue: BatchQueue
    let status: StatusStreams
    let inFlight = InFlightBatches()
    let held: Prefetch
    let lease: LeaseKeeper
    /// The time that the fleet shares.
    let time = SharedTime()
    let limits: ActiveLimits
    let paces: AdaptiveRateController
    let meters = DeliveryMetersTable()
    private let takeovers = Counter(label: "flotilla_batches_taken_over_total")
    private let setAside = Counter(label: "flotilla_batches_quarantined_total")
    let logger: Logger
    /// The size of a message lately, in bytes: what to make room for.
    let messageSize = Atomic<Int>(4096)
    private let stopping = Atomic<Bool>(false)
    private let cutting = Atomic<Bool>(false)
    private let done = Atomic<Bool>(false)
    private let lost = Atomic<Bool>(false)
    private let claims = Atomic<Int>(0)
    /// Batches in hand of mailings under a limit, which may wait long here.
    let limited = Atomic<Int>(0)
    /// Groups whose provider is down.
    let parked = Atomic<Int>(0)
    /// Messages that were answered, and such as are handed to their transports now.
    let answered = Atomic<Int>(0)
    let onWire = Atomic<Int>(0)
    private let mustReclaim = Atomic<Bool>(false)
    private let halts = Mutex<[MailingID: String]>([:])

    init(configuration: WorkerConfiguration, broker: Broker, logger: Logger) {
        self.configuration = configuration
        held = Prefetch(first: configuration.concurrency * GroupSizer.first, most: configuration.concurrency * configuration.group)
        queue = BatchQueue(broker)
        let status = StatusStreams(broker)
        self.status = status
        lease = LeaseKeeper(
            worker: configuration.id, length: configuration.lease, register: WorkerRegistry(broker), status: status,
            inFlight: inFlight, logger: logger)
        let limits = ActiveLimits(configuration.limits, logger: logger)
        self.limits = limits
        paces = AdaptiveRateController(AdaptiveRateStore(broker), limits: limits, time: time, logger: logger)
        self.logger = logger
    }

    /// Milliseconds since 1970.
    var now: Int64 { time.milliseconds }

    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    func stop() { stopping.store(true, ordering: .relaxed) }

    /// A number for each claim.
    func nextClaim() -> Int { claims.add(1, ordering: .relaxed).newValue }

    /// A batch was left pending for us: it is to be taken again.
    func leavePending() { mustReclaim.store(true, ordering: .relaxed) }

    /// Whether batches were left pending since the last question.
    func takePending() -> Bool { mustReclaim.exchange(false, ordering: .relaxed) }

    /// Results could not be told to anybody before the process ends.
    var hasLostResults: Bool { lost.load(ordering: .relaxed) }

    func loseResults() { lost.store(true, ordering: .relaxed) }

    /// Nothing is in hand any more, and nothing will be.
    var isDone: Bool { done.load(ordering: .relaxed) }

    func hasEnded() { done.store(true, ordering: .relaxed) }

    /// The stop is cut short: what is on the wire now is not waited for.
    var isCut: Bool { cutting.load(ordering: .relaxed) }

    func cut() {
        stop()
        cutting.store(true, ordering: .relaxed)
    }

    /// Whether a message of the mailing and batch may begin, as far as this worker knows.
    func mayBegin(_ mailing: PreparedMailing, _ claim: InFlightBatch) -> Bool {
        !isStopping && mailing.isSending && holds(claim)
    }

    /// Whether the batch is certainly this worker's.
    func holds(_ claim: InFlightBatch) -> Bool { !claim.isOver && lease.isHeld }

    /// Says what was found of a batch whose worker's lease is over.
    func takenOver(_ lease: BatchQueue.Lease, done: Int, begun: Int, isSetAside: Bool) {
        takeovers.increment()
        if isSetAside { setAside.increment() }
        let open = (lease.batch.open?.count ?? lease.batch.count) - done
        logger.log(
            level: isSetAside ? .error : .warning,
            isSetAside
                ? """
                batch \(lease.batch.id) is quarantined: \(lease.deliveries - 1) workers ended with it. Its \(open) open recipients \
                are held: flotilla mailing uncertain \(lease.batch.id.mailing)
                """
                : """
                batch \(lease.batch.id) is taken over from worker \(lease.from ?? ""), whose lease expired: \(done) done, \
                \(begun) uncertain, \(open - begun) not started
                """,
            metadata: lease.fields)
    }

    /// A provider refuses our set-up: stops the mailing here at once, and asks the planner to pause it.
    func refused(_ mailing: PreparedMailing, _ response: ProviderResponse) {
        mailing.halt()
        requestHalt(
            mailing.id,
            "provider \(mailing.provider) refuses us at \(response.stage.rawValue): \(response.code) \(response.text)")
    }

    /// Asks the planner to pause a mailing, and says why.
    func requestHalt(_ mailing: MailingID, _ reason: String) {
        halts.withLock { $0[mailing] = $0[mailing] ?? reason }
    }

    /// A mailing that the planner must still be asked to pause, and why.
    var nextHalt: (mailing: MailingID, reason: String)? {
        halts.withLock { $0.first.map { ($0.key, $0.value) } }
    }

    func haltSent(_ mailing: MailingID) { halts.withLock { $0[mailing] = nil } }
}
