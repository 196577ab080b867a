import Broker
import Ledger
import Model
import Planning
import Policy

/// Looks at a fleet, again and again: rates are those since the look before. Changes nothing, neither in the ledger nor in Redis.
struct FleetSnapshot {
    /// A mailing as it was seen by one look.
    private struct Seen {
        let at: ContinuousClock.Instant
        let finished: Int
        /// Recipients finished a second since the look before; nil in a first one.
        let perSecond: Double?
        /// What the planner goes by, too.
        var clock: StallClock<MailingProgress>

        init(_ progress: MailingProgress, before: Seen?) {
            at = .now
            finished = progress.planned - progress.open
            clock = before?.clock ?? StallClock()
            guard let before, at - before.at > .milliseconds(50) else {
                perSecond = before?.perSecond
                return
            }
            perSecond = Double(finished - before.finished) / (at - before.at).seconds
        }
    }

    private let broker: Broker
    private let ledger: SQLiteLedger
    private let queue: BatchQueue
    private let status: StatusStreams
    /// `planner.stuck_after` in seconds.
    private let stuckAfter: Duration
    private var seen: [MailingID: Seen] = [:]
    private var signs: [String: (sign: HeartbeatStore.Sign, line: FleetView.ProcessLine)] = [:]
    /// The mailings of the last look that the ledger answered, and who had the leadership.
    private var mailings: [FleetView.MailingLine] = []
    private var holder: String?

    init(broker: Broker, ledger: SQLiteLedger, stuckAfter: Duration) {
        self.broker = broker
        self.ledger = ledger
        self.stuckAfter = stuckAfter
        queue = BatchQueue(broker)
        status = StatusStreams(broker)
    }

    /// What cannot be asked is among the view's problems; without the ledger the mailings are those of the look before.
    /// - Parameter all: mailings that are over too, of the last fifty.
    mutating func look(all: Bool) async -> FleetView {
        var view = FleetView(at: Clock.milliseconds())
        let signs = await lookAtRedis(&view)
        let states: Set<MailingState>? = all ? nil : Set(MailingState.allCases.filter { !$0.isTerminal })
        do throws(LedgerError) {
            holder = try await ledger.leader(Leadership.planning)?.holder
            let standings = try await ledger.standings(states: states, limit: all ? 50 : 1_000)
            var seen: [MailingID: Seen] = [:]
            mailings = standings.map { standing in
                var now = Seen(standing.progress, before: self.seen[standing.record.id])
                defer { seen[standing.record.id] = now }
                return line(standing, &now, signs, lag: view.lagSeconds)
            }
            self.seen = seen
        } catch {
            view.problems.append("the mailings are as they were last seen, for the ledger cannot be asked: \(error)")
        }
        view.mailings = mailings
        view.processes = (signs ?? []).map(line)
        self.signs = Dictionary(
            zip(signs ?? [], view.processes).map { ($0.name, (sign: $0, line: $1)) }, uniquingKeysWith: { $1 })
        return view
    }

    /// The signs of life of all processes; nil when Redis does not tell.
    private func lookAtRedis(_ view: inout FleetView) async -> [HeartbeatStore.Sign]? {
        do throws(RedisError) {
            let lanes = try await queue.lanes().sorted { "\($0)" < "\($1)" }
            view.batchStreams = zip(lanes, try await queue.depths(lanes)).map { lane, depth in
                .init(channel: "\(lane)", ready: depth.waiting, inWork: depth.pending, oldestSeconds: depth.seconds)
            }
            let depths = try await status.depths()
            view.resultStreams = depths.enumerated().map { partition, depth in
                .init(partition: partition, waiting: depth.waiting, pending: depth.pending, oldestSeconds: depth.seconds)
            }
            view.lagEntries = depths.reduce(0) { $0 + $1.entries }
            view.lagSeconds = depths.map(\.seconds).max() ?? 0
            return try await broker.heartbeats.all()
        } catch {
            view.problems.append("Redis cannot be asked: \(error)")
            return nil
        }
    }

    private func line(_ sign: HeartbeatStore.Sign) -> FleetView.ProcessLine {
        let heartbeat = sign.heartbeat
        let known = signs[sign.name]
        // By the signs' own times; where there is no new one, what was known is still so.
        let seconds = known.map { (Double(sign.at) - Double($0.sign.at)) / 1000 } ?? 0
        func rate(_ value: Double, _ old: Double?, _ known: Double?) -> Double? {
            guard let old, seconds > 0.1 else { return known }
            return max(0, value - old) / seconds
        }
        return FleetView.ProcessLine(
            name: sign.name, role: heartbeat.role.rawValue, host: heartbeat.host, version: heartbeat.version, isAlive: sign.isAlive,
            seenSeconds: sign.age, hasDuty: sign.name == holder, inFlight: heartbeat.inFlight, batches: heartbeat.batches,
            perSecond: rate(Double(heartbeat.answered), known.map { Double($0.sign.heartbeat.answered) }, known?.line.perSecond),
            cpu: rate(heartbeat.cpu, known?.sign.heartbeat.cpu, known?.line.cpu), memoryBytes: heartbeat.memory,
            uptimeSeconds: max(0, Double(Clock.milliseconds()) - Double(heartbeat.started)) / 1000)
    }

    func close() async {
        await status.close()
        await broker.close()
    }
}

extension FleetSnapshot {
    private func line(
        _ standing: MailingStanding, _ seen: inout Seen, _ signs: [HeartbeatStore.Sign]?, lag: Double
    ) -> FleetView.MailingLine {
        let (record, progress) = (standing.record, standing.progress)
        let (kind, words) = blockingReason(standing, &seen, signs, lag: lag)
        return FleetView.MailingLine(
            id: "\(record.id)", name: record.mailing.name, channel: record.mailing.channel.rawValue,
            provider: ProviderURL.name(of: record.mailing.provider), state: record.state.rawValue,
            planned: progress.planned, sent: progress[.sent] + progress[.delivered], failed: progress[.failed], open: progress.open,
            perSecond: seen.perSecond,
            secondsLeft: seen.perSecond.flatMap { $0 > 0.5 ? Double(progress.open) / $0 : nil },
            holdupKind: kind, blockingReason: words, isStuck: kind == "stuck")
    }

    /// - Parameter signs: nil without Redis: only the ledger's word is known then.
    private func blockingReason(
        _ standing: MailingStanding, _ seen: inout Seen, _ signs: [HeartbeatStore.Sign]?, lag: Double
    ) -> (kind: String, words: String) {
        let record = standing.record
        if let seconds = record.secondsToStart(Clock.milliseconds()) {
            return ("start", "starts in \(TimeSpan.text(seconds: seconds.rounded()))")
        }
        // The planner has watched it for longer than we have.
        if record.state == .sending, !record.reason.isEmpty { return ("stuck", record.reason) }
        guard signs != nil || record.state == .paused else {
            seen.clock = StallClock()
            return BlockingReason.none.said
        }
        var facts = BlockingFacts(standing, signs ?? [], lag: lag)
        return seen.clock.look(&facts, standing.progress, at: Double(Clock.monotonic()) / 1e9, stuckAfter: stuckAfter).said
    }
}
