package import Broker
package import Ledger
package import Logging
import Metrics
import Model
import ServiceLifecycle
import Synchronization

/// Takes results and events from the status streams and writes them into the ledger: many in one transaction, confirmed to
/// Redis only after the commit. Any number may run.
package struct Collector: Service {
    /// How long a small harvest waits for more: a transaction costs as much as a hundred results.
    private static let linger = Duration.milliseconds(25)

    /// How often entries are looked for that a collector read and did not confirm.
    private static let patrol = Duration.seconds(5)

    private let broker: Broker
    private let status: StatusStreams
    private let epochs: EpochStore
    private let ledger: any ResultStore & MailingStore & LeadershipStore
    private let name: String
    /// Entries in a transaction, about.
    private let limit: Int
    private let abandoned: Duration
    private let logger: Logger
    private let duplicates = Counter(label: "flotilla_results_duplicate_total")
    private let written: [RecipientState: Counter]
    private let identity = LedgerIdentity()
    private let providers = ProviderNames()

    /// - Parameters:
    ///   - name: names the collector in Redis; unique to the process.
    ///   - limit: entries in a transaction, about.
    ///   - abandoned: how long entries that another collector read must have waited before they are taken over.
    package init(
        broker: Broker, ledger: any ResultStore & MailingStore & LeadershipStore, name: String, limit: Int = 200,
        abandoned: Duration = .seconds(10), logger: Logger
    ) {
        self.broker = broker
        status = StatusStreams(broker)
        epochs = EpochStore(broker)
        self.ledger = ledger
        self.name = name
        self.limit = limit
        self.abandoned = abandoned
        self.logger = logger
        written = Dictionary(
            uniqueKeysWithValues: RecipientState.allCases.map {
                ($0, Counter(label: "flotilla_results_written_total", dimensions: [("state", $0.name)]))
            })
    }

    /// Collects until a graceful shutdown, and then what is still there.
    package func run() async throws {
        let stopping = Atomic<Bool>(false)
        await withGracefulShutdownHandler {
            await collect { stopping.load(ordering: .relaxed) }
        } onGracefulShutdown: {
            stopping.store(true, ordering: .relaxed)
        }
        await status.close()
    }

    /// Collects what is left in Redis, whoever read it, and returns: for a process whose Redis ends with it, after its
    /// roles have ended.
    package func drain() async {
        let status = StatusStreams(broker)
        do throws(RedisError) {
            while try await isOurs() {
                var entries = try await status.claimAbandoned(by: name, idle: .zero, count: limit)
                if entries.isEmpty { entries = try await status.read(consumer: name, count: limit, block: nil) }
                guard !entries.isEmpty, let over = await write(entries) else { break }
                try await status.confirm(entries, over: over)
            }
        } catch {
            logger.error("results are left in Redis: \(error)")
        }
        await status.close()
    }

    private func collect(isStopping: () -> Bool) async {
        var backoff = Backoff()
        // After a failure, entries may have been given to us whose reply was lost, or that we did not confirm.
        var hasLeftovers = true
        var lastPatrol = ContinuousClock.now - Self.patrol
        var lastRun = ""
        while !Task.isCancelled {
            let lastRound = isStopping()
            do throws(RedisError) {
                guard try await isOurs() else {
                    if lastRound { return }
                    try? await Task.sleep(for: .milliseconds(250))
                    continue
                }
                let run = try await status.serverRun()
                if run != lastRun {
                    hasLeftovers = true
                    lastRun = run
                }
                var entries: [StatusStreams.Entry] = []
                if hasLeftovers {
                    entries = try await status.readUnconfirmed(consumer: name, count: limit)
                    hasLeftovers = !entries.isEmpty
                } else if ContinuousClock.now - lastPatrol >= Self.patrol {
                    entries = try await status.claimAbandoned(by: name, idle: abandoned, count: limit)
                    if entries.isEmpty { lastPatrol = .now }
                }
                if entries.isEmpty { entries = try await harvest(wait: !lastRound) }
                backoff = Backoff()
                if entries.isEmpty {
                    if lastRound { return }
                    continue
                }
                guard let over = await write(entries) else { return }
                try await status.confirm(entries, over: over)
            } catch {
                hasLeftovers = true
                logger.warning("status streams cannot be read or confirmed, trying again: \(error)")
                if lastRound, backoff.count > 5 {
                    return logger.error("results are left in Redis: they are collected at the next start")
                }
                guard await backoff.wait() else { return }
            }
        }
    }

    /// Whether the results in this Redis are of our ledger: taken by the collector of another, they would be lost.
    private func isOurs() async throws(RedisError) -> Bool {
        guard let carried = try await epochs.ledger() else { return false }
        let ours: String
        do throws(LedgerError) {
            ours = try await identity.value(of: ledger)
        } catch {
            logger.error("the ledger cannot be read: \(error)")
            return false
        }
        if carried == ours { return true }
        if identity.isTimeToSay() {
            logger.error(
                """
                this Redis carries the mailings of another ledger: is ledger.path of this collector right? Else give each its \
                own redis.prefix. Nothing is collected meanwhile.
                """)
        }
        return false
    }

    private func harvest(wait: Bool) async throws(RedisError) -> [StatusStreams.Entry] {
        var entries = try await status.read(consumer: name, count: limit, block: wait ? .milliseconds(500) : nil)
        if !entries.isEmpty, entries.count < limit / 4 {
            try? await Task.sleep(for: Self.linger)
            // What the first read brought is not dropped because a second one fails.
            entries += (try? await status.read(consumer: name, count: limit, block: nil)) ?? []
        }
        return entries
    }

    /// Writes until the ledger has taken it: what was sent to people must be kept.
    /// - Returns: the feedings that are over; nil when the process was cut short: the entries then stay in Redis.
    private func write(_ entries: [StatusStreams.Entry]) async -> Set<Dispatch>? {
        var results: [ResultGroup] = []
        var events: [EventGroup] = []
        var halts: [(MailingID, String)] = []
        for entry in entries {
            switch entry.payload {
            case .results(let group): results.append(group)
            case .events(let group): events.append(group)
            case .halt(let mailing, let reason): halts.append((mailing, reason))
            case .unreadable(let why): logger.error("dropped from a status stream, not readable: \(why)")
            }
        }
        var backoff = Backoff()
        while true {
            do throws(LedgerError) {
                let summary = try await ledger.write(groups: results, events: events, now: Clock.milliseconds())
                for (state, count) in summary.moved { written[state]?.increment(by: count) }
                if summary.duplicates > 0 { duplicates.increment(by: summary.duplicates) }
                if summary.unknown + summary.invalid > 0 {
                    logger.error(
                        """
                        \(summary.unknown) groups of results belong to no mailing of this ledger, and \(summary.invalid) cannot be \
                        right; they are ignored. Do two ledgers share one Redis and redis.prefix?
                        """)
                }
                for (mailing, reason) in halts {
                    if try await ledger.setState(
                        mailing, to: .paused, from: [.sending], reason: reason, now: Clock.milliseconds())
                    {
                        let fields = await providers.fields(of: mailing, in: ledger)
                        logger.error("mailing \(mailing) is paused: \(reason)", metadata: fields)
                    }
                }
                for group in results { await trace(group) }
                return summary.over
            } catch {
                if backoff.count % 5 == 0 {
                    logger.error("the ledger cannot be written; results wait in Redis: \(error)")
                }
            }
            guard await backoff.wait() else { return nil }
        }
    }
}

extension Collector {
    /// Follows what is in the ledger now: by batch, and for who asks for that (log.level: trace) each message by its id.
    private func trace(_ group: ResultGroup) async {
        guard logger.logLevel <= .debug else { return }
        let fields = await providers.fields(of: group.batch.mailing, in: ledger)
            .merging(["batch": "\(group.batch.number)", "worker": "\(group.worker)"]) { $1 }
        logger.debug("\(group.results.count) results written", metadata: fields)
        guard logger.logLevel <= .trace else { return }
        for result in group.results {
            logger.trace(
                "written: \(result.state.name), attempt \(result.attempts)",
                metadata: fields.merging(["message_id": "\(group.batch.message(result.index))"]) { $1 })
        }
    }
}

/// The ledger's name, read once, and when it was last said that Redis knows another.
private final class LedgerIdentity: Sendable {
    private let known = Mutex<String?>(nil)
    private let said = Mutex<ContinuousClock.Instant?>(nil)

    func value(of ledger: any LeadershipStore) async throws(LedgerError) -> String {
        if let value = known.withLock({ $0 }) { return value }
        let value = try await ledger.identity()
        known.withLock { $0 = value }
        return value
    }

    func isTimeToSay() -> Bool {
        said.withLock { last in
            if let last, ContinuousClock.now - last < .seconds(30) { return false }
            last = .now
            return true
        }
    }
}
