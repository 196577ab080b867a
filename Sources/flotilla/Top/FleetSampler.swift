import Broker
import Ledger
import Model
import Planning
import Policy

/// Takes snapshots of a fleet; rates are those since the snapshot before. It only reads the ledger and Redis.
struct FleetSampler {
    /// What one snapshot keeps of a mailing for the next.
    private struct Sample {
        let at: ContinuousClock.Instant
        let finished: Int
        /// Recipients that became terminal, a second, since the snapshot before; nil in the first.
        let perSecond: Double?
        /// The same clock as the planner's.
        var clock: StallClock<MailingProgress>

        init(_ progress: MailingProgress, before: Sample?) {
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

    /// Nil where Redis is not known: then only the ledger is read.
    private let broker: Broker?
    private let ledger: any OpenLedger
    private let queue: BatchQueue?
    private let status: StatusStreams?
    private let events: EventStreams?
    private let receipts: ReceiptStreams?
    private let questions: QuestionStore?
    private var heartbeats: HeartbeatReader?
    /// `planner.stuck_after`.
    private let stuckAfter: Duration
    private var samples: [MailingID: Sample] = [:]
    private var processes: [String: (sign: HeartbeatStore.Sign, line: FleetSnapshot.ProcessLine)] = [:]
    /// The mailings of the last snapshot that could read the ledger, and the leading planner.
    private var mailings: [FleetSnapshot.MailingLine] = []
    private var leader: Leader?
    /// Why the planner dispatches nothing because of Redis.
    private var redisProblem: String?
    /// What workers report of the mailings of each lane.
    private var ahead = LaneShares([], [])
    /// Why planners cannot read the recipients of mailings.
    private var sourceFaults: [MailingID: [SourceFault]] = [:]

    init(broker: Broker?, ledger: any OpenLedger, stuckAfter: Duration) {
        self.broker = broker
        self.ledger = ledger
        self.stuckAfter = stuckAfter
        queue = broker.map { BatchQueue($0) }
        status = broker.map { StatusStreams($0) }
        events = broker.map { EventStreams($0) }
        receipts = broker.map { ReceiptStreams($0) }
        questions = broker.map { QuestionStore($0) }
        heartbeats = broker.map { HeartbeatReader($0) }
    }

    /// Errors are among the snapshot's problems; without the ledger the mailings are those of the snapshot before.
    /// - Parameter all: of the last fifty mailings, those that have ended, too.
    mutating func sample(all: Bool) async -> FleetSnapshot {
        var snapshot = FleetSnapshot(at: Clock.milliseconds())
        let signs = await readRedis(&snapshot)
        let states: Set<MailingState>? = all ? nil : Set(MailingState.allCases.filter { !$0.isTerminal })
        do throws(LedgerError) {
            leader = try await ledger.leader(Leadership.planning)
            redisProblem = try await ledger.redisProblem()
            sourceFaults = try await ledger.sourceFaults()
            ahead = LaneShares(try await ledger.watched(), signs ?? [])
            snapshot.uncountedEvents = try await ledger.uncountedEvents()
            snapshot.unknownReceipts = try await ledger.unknownReceiptCount()
            let statuses = try await ledger.statuses(states: states, limit: all ? 50 : 1_000)
            var samples: [MailingID: Sample] = [:]
            mailings = statuses.map { status in
                var sample = Sample(status.progress, before: self.samples[status.record.id])
                defer { samples[status.record.id] = sample }
                return line(status, &sample, signs, lag: snapshot.lagSeconds)
            }
            self.samples = samples
            try await readCommonestResponses(statuses)
        } catch {
            snapshot.problems.append("the mailings are those of an earlier snapshot, because the ledger cannot be read: \(error)")
        }
        snapshot.mailings = mailings
        snapshot.processes = (signs ?? []).map(line)
        processes = Dictionary(
            zip(signs ?? [], snapshot.processes).map { ($0.name, (sign: $0, line: $1)) }, uniquingKeysWith: { $1 })
        return snapshot
    }

    /// Mailings at most of which a snapshot has the commonest response.
    private static let mostResponses = 20

    /// Reads the commonest response of mailings that make no progress.
    private mutating func readCommonestResponses(_ statuses: [MailingStatus]) async throws(LedgerError) {
        let still = statuses.indices.filter { statuses[$0].progress[.deferred] > 0 && (mailings[$0].perSecond ?? 0) == 0 }
        for place in still.prefix(Self.mostResponses) {
            mailings[place].commonestResponse = try await ledger.commonestDeferral(statuses[place].record.id)?.words ?? ""
        }
    }

    /// A snapshot of one mailing.
    /// - Returns: what blocks it; the problems say what could not be read.
    mutating func look(at id: MailingID) async throws(LedgerError) -> (line: FleetSnapshot.MailingLine?, problems: [String]) {
        var snapshot = FleetSnapshot(at: Clock.milliseconds())
        let signs = await readRedis(&snapshot)
        leader = try await ledger.leader(Leadership.planning)
        redisProblem = try await ledger.redisProblem()
        sourceFaults = try await ledger.sourceFaults()
        ahead = LaneShares(try await ledger.watched(), signs ?? [])
        guard let status = try await ledger.status(id) else { return (nil, snapshot.problems) }
        var sample = Sample(status.progress, before: nil)
        return (line(status, &sample, signs, lag: snapshot.lagSeconds), snapshot.problems)
    }

    /// The heartbeats of all processes; nil when Redis cannot be read.
    private mutating func readRedis(_ snapshot: inout FleetSnapshot) async -> [HeartbeatStore.Sign]? {
        guard let queue, let status, let events, let receipts else { return nil }
        do throws(RedisError) {
            let lanes = try await queue.lanes().sorted { "\($0)" < "\($1)" }
            snapshot.lanes = zip(lanes, try await queue.depths(lanes)).map { lane, depth in
                .init(
                    channel: lane.channel.rawValue, provider: lane.provider, ready: depth.waiting, inFlight: depth.pending,
                    oldestSeconds: depth.age.seconds)
            }
            let depths = try await status.depths()
            snapshot.resultStreams = depths.enumerated().map { partition, depth in
                .init(partition: partition, waiting: depth.waiting, pending: depth.pending, oldestSeconds: depth.age.seconds)
            }
            snapshot.lagEntries = depths.reduce(0) { $0 + $1.entries }
            snapshot.lagSeconds = (depths.map(\.age).max() ?? .zero).seconds
            snapshot.eventStreams = try await events.depths().enumerated().map { stream, depth in
                .init(stream: stream, waiting: depth.waiting, pending: depth.pending, oldestSeconds: depth.age.seconds)
            }
            snapshot.receiptStreams = try await receipts.depths().map { depth in
                .init(waiting: depth.waiting, pending: depth.pending, oldestSeconds: depth.age.seconds)
            }
            snapshot.unansweredQuestions = try await questions?.unanswered() ?? 0
            return try await heartbeats?.all()
        } catch {
            snapshot.problems.append("Redis cannot be read: \(error)")
            return nil
        }
    }

    private func line(_ sign: HeartbeatStore.Sign) -> FleetSnapshot.ProcessLine {
        let heartbeat = sign.heartbeat
        let known = processes[sign.name]
        // The times are those of the heartbeats. Without a new heartbeat the last rates stay.
        let seconds = known.map { (Double(sign.at) - Double($0.sign.at)) / 1000 } ?? 0
        func rate(_ value: Double, _ old: Double?, _ known: Double?) -> Double? {
            guard let old, seconds > 0.1 else { return known }
            return max(0, value - old) / seconds
        }
        return FleetSnapshot.ProcessLine(
            name: sign.name, role: heartbeat.role.rawValue, host: heartbeat.host, version: heartbeat.version, isAlive: sign.isAlive,
            seenSeconds: sign.age.seconds, isLeader: sign.name == leader?.holder, inFlight: heartbeat.inFlight, batches: heartbeat.batches,
            perSecond: rate(Double(heartbeat.answered), known.map { Double($0.sign.heartbeat.answered) }, known?.line.perSecond),
            cpu: rate(heartbeat.cpu, known?.sign.heartbeat.cpu, known?.line.cpu), memoryBytes: heartbeat.memory,
            uptimeSeconds: max(0, Double(Clock.milliseconds()) - Double(heartbeat.started)) / 1000)
    }

    func close() async {
        await status?.close()
        await events?.close()
        await receipts?.close()
        await questions?.close()
        await broker?.close()
    }
}

extension FleetSampler {
    private func line(
        _ status: MailingStatus, _ sample: inout Sample, _ signs: [HeartbeatStore.Sign]?, lag: Double
    ) -> FleetSnapshot.MailingLine {
        let (record, progress) = (status.record, status.progress)
        let (kind, text) = blockingReason(status, &sample, signs, lag: lag)
        return FleetSnapshot.MailingLine(
            id: "\(record.id)", name: record.mailing.name, channel: record.mailing.channel.rawValue,
            provider: ProviderURL.name(of: record.mailing.provider), state: record.state.rawValue,
            recipients: progress.planned, sent: progress[.sent] + progress[.delivered], failed: progress[.failed], open: progress.open,
            perSecond: sample.perSecond,
            secondsLeft: sample.perSecond.flatMap { $0 > 0.5 ? Double(progress.open) / $0 : nil },
            blockingKind: kind, blockingReason: text, isStuck: kind == "stuck",
            warnings: status.brake.map(\.finding).filter { $0.key.level == .warn }.map(\.words))
    }

    /// - Parameter signs: nil without Redis; then only what the ledger knows counts.
    private func blockingReason(
        _ status: MailingStatus, _ sample: inout Sample, _ signs: [HeartbeatStore.Sign]?, lag: Double
    ) -> (kind: String, text: String) {
        let record = status.record
        var facts = BlockingFacts(status, signs ?? [], ahead, lag: lag, now: Clock.milliseconds())
        facts.hasPlanner = leader.map { $0.until > Clock.milliseconds() } ?? false
        if let seconds = record.secondsToStart(Clock.milliseconds()) {
            let start = "starts in \(TimeSpan.text(seconds: seconds.rounded()))"
            return ("scheduled", facts.hasPlanner ? start : "\(start), by a planner, and none is at work now")
        }
        if record.state != .paused, facts.hasPlanner, let faults = sourceFaults[record.id] {
            let places = faults.map(\.description).joined(separator: "; ")
            return ("recipients_unreadable", "its recipients wait for a planner that can read them: \(places)")
        }
        // The planner watches the mailing for longer than this process.
        if record.state == .sending, !record.reason.isEmpty { return ("stuck", record.reason) }
        facts.redisProblem = redisProblem
        if signs == nil, record.state != .paused, facts.hasPlanner, redisProblem == nil {
            sample.clock = StallClock()
            // The batches with workers are not known; those in the ledger are.
            facts.workers = 1
            let reason = facts.blockingReason(stuckAfter: .seconds(Int64.max / 2))
            return (reason.kind, reason.text(of: record.id))
        }
        let reason = sample.clock.look(&facts, status.progress, at: Double(Clock.monotonic()) / 1e9, stuckAfter: stuckAfter)
        return (reason.kind, reason.text(of: record.id))
    }
}
