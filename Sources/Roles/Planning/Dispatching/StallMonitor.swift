package import Broker
package import Ledger
import Logging
import Metrics
import Model
package import Policy
import Text

/// Finds mailings that make no progress although nothing blocks them, and says so in the log, in the ledger and as a metric.
struct StallMonitor {
    typealias Store = MailingStore & ReportStore & EpochNoteStore

    /// How often it checks, by the number of mailings: each of them costs something.
    private static func interval(mailings: Int) -> Duration {
        mailings == 0 ? .seconds(6) : .seconds(2) + .milliseconds(18) * min(mailings, 1_000)
    }

    private let broker: Broker
    private let status: StatusStreams
    private let ledger: any Store
    private let stuckAfter: Duration
    private let only: MailingID?
    private let clocks: Clocks
    private let logger: Logger

    /// - Parameter stuckAfter: how long without a result after which a mailing that nothing blocks is stuck.
    init(broker: Broker, ledger: any Store, stuckAfter: Duration, only: MailingID?, clocks: Clocks, logger: Logger) {
        self.broker = broker
        status = StatusStreams(broker)
        self.ledger = ledger
        self.stuckAfter = stuckAfter
        self.only = only
        self.clocks = clocks
        self.logger = logger
    }

    /// Watches until it is cancelled.
    func run() async {
        var stalls: [MailingID: StallClock<MailingProgress>] = [:]
        var heartbeats = HeartbeatReader(broker)
        while !Task.isCancelled {
            // Other parts report that Redis or the ledger is unavailable; the time until the next check does not count as silence.
            do { try await look(&stalls, &heartbeats) } catch { for id in stalls.keys { stalls[id] = StallClock() } }
            do { try await Task.sleep(for: Self.interval(mailings: stalls.count)) } catch { break }
        }
        for id in stalls.keys { Self.gauge(id).destroy() }
        for isAlive in [true, false] { Self.workers(isAlive: isAlive).destroy() }
    }

    private func look(_ stalls: inout [MailingID: StallClock<MailingProgress>], _ heartbeats: inout HeartbeatReader) async throws {
        try await HeartbeatStore(broker).forget()
        let processes = try await heartbeats.all()
        let lag = try await status.lag().age.seconds
        for isAlive in [true, false] {
            Self.workers(isAlive: isAlive).record(processes.count { !$0.heartbeat.channels.isEmpty && $0.isAlive == isAlive })
        }
        let mailings = try await ledger.watched().filter { only == nil || $0.id == only }
        let watched = Set(mailings.map(\.id))
        for id in stalls.keys where !watched.contains(id) {
            Self.gauge(id).destroy()
            stalls[id] = nil
        }
        let problem = try await ledger.redisProblem()
        let ahead = LaneShares(mailings, processes)
        for mailing in mailings {
            var facts = BlockingFacts(mailing, processes, ahead, lag: lag, now: clocks.milliseconds)
            facts.redisProblem = problem
            let blockingReason = stalls[mailing.id, default: StallClock()].look(
                &facts, mailing.progress, at: Double(clocks.monotonic) / 1e9, stuckAfter: stuckAfter)
            try await note(mailing, facts, blockingReason)
        }
    }

    private func note(_ mailing: WatchedMailing, _ facts: BlockingFacts, _ blockingReason: BlockingReason) async throws {
        let id = mailing.id
        var fields: Logger.Metadata { ["mailing": "\(id)", "provider": "\(ProviderURL.name(of: mailing.provider))"] }
        if case .stuck(let seconds) = blockingReason {
            Self.gauge(id).record(1)
            guard !mailing.isStuck else { return }
            let why = """
                no recipient got a result for \(TimeSpan.text(seconds: seconds.rounded())), though \(facts.open - facts.held) are open, \
                \(Plural.text(facts.dispatched, "batch is", "batches are")) with \(Plural.text(facts.workers, "worker")), \
                and no limit, pause or outage blocks them; flotilla top shows the workers, their logs say what they wait for
                """
            logger.error("mailing \(id) is stuck: \(why)", metadata: fields)
            try await ledger.noteStuck(id, why: why, now: clocks.milliseconds)
        } else {
            Self.gauge(id).record(0)
            guard mailing.isStuck else { return }
            logger.notice("mailing \(id) is no longer stuck", metadata: fields)
            try await ledger.noteStuck(id, why: nil, now: clocks.milliseconds)
        }
    }

    private static func workers(isAlive: Bool) -> Gauge {
        Gauge(label: "flotilla_workers", dimensions: [("state", isAlive ? "alive" : "lost")])
    }

    private static func gauge(_ id: MailingID) -> Gauge {
        Gauge(label: "flotilla_mailing_stuck", dimensions: [("mailing", "\(id)")])
    }
}

extension BlockingFacts {
    /// Their silence is left to a `StallClock`.
    /// - Parameters:
    ///   - lag: seconds that the oldest result waits for a collector.
    ///   - now: milliseconds since 1970.
    package init(_ status: MailingStatus, _ processes: [HeartbeatStore.Sign], _ ahead: LaneShares, lag: Double, now: Int64) {
        let record = status.record
        self.init(
            WatchedMailing(
                id: record.id, channel: record.mailing.channel, provider: record.mailing.provider, progress: status.progress,
                next: status.next), processes, ahead, lag: lag, now: now)
        reason = record.reason
    }

    fileprivate init(_ mailing: WatchedMailing, _ processes: [HeartbeatStore.Sign], _ ahead: LaneShares, lag: Double, now: Int64) {
        let progress = mailing.progress
        let workers = processes.filter { $0.isAlive && $0.heartbeat.serves(mailing.channel) }
        self.init(
            state: progress.state, channel: mailing.channel, provider: mailing.provider, open: progress.open, silence: 0,
            workers: workers.count)
        held = progress[.uncertain]
        dispatched = progress.dispatched
        next = mailing.next.map { Double(max(0, $0 - now)) / 1000 }
        let name = "\(mailing.id)"
        shares = workers.compactMap { $0.heartbeat.mailings[name] }
        if shares.isEmpty { self.ahead = ahead.of(mailing) }
        self.lag = lag
    }
}
