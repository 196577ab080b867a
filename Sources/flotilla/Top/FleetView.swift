import Broker
import Ledger
import Model
import Planning
import Policy

/// A fleet at one moment: its mailings and what holds them up, its processes, its streams.
struct FleetView: Codable {
    struct MailingLine: Codable {
        var id: String
        var name: String
        var channel: String
        var state: String
        var planned: Int
        var sent: Int
        var failed: Int
        var open: Int
        /// Recipients that got their last result, a second; nil in a first look.
        var perSecond: Double?
        var secondsLeft: Double?
        /// What holds it up; empty where nothing does.
        var holdup: String
        var isStuck: Bool
    }

    struct ProcessLine: Codable {
        var name: String
        var role: String
        var host: String
        var version: String
        var isAlive: Bool
        /// Seconds since its last sign of life.
        var age: Double
        /// A planner that has the duty.
        var hasDuty: Bool
        var inFlight: Int
        var batches: Int
        /// Answers a second, and the share of a core; nil in a first look.
        var perSecond: Double?
        var cpu: Double?
        var memory: Int
        var uptime: Double
    }

    struct StreamLine: Codable {
        var channel: String
        var ready: Int
        var inWork: Int
    }

    /// Milliseconds since 1970.
    var at: Int64
    var mailings: [MailingLine]
    var processes: [ProcessLine]
    var queues: [StreamLine]
    /// Results that no collector has written yet, and seconds that the oldest waits.
    var lagEntries: Int
    var lagSeconds: Double
    /// Why something of it could not be asked; empty where all could.
    var problems: [String]
}

/// Looks at a fleet, again and again: rates are those since the look before.
struct FleetLook {
    private struct Past {
        var at: ContinuousClock.Instant
        var finished: [String: Int]
        var since: [String: (states: [RecipientState: Int], at: ContinuousClock.Instant)]
        var signs: [String: PulseBoard.Sign]
        var lines: [String: FleetView.ProcessLine]
    }

    let broker: Broker
    let ledger: SQLiteLedger
    let queue: BatchQueue
    let status: StatusStreams
    /// `planner.stuck_after` in seconds.
    let patience: Double
    private var past: Past?

    init(broker: Broker, ledger: SQLiteLedger, patience: Double) {
        self.broker = broker
        self.ledger = ledger
        self.patience = patience
        queue = BatchQueue(broker)
        status = StatusStreams(broker)
    }

    /// - Parameter all: mailings that are over too, of the last fifty.
    mutating func look(all: Bool) async throws(LedgerError) -> FleetView {
        var view = FleetView(
            at: Clock.milliseconds(), mailings: [], processes: [], queues: [], lagEntries: 0, lagSeconds: 0, problems: [])
        var signs: [PulseBoard.Sign] = []
        do throws(RedisError) {
            signs = try await broker.pulses.all()
            let lag = try await status.lag()
            view.lagEntries = lag.entries.reduce(0, +)
            view.lagSeconds = lag.seconds
            for channel in Channel.allCases {
                let (depth, inWork) = (try await queue.depth(channel), try await queue.inWork(channel))
                if depth > 0 { view.queues.append(.init(channel: channel.rawValue, ready: max(0, depth - inWork), inWork: inWork)) }
            }
        } catch { view.problems.append("Redis cannot be asked: \(error)") }
        let holder = try await ledger.dutyHolder(Duty.planning)?.holder
        let now = ContinuousClock.now
        let seconds = past.map { Double((now - $0.at).nanoseconds) / 1e9 }
        view.processes = signs.map { line($0, hasDuty: $0.name == holder) }
        let states: Set<MailingState>? = all ? nil : Set(MailingState.allCases.filter { !$0.isTerminal })
        var next = Past(at: now, finished: [:], since: [:], signs: [:], lines: [:])
        for sign in signs { next.signs[sign.name] = sign }
        for line in view.processes { next.lines[line.name] = line }
        for record in try await ledger.mailings(states: states, limit: all ? 50 : 1_000) {
            guard let progress = try await ledger.progress(record.id) else { continue }
            let key = "\(record.id)"
            let known = past?.since[key]
            let since = known?.states == progress.states ? known?.at ?? now : now
            next.since[key] = (progress.states, since)
            next.finished[key] = progress.planned - progress.open
            view.mailings.append(
                try await line(record, progress, view, signs, silence: Double((now - since).nanoseconds) / 1e9, seconds))
        }
        past = next
        return view
    }

    private func line(_ sign: PulseBoard.Sign, hasDuty: Bool) -> FleetView.ProcessLine {
        let pulse = sign.pulse
        let before = past?.signs[sign.name]
        // By the signs' own times; where there is no new one, what was known is still so.
        let seconds = before.map { Double(sign.at - $0.at) / 1000 } ?? 0
        func rate(_ value: Double, _ old: Double?, _ known: Double?) -> Double? {
            guard let old, seconds > 0.1 else { return known }
            return max(0, value - old) / seconds
        }
        let known = past?.lines[sign.name]
        return FleetView.ProcessLine(
            name: sign.name, role: pulse.role.rawValue, host: pulse.host, version: pulse.version, isAlive: sign.isAlive, age: sign.age,
            hasDuty: hasDuty, inFlight: pulse.inFlight, batches: pulse.batches,
            perSecond: rate(Double(pulse.answered), before.map { Double($0.pulse.answered) }, known?.perSecond), cpu: rate(pulse.cpu, before?.pulse.cpu, known?.cpu),
            memory: pulse.memory, uptime: Double(Clock.milliseconds() - pulse.started) / 1000)
    }

    private func line(
        _ record: MailingRecord, _ progress: MailingProgress, _ view: FleetView, _ signs: [PulseBoard.Sign], silence: Double,
        _ seconds: Double?
    ) async throws(LedgerError) -> FleetView.MailingLine {
        let finished = progress.planned - progress.open
        var rate: Double?
        if let seconds, seconds > 0.2, let before = past?.finished["\(record.id)"] { rate = Double(finished - before) / seconds }
        var facts = HoldupFacts(record, progress, signs, silence: silence, lag: view.lagSeconds)
        facts.next = try await ledger.nextBatch(record.id).map { Double(max(0, $0 - Clock.milliseconds())) / 1000 }
        let isStuck = record.state == .sending && !record.reason.isEmpty
        // Without Redis only the ledger's word is known.
        let isKnown = view.problems.isEmpty || record.state == .paused
        let words = isStuck ? record.reason : isKnown ? facts.holdup(patience: patience).words : ""
        return FleetView.MailingLine(
            id: "\(record.id)", name: record.mailing.name, channel: record.mailing.channel.rawValue, state: record.state.rawValue,
            planned: progress.planned, sent: progress[.sent] + progress[.delivered], failed: progress[.failed], open: progress.open,
            perSecond: rate, secondsLeft: rate.flatMap { $0 > 0.5 ? Double(progress.open) / $0 : nil },
            holdup: waiting(record) ?? words, isStuck: isStuck)
    }

    private func waiting(_ record: MailingRecord) -> String? {
        record.secondsToStart(Clock.milliseconds()).map { "starts in \(TimeSpan.text(seconds: $0.rounded()))" }
    }

    func close() async {
        await queue.close()
        await status.close()
        await broker.close()
    }
}

extension Holdup {
    /// For people; empty where nothing holds the mailing up.
    var words: String {
        switch self {
        case .none: ""
        case .paused(let why): why.isEmpty ? "paused" : why
        case .due(let seconds): "all that is left waits for its next attempt, in \(TimeSpan.text(seconds: seconds.rounded()))"
        case .undecided(let count): "\(grouped(count)) wait for a person to decide: flotilla mailing uncertain"
        case .noWorker(let channel): "no worker that serves \(channel.rawValue) is alive"
        case .down(let provider): "provider \(provider) is down; one message at a time tries it"
        case .asked(let scope, let seconds): "\(scope) asked to wait \(TimeSpan.text(seconds: seconds.rounded())) more"
        case .limited(let scope): "throttled by \(scope)"
        case .lag(let seconds): "results wait for a collector, the oldest for \(TimeSpan.text(seconds: seconds.rounded()))"
        case .stuck(let seconds): "stuck: nobody got a result for \(TimeSpan.text(seconds: seconds.rounded()))"
        }
    }
}
