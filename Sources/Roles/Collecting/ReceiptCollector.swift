package import Broker
package import Ledger
package import Logging
import Metrics
package import Model
package import Policy
import ServiceLifecycle

/// Takes what providers tell of messages from the receipts stream and writes it into the ledger, as `Collector` does with results:
/// confirmed to Redis only after the commit. Any number may run. Receipts that name no message are tried again, since they may come
/// before the result of their message.
package struct ReceiptCollector: Service {
    package typealias Store = ReceiptStore & LeadershipStore & CopyStore & SuppressionStore

    private let broker: Broker
    private let ledger: any Store
    private let providers: Set<String>
    private let streams: ReceiptStreams
    private let identity: LedgerIdentity
    private let loop: CollectingLoop<ReceiptStreams>
    private let telling: SuppressionTelling
    private let brake: BrakeWatch?
    private let unreadable: UnreadableLog
    private let meters = ReceiptMeters()
    private let suppressions: SuppressionRules
    private let pause: Duration
    private let clocks: Clocks
    private let replay: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - providers: whose receipts are expected, by the names that results have.
    ///   - name: names the collector in Redis; unique to the process.
    ///   - limit: entries in a transaction, about; each has up to 500 receipts.
    ///   - brake: is told of bounces and complaints.
    ///   - suppressions: which mail that comes back takes an address off later mailings.
    ///   - abandoned: how long entries that another collector read must have waited before they are taken over.
    ///   - pause: between two tries of receipts that name no message.
    ///   - replay: how long copies of what is confirmed stay in Redis, where the ledger has a server.
    package init(
        broker: Broker, ledger: any Store, providers: Set<String>, name: String, limit: Int = 2, brake: BrakeWatch? = nil,
        suppressions: SuppressionRules = SuppressionRules(), abandoned: Duration = .seconds(10), pause: Duration = .seconds(15),
        replay: Duration = .zero, clocks: Clocks = .system, logger: Logger
    ) {
        self.replay = replay
        (self.broker, self.ledger, self.providers, self.pause, self.logger) = (broker, ledger, providers, pause, logger)
        (self.clocks, self.brake, self.suppressions) = (clocks, brake, suppressions)
        unreadable = UnreadableLog(clocks: clocks)
        streams = ReceiptStreams(broker)
        identity = LedgerIdentity(clocks: clocks, logger: logger)
        telling = SuppressionTelling(RecentSuppressions(broker), ledger, clocks: clocks, logger: logger)
        loop = CollectingLoop(
            broker, blocking: ReceiptStreams(broker), streams,
            CollectorReading(entries: "receipts", name: name, limit: limit, abandoned: abandoned, clocks: clocks),
            LedgerOwnership(identity: identity, epochs: EpochStore(broker), ledger: ledger), logger: logger)
    }

    /// Collects until a graceful shutdown, and then what is still there.
    package func run() async throws {
        await telling.run()
        await withDiscardingTaskGroup { group in
            group.addTask { await cancelWhenGracefulShutdown { await retry() } }
            await loop.run(
                take: { (entries) async throws(RedisError) -> Bool in try await take(entries, streams) },
                beforeStep: { unreadable.tell(logger) })
            group.cancelAll()
        }
        unreadable.tell(logger, isLast: true)
        await streams.close()
    }

    /// Collects what is left in Redis, whoever read it, and returns: for a process whose Redis ends with it, after its roles have ended.
    /// - Returns: whether all is in the ledger.
    package func drain() async -> Bool {
        let streams = ReceiptStreams(broker)
        let isDrained = await loop.drain(streams) { (entries) async throws(RedisError) -> Bool in try await take(entries, streams) }
        unreadable.tell(logger, isLast: true)
        await streams.close()
        return isDrained
    }

    /// Writes entries into the ledger, tells workers who is suppressed, and confirms them only then.
    private func take(_ entries: [ReceiptStreams.Entry], _ streams: ReceiptStreams) async throws(RedisError) -> Bool {
        guard let summary = await write(entries) else { return false }
        meters.note(summary)
        brake?.note(summary.braked)
        guard try await tell(summary) else { return false }
        try await streams.confirm(entries, replay: Replay(ledger: identity.name, standing: summary.standing, time: replay))
        return true
    }

    /// Writes until the ledger has taken it.
    /// - Returns: nil when the process was cut short: the entries then stay in Redis.
    private func write(_ entries: [ReceiptStreams.Entry]) async -> ReceiptSummary? {
        unreadable.note(entries.compactMap { entry in entry.letter.map { (entry.name, $0.reason) } }, of: .receipts)
        let receipts = entries.compactMap(\.batch).flatMap(\.receipts)
        var backoff = Backoff()
        var line = RepeatedLine()
        while true {
            do throws(LedgerError) {
                return try await ledger.write(
                    receipts: receipts, letters: entries.compactMap(\.letter), suppressing: suppressions, now: clocks.milliseconds)
            } catch {
                if line.add(at: clocks.monotonic) != nil {
                    logger.error("the ledger cannot be written; receipts wait in Redis: \(error)")
                }
            }
            guard await backoff.wait() else { return nil }
        }
    }

    /// Tries those again that are aside, says which providers' ids are to be kept, and tells workers of suppressions that they may not have
    /// heard of, until it is cancelled.
    private func retry() async {
        var nextNote = clocks.now
        var line = RepeatedLine()
        // What is committed, and found no more: it stays here until workers were told.
        var untold: ReceiptSummary?
        repeat {
            do {
                if clocks.now >= nextNote {
                    try await ledger.expectReceipts(of: providers, now: clocks.milliseconds)
                    nextNote = clocks.now + .seconds(3600)
                }
                // What is committed, and was not told of, is among them.
                if await telling.run() { untold?.suppressed = [] }
                if let summary = untold, try await tell(summary) { untold = nil }
                if untold == nil {
                    let summary = try await ledger.retryReceipts(suppressing: suppressions, now: clocks.milliseconds)
                    meters.note(summary)
                    brake?.note(summary.braked)
                    untold = summary
                    if try await tell(summary) { untold = nil }
                }
            } catch {
                if line.add(at: clocks.monotonic) != nil { logger.warning("receipts that name no message wait: \(error)") }
            }
            try? await Task.sleep(for: pause)
        } while !Task.isCancelled
    }

    /// - Returns: false when the process was cut short before workers were told: the next collector tells them (`SuppressionTelling`).
    private func tell(_ summary: ReceiptSummary) async throws(RedisError) -> Bool {
        if !summary.suppressed.isEmpty || !summary.unsuppressed.isEmpty {
            guard let name = await identity.awaitName(of: ledger, entries: "receipts") else { return false }
            try await RecentSuppressions(broker).tell(summary.suppressed, lifted: summary.unsuppressed, of: name)
        }
        if summary.aside > 0 {
            logger.notice("\(summary.aside) receipts name no message of this ledger; they are tried again (flotilla receipts list)")
        }
        return true
    }
}

/// What is told of receipts in metrics.
private struct ReceiptMeters: Sendable {
    private let counted: [ProviderReceipt.Kind: Counter]
    private let duplicates = Counter(label: "flotilla_receipts_duplicate_total")
    private let machines = Counter(label: "flotilla_receipts_machine_total")
    private let forged = Counter(label: "flotilla_receipts_forged_total")
    private let aside = Counter(label: "flotilla_receipts_unknown_total")
    private let found = Counter(label: "flotilla_receipts_found_total")
    private let discarded = Counter(label: "flotilla_receipts_discarded_total")

    init() {
        counted = Dictionary(
            uniqueKeysWithValues: ProviderReceipt.Kind.counted.map {
                ($0, Counter(label: "flotilla_receipts_written_total", dimensions: [("kind", $0.name)]))
            })
    }

    func note(_ summary: ReceiptSummary) {
        for (kind, count) in summary.counted { counted[kind]?.increment(by: count) }
        duplicates.increment(by: summary.duplicates)
        machines.increment(by: summary.machines)
        forged.increment(by: summary.forged)
        aside.increment(by: summary.aside)
        found.increment(by: summary.found)
        discarded.increment(by: summary.discarded)
    }
}
