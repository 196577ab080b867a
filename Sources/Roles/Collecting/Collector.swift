package import Broker
package import Ledger
package import Logging
import Metrics
import Model
package import Policy
import ServiceLifecycle
import Synchronization

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
    let unreadable = UnreadableLog()
    private let broker: Broker
    /// For reads that block; closed to end one.
    private let blocking: StatusStreams
    private let status: StatusStreams
    private let epochs: EpochStore
    private let name: String
    /// Entries in a transaction, about.
    private let limit: Int
    private let abandoned: Duration
    /// Bytes of the entries of a read, about.
    private static let bytesAtOnce = 32 << 20
    private let identity: LedgerIdentity

    /// - Parameters:
    ///   - name: names the collector in Redis; unique to the process.
    ///   - limit: entries in a transaction, about.
    ///   - refusals: when refusals are taken for everybody's.
    ///   - abandoned: how long entries that another collector read must have waited before they are taken over.
    package init(
        broker: Broker, ledger: any Store, name: String, limit: Int = 200, refusals: RefusalThresholds = RefusalThresholds(),
        abandoned: Duration = .seconds(10), logger: Logger
    ) {
        self.refusals = RefusalWatch(refusals)
        self.broker = broker
        blocking = StatusStreams(broker)
        status = StatusStreams(broker)
        epochs = EpochStore(broker)
        self.ledger = ledger
        self.name = name
        self.limit = limit
        self.abandoned = abandoned
        self.logger = logger
        identity = LedgerIdentity(logger: logger)
        written = Dictionary(
            uniqueKeysWithValues: RecipientState.allCases.filter { $0 != .planned }.map {
                ($0, Counter(label: "flotilla_results_written_total", dimensions: [("state", $0.name)]))
            })
    }

    /// Collects until a graceful shutdown, and then what is still there.
    package func run() async throws {
        let stopping = Atomic<Bool>(false)
        let (stop, end) = (WakeSignal(), WakeSignal())
        let wake = WakeStream(broker, for: .workers)
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                // A read that blocks is ended by closing its connection; what it may have been given then is read again.
                group.addTask {
                    await stop.wait(atMost: nil)
                    await blocking.close()
                    await wake.close()
                }
                await collect(wake, end) { stopping.load(ordering: .relaxed) }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            stopping.store(true, ordering: .relaxed)
            stop.notify()
            end.notify()
        }
        unreadable.tell(logger, isLast: true)
        await status.close()
    }

    /// Collects what is left in Redis, whoever read it, and returns: for a process whose Redis ends with it, after its
    /// roles have ended.
    /// - Returns: whether all is in the ledger.
    package func drain() async -> Bool {
        var isDrained = false
        let status = StatusStreams(broker)
        do throws(RedisError) {
            while try await identity.owner(of: epochs, ledger: ledger) == .ours {
                try await identity.noteOlderCopy(epochs, ledger)
                var entries = try await status.claimAbandoned(by: name, idle: .zero, count: limit)
                if entries.isEmpty { entries = try await status.read(consumer: name, count: limit, block: nil) }
                isDrained = entries.isEmpty
                guard !entries.isEmpty, let summary = await write(entries) else { break }
                try await confirm(entries, summary, status)
            }
        } catch {
            logger.error("results are left in Redis: \(error)")
        }
        unreadable.tell(logger, isLast: true)
        await status.close()
        return isDrained
    }

    /// Tells Redis what the ledger has: first how far it has come, so that an older copy of it is known as one.
    private func confirm(
        _ entries: [StatusStreams.Entry], _ summary: WriteSummary, _ status: StatusStreams
    ) async throws(RedisError) {
        try await identity.note(commits: summary.commits, epochs, ledger)
        try await status.confirm(entries, over: summary.over)
    }

    /// The ledger is not where it was: workers start nothing more.
    func leaveLedger() async {
        guard let name = identity.name else { return }
        do throws(RedisError) { try await epochs.distrust(ledger: name) } catch {
            logger.warning("workers do not know yet that the ledger is gone: \(error)")
        }
    }

    /// - Parameter end: notified at the graceful shutdown.
    private func collect(_ wake: WakeStream, _ end: WakeSignal, isStopping: () -> Bool) async {
        var wake = wake
        var state = CollectorState(limit: limit, at: .now)
        var entries: [StatusStreams.Entry] = []
        var backoff = Backoff()
        // Fewer where entries are large.
        var limit = limit
        while !Task.isCancelled {
            unreadable.tell(logger)
            let step = state.next(at: .now, isStopping: isStopping())
            do throws(RedisError) {
                var more: [StatusStreams.Entry] = []
                switch step {
                case .end: return
                case .checkOwner:
                    let owner = try await identity.owner(of: epochs, ledger: ledger)
                    if !state.note(owner: owner) { entries = [] }
                    if owner == .ours { try await identity.noteOlderCopy(epochs, ledger) }
                case .waitForOwner(let owner):
                    await wait(for: owner, &wake, end)
                    state.noteWait()
                case .read(let time):
                    if state.note(run: try await blocking.serverRun()) { continue }
                    more = try await blocking.read(consumer: name, count: limit, block: time)
                case .readUnconfirmed, .claimAbandoned, .readMore, .readRest: more = try await read(step, limit)
                case .write:
                    guard let summary = await write(entries) else { return }
                    try await confirm(entries, summary, status)
                    entries = []
                    state.noteWritten()
                }
                if !more.isEmpty { limit = limitOfReads(after: more) }
                entries += more
                state.note(more.count, of: step, at: .now)
                backoff = Backoff()
            } catch {
                entries = []
                state.noteFailure()
                // The read that was under way has been ended.
                if case .read = step, isStopping() { continue }
                logger.warning("status streams cannot be read or confirmed, trying again: \(error)")
                if isStopping(), backoff.count > 5 {
                    return logger.error("results are left in Redis: they are collected at the next start")
                }
                guard await backoff.wait() else { return }
            }
        }
    }

    /// Entries to read at a time, so that they have about `bytesAtOnce` bytes.
    /// - Parameter read: the entries that were read last.
    private func limitOfReads(after read: [StatusStreams.Entry]) -> Int {
        let size = max(1, read.reduce(0) { $0 + $1.bytes } / read.count)
        return max(1, min(limit, Self.bytesAtOnce / size))
    }

    /// Reads entries without blocking, as a step says.
    private func read(_ step: CollectorState.Step, _ limit: Int) async throws(RedisError) -> [StatusStreams.Entry] {
        switch step {
        case .readUnconfirmed: return try await status.readUnconfirmed(consumer: name, count: limit)
        case .claimAbandoned: return try await status.claimAbandoned(by: name, idle: abandoned, count: limit)
        case .readMore(let time):
            try? await Task.sleep(for: time)
            // A failure here must not drop the entries of the first read.
            return (try? await blocking.read(consumer: name, count: limit, block: nil)) ?? []
        case .readRest: return try await status.read(consumer: name, count: limit, block: nil)
        case .end, .checkOwner, .waitForOwner, .read, .write: return []
        }
    }

    /// Waits until Redis may carry our mailings: an epoch has begun, or a time has passed.
    private func wait(for owner: CollectorState.Owner, _ wake: inout WakeStream, _ end: WakeSignal) async {
        guard owner == .nobody else {
            await end.wait(atMost: Timing.fallback)
            return
        }
        let deadline = ContinuousClock.now + Timing.fallback
        while ContinuousClock.now < deadline, !Task.isCancelled {
            guard let events = try? await wake.next(atMost: deadline - ContinuousClock.now) else {
                await end.wait(atMost: .milliseconds(100))
                return
            }
            if events.contains(.epoch) || events.contains(.other) { return }
        }
    }
}
