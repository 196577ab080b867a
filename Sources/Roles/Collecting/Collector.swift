package import Broker
package import Ledger
package import Logging
import Metrics
package import Model
package import Policy
import ServiceLifecycle

/// Takes results and events from the status streams and writes them into the ledger: many in one transaction, confirmed to
/// Redis only after the commit. Any number may run.
package struct Collector: Service {
    package typealias Store = ResultStore & MailingStore & RefusalStore & LeadershipStore & CopyStore

    let ledger: any Store
    let logger: Logger
    let duplicates = Counter(label: "flotilla_results_duplicate_total")
    let written: [RecipientState: Counter]
    let providers = ProviderNames()
    let refusals: RefusalWatch
    let brake: BrakeWatch?
    let suppressions: SuppressionRules
    let unreadable: UnreadableLog
    let clocks: Clocks
    private let broker: Broker
    private let status: StatusStreams
    private let epochs: EpochStore
    private let identity: LedgerIdentity
    private let loop: CollectingLoop<StatusStreams>
    private let replay: Duration

    /// - Parameters:
    ///   - name: names the collector in Redis; unique to the process.
    ///   - limit: entries in a transaction, about.
    ///   - refusals: when refusals are taken for everybody's.
    ///   - brake: is told of bounces and complaints.
    ///   - suppressions: which refusals take an address off later mailings.
    ///   - abandoned: how long entries that another collector read must have waited before they are taken over; nil for the usual time.
    ///   - replay: how long copies of what is confirmed stay in Redis, where the ledger has a server.
    package init(
        broker: Broker, ledger: any Store, name: String, limit: Int = 200, refusals: RefusalThresholds = RefusalThresholds(),
        brake: BrakeWatch? = nil, suppressions: SuppressionRules = SuppressionRules(), abandoned: Duration? = nil,
        replay: Duration = .zero, clocks: Clocks = .system, logger: Logger
    ) {
        self.replay = replay
        self.refusals = RefusalWatch(refusals)
        self.brake = brake
        self.suppressions = suppressions
        self.broker = broker
        status = StatusStreams(broker)
        epochs = EpochStore(broker)
        self.ledger = ledger
        self.logger = logger
        self.clocks = clocks
        unreadable = UnreadableLog(clocks: clocks)
        identity = LedgerIdentity(clocks: clocks, logger: logger)
        loop = CollectingLoop(
            broker, blocking: StatusStreams(broker), status,
            CollectorReading(entries: "results", name: name, limit: limit, abandoned: abandoned ?? Timing.abandoned, clocks: clocks),
            LedgerOwnership(identity: identity, epochs: epochs, ledger: ledger), logger: logger)
        written = Dictionary(
            uniqueKeysWithValues: RecipientState.allCases.filter { $0 != .planned }.map {
                ($0, Counter(label: "flotilla_results_written_total", dimensions: [("state", $0.name)]))
            })
    }

    /// Collects until a graceful shutdown, and then what is still there.
    package func run() async throws {
        await loop.run(
            take: { (entries) async throws(RedisError) -> Bool in try await take(entries, status) },
            beforeStep: { unreadable.tell(logger) })
        unreadable.tell(logger, isLast: true)
        await status.close()
    }

    /// Collects what is left in Redis, whoever read it, and returns: for a process whose Redis ends with it, after its
    /// roles have ended.
    /// - Returns: whether all is in the ledger.
    package func drain() async -> Bool {
        let status = StatusStreams(broker)
        let isDrained = await loop.drain(status) { (entries) async throws(RedisError) -> Bool in try await take(entries, status) }
        unreadable.tell(logger, isLast: true)
        await status.close()
        return isDrained
    }

    /// Writes entries, and tells Redis what the ledger has: first how far it has come, so that an older copy of it is known as one.
    private func take(_ entries: [StatusStreams.Entry], _ status: StatusStreams) async throws(RedisError) -> Bool {
        guard let summary = await write(entries) else { return false }
        try await identity.note(commits: summary.commits, epochs, ledger)
        if !summary.unsuppressed.isEmpty {
            guard let name = await identity.awaitName(of: ledger, entries: "results") else { return false }
            try await RecentSuppressions(broker).tell([], lifted: summary.unsuppressed, of: name)
        }
        try await status.confirm(
            entries, over: summary.over, replay: Replay(ledger: identity.name, standing: summary.standing, time: replay))
        return true
    }

    /// The ledger is not where it was: workers start nothing more.
    func leaveLedger() async {
        guard let name = identity.name else { return }
        do throws(RedisError) { try await epochs.distrust(ledger: name) } catch {
            logger.warning("workers do not know yet that the ledger is gone: \(error)")
        }
    }
}
