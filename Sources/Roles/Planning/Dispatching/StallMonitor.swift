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

    /// How often it checks, by the number of mailings: a check of a thousand takes a while.
    private static func interval(mailings: Int) -> Duration {
        mailings == 0 ? .seconds(6) : .seconds(2) + .milliseconds(5) * mailings
    }

    private let heartbeats: HeartbeatStore
    private let status: StatusStreams
    private let ledger: any Store
    private let stuckAfter: Duration
    private let only: MailingID?
    private let logger: Logger

    /// - Parameter stuckAfter: how long without a result after which a mailing that nothing blocks is stuck.
    init(broker: Broker, ledger: any Store, stuckAfter: Duration, only: MailingID?, logger: Logger) {
        heartbeats = HeartbeatStore(broker)
        status = StatusStreams(broker)
        self.ledger = ledger
        self.stuckAfter = stuckAfter
        self.only = only
        self.logger = logger
    }

    /// Watches until it is cancelled.
    func run() async {
        var clocks: [MailingID: StallClock<MailingProgress>] = [:]
        while !Task.isCancelled {
            // Other parts report that Redis or the ledger is unavailable; the time until the next check does not count as silence.
            do { try await look(&clocks) } catch { for id in clocks.keys { clocks[id] = StallClock() } }
            do { try await Task.sleep(for: Self.interval(mailings: clocks.count)) } catch { break }
        }
        for id in clocks.keys { Self.gauge(id).destroy() }
        for isAlive in [true, false] { Self.workers(isAlive: isAlive).destroy() }
    }

    private func look(_ clocks: inout [MailingID: StallClock<MailingProgress>]) async throws {
        try await heartbeats.forget()
        let processes = try await heartbeats.all()
        let lag = try await status.lag().seconds
        for isAlive in [true, false] {
            Self.workers(isAlive: isAlive).record(processes.count { !$0.heartbeat.channels.isEmpty && $0.isAlive == isAlive })
        }
        let statuses = try await ledger.statuses(states: [.sending], limit: 10_000).filter { only == nil || $0.record.id == only }
        let watched = Set(statuses.map(\.record.id))
        for id in clocks.keys where !watched.contains(id) {
            Self.gauge(id).destroy()
            clocks[id] = nil
        }
        let problem = try await ledger.redisProblem()
        for status in statuses {
            var facts = BlockingFacts(status, processes, lag: lag)
            facts.redisProblem = problem
            let blockingReason = clocks[status.record.id, default: StallClock()].look(
                &facts, status.progress, at: Double(Clock.monotonic()) / 1e9, stuckAfter: stuckAfter)
            try await note(status.record, facts, blockingReason)
        }
    }

    private func note(_ record: MailingRecord, _ facts: BlockingFacts, _ blockingReason: BlockingReason) async throws {
        if case .stuck(let seconds) = blockingReason {
            Self.gauge(record.id).record(1)
            guard record.stuckSince == nil else { return }
            let why = """
                no recipient got a result for \(TimeSpan.text(seconds: seconds.rounded())), though \(facts.open - facts.held) are open, \
                \(Plural.text(facts.dispatched, "batch is", "batches are")) with \(Plural.text(facts.workers, "worker")), \
                and no limit, pause or outage blocks them; flotilla top shows the workers, their logs say what they wait for
                """
            logger.error("mailing \(record.id) is stuck: \(why)", metadata: record.fields)
            try await ledger.noteStuck(record.id, why: why, now: Clock.milliseconds())
        } else {
            Self.gauge(record.id).record(0)
            guard record.stuckSince != nil else { return }
            logger.notice("mailing \(record.id) is no longer stuck", metadata: record.fields)
            try await ledger.noteStuck(record.id, why: nil, now: Clock.milliseconds())
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
    /// - Parameter lag: seconds that the oldest result waits for a collector.
    package init(_ status: MailingStatus, _ processes: [HeartbeatStore.Sign], lag: Double) {
        let (record, progress) = (status.record, status.progress)
        let workers = processes.filter { $0.isAlive && $0.heartbeat.serves(record.mailing.channel) }
        self.init(
            state: record.state, channel: record.mailing.channel, provider: record.mailing.provider, open: progress.open,
            silence: 0, workers: workers.count)
        reason = record.reason
        held = progress[.uncertain]
        dispatched = progress.dispatched
        next = status.next.map { Double(max(0, $0 - Clock.milliseconds())) / 1000 }
        shares = workers.compactMap { $0.heartbeat.mailings["\(record.id)"] }
        self.lag = lag
    }
}
