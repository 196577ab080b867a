package import Broker
package import Ledger
package import Logging
import Metrics
package import Model
import Policy
import ServiceLifecycle

/// Takes what visitors of messages' links did from the events streams and writes it into the ledger, beside the collector of results, which
/// never waits for it. Any number may run. An entry may be read twice and counts once; it is confirmed to Redis only after the commit.
package struct EventCollector: Service {
    package typealias Store = EventStore & LeadershipStore & CopyStore & VisitDomainStore

    private let broker: Broker
    private let ledger: any Store
    private let rules: EventRules
    private let streams: EventStreams
    private let loop: CollectingLoop<EventStreams>
    private let identity: LedgerIdentity
    private let domains: DomainBursts?
    private let limit: Int
    private let counting: EventCounting
    private let replay: Duration
    private let unreadable: UnreadableLog
    private let meters = EventMeters()
    private let clocks: Clocks
    private let logger: Logger

    /// - Parameters:
    ///   - rules: tell people from machines.
    ///   - name: names the collector in Redis; unique to the process.
    ///   - limit: entries in a transaction, about; each has up to a thousand events.
    ///   - abandoned: how long entries that another collector read must have waited before they are taken over; nil for the usual time.
    ///   - replay: how long copies of what is confirmed stay in Redis, where the ledger has a server.
    package init(
        broker: Broker, ledger: any Store, rules: EventRules, name: String, limit: Int = 50, abandoned: Duration? = nil,
        replay: Duration = .zero, clocks: Clocks = .system, logger: Logger
    ) {
        (self.broker, self.ledger, self.rules, self.logger, self.limit, self.replay) = (broker, ledger, rules, logger, limit, replay)
        self.clocks = clocks
        unreadable = UnreadableLog(clocks: clocks)
        streams = EventStreams(broker)
        identity = LedgerIdentity(clocks: clocks, logger: logger)
        domains = rules.classifier.map { DomainBursts(ledger, rules, $0, clocks: clocks, logger: logger) }
        counting = EventCounting(ledger, rules, clocks: clocks, logger: logger)
        loop = CollectingLoop(
            broker, blocking: EventStreams(broker), streams,
            CollectorReading(entries: "visits", name: name, limit: limit, abandoned: abandoned ?? Timing.abandoned, clocks: clocks),
            LedgerOwnership(identity: identity, epochs: EpochStore(broker), ledger: ledger), logger: logger)
    }

    /// Collects until a graceful shutdown, and then what is still there.
    package func run() async throws {
        await loop.run(
            take: { (entries) async throws(RedisError) -> Bool in try await take(entries, streams) },
            beforeStep: {
                unreadable.tell(logger)
                await counting.run(note)
            })
        await counting.run(all: true, note)
        unreadable.tell(logger, isLast: true)
        await streams.close()
    }

    /// Collects what is left in Redis, whoever read it, and returns: for a process whose Redis ends with it, after its roles have ended.
    /// - Returns: whether all is in the ledger.
    package func drain() async -> Bool {
        let streams = EventStreams(broker)
        let isDrained = await loop.drain(streams) { (entries) async throws(RedisError) -> Bool in try await take(entries, streams) }
        await counting.run(all: true, note)
        unreadable.tell(logger, isLast: true)
        await streams.close()
        return isDrained
    }

    /// Writes entries into the ledger, tells workers who has unsubscribed or subscribed again, and confirms them only then. Entries of
    /// which workers were not told are read again, and the ledger then says again who it is. The dispatcher looks into the ledger
    /// by itself.
    private func take(_ entries: [EventStreams.Entry], _ streams: EventStreams) async throws(RedisError) -> Bool {
        guard let summary = await write(entries) else { return false }
        guard let name = await identity.awaitName(of: ledger, entries: "events") else { return false }
        try await RecentSuppressions(broker).tell(summary.suppressed + summary.suppressedBefore, lifted: summary.unsuppressed, of: name)
        try await streams.confirm(entries, replay: Replay(ledger: name, standing: summary.standing, time: replay))
        await domains?.look(at: entries.compactMap(\.batch))
        return true
    }

    /// Writes until the ledger has taken it.
    /// - Returns: nil when the process was cut short: the entries then stay in Redis.
    private func write(_ entries: [EventStreams.Entry]) async -> EventSummary? {
        unreadable.note(entries.compactMap { entry in entry.letter.map { (entry.name, $0.reason) } }, of: .events)
        var backoff = Backoff()
        var line = RepeatedLine()
        while true {
            do throws(LedgerError) {
                let summary = try await ledger.write(
                    events: entries.compactMap(\.batch), letters: entries.compactMap(\.letter), rules, now: clocks.milliseconds)
                counting.note(summary, isBusy: entries.count >= limit)
                note(summary)
                return summary
            } catch {
                if line.add(at: clocks.monotonic) != nil {
                    logger.error("the ledger cannot be written; events wait in Redis: \(error)")
                }
            }
            guard await backoff.wait() else { return nil }
        }
    }

    private func note(_ summary: EventSummary) {
        meters.note(summary)
        if let damage = summary.damage {
            logger.error(
                """
                \(damage): its events are not counted, but whoever unsubscribes is suppressed. flotilla ledger check says what else is \
                damaged
                """)
        } else if summary.invalid > 0 {
            logger.error(
                """
                \(summary.invalid) events are of recipients that their mailings never had, and are not counted. Do two ledgers share one \
                file of tracker.keys?
                """)
        }
        if summary.withoutAddress > 0 {
            logger.notice(
                """
                \(summary.withoutAddress) recipients unsubscribed, or took that back, of whom nothing is kept any more: they were \
                erased, or their mailing is gone or was pruned long ago. Nothing was changed
                """)
        }
        if summary.settled > 0 { logger.notice("\(summary.settled) held recipients have opened or followed their messages: they are sent") }
    }
}

/// What is told of events in metrics.
private struct EventMeters: Sendable {
    private let counted: [TrackedAction: Counter]
    private let duplicates = Counter(label: "flotilla_events_duplicate_total")
    private let gone = Self.dropped("gone")
    private let invalid = Self.dropped("invalid")
    private let excess = Self.dropped("excess")
    private let suppressed = Counter(label: "flotilla_events_unsubscribed_total")
    private let settled = Counter(label: "flotilla_uncertain_settled_total")
    private let waiting = Gauge(label: "flotilla_events_uncounted")

    init() {
        counted = Dictionary(
            uniqueKeysWithValues: TrackedAction.allCases.map {
                ($0, Counter(label: "flotilla_events_written_total", dimensions: [("action", "\($0)")]))
            })
    }

    private static func dropped(_ why: String) -> Counter { Counter(label: "flotilla_events_dropped_total", dimensions: [("why", why)]) }

    func note(_ summary: EventSummary) {
        for (action, count) in summary.counted { counted[action]?.increment(by: count) }
        duplicates.increment(by: summary.duplicates)
        gone.increment(by: summary.gone)
        invalid.increment(by: summary.invalid)
        excess.increment(by: summary.excess)
        suppressed.increment(by: summary.suppressed.count)
        settled.increment(by: summary.settled)
        if let count = summary.waiting { waiting.record(count) }
    }
}
