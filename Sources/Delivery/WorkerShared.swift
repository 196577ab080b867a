import Broker
import Logging
import Metrics
import Model
import Synchronization

/// What all batches of a worker share.
final class WorkerShared: Sendable {
    let configuration: WorkerConfiguration
    let queue: BatchQueue
    let status: StatusStreams
    let throttle: Throttle
    let lanes: Lanes
    let meters = DeliveryMetersTable()
    let throttleWaits = Metrics.Timer(label: "flotilla_throttle_wait_seconds", dimensions: [("scope", "mailing")])
    let logger: Logger
    /// The size of a message lately, in bytes: what to make room for.
    let messageSize = Atomic<Int>(4096)
    private let stopping = Atomic<Bool>(false)
    private let troubles = Mutex<[String: ContinuousClock.Instant]>([:])
    private let halts = Mutex<[MailingID: String]>([:])

    init(configuration: WorkerConfiguration, broker: Broker, logger: Logger) {
        self.configuration = configuration
        queue = BatchQueue(broker)
        status = StatusStreams(broker)
        throttle = Throttle(broker)
        lanes = Lanes(configuration.concurrency)
        self.logger = logger
    }

    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    func stop() { stopping.store(true, ordering: .relaxed) }

    /// Whether a message of the mailing may begin, as far as this worker knows.
    func mayBegin(_ mailing: PreparedMailing) -> Bool { !isStopping && mailing.isSending }

    /// Says that a provider cannot be reached, at most every ten seconds.
    func providerTrouble(_ provider: String, _ answer: Answer) {
        let now = ContinuousClock.now
        let isNews = troubles.withLock { troubles in
            if let last = troubles[provider], now - last < .seconds(10) { return false }
            troubles[provider] = now
            return true
        }
        if isNews {
            logger.warning(
                "provider \(provider) cannot be reached: \(answer.text); its messages wait",
                metadata: ["provider": "\(provider)", "stage": "\(answer.stage)"])
        }
    }

    /// A provider refuses our set-up: stops the mailing here at once, and asks the planner to pause it.
    func refused(_ mailing: PreparedMailing, _ answer: Answer) {
        mailing.halt()
        requestHalt(
            mailing.id,
            "provider \(mailing.provider) refuses us at \(answer.stage.rawValue): \(answer.code) \(answer.text)")
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
