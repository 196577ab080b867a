package import Model

/// Why a mailing gets no results: the most specific reason of those that apply.
package enum BlockingReason: Sendable, Equatable {
    /// Nothing: its recipients get results.
    case none
    /// It is paused, for a reason.
    case paused(String)
    /// All open recipients wait for the time of another attempt, in seconds from now.
    case due(Double)
    /// The open recipients wait for a person's decision.
    case undecided(Int)
    /// No planner is at work: nothing of it is planned or dispatched.
    case noPlanner
    /// Nothing is dispatched because of Redis, in the planner's words.
    case redis(String)
    /// No worker is alive that serves its channel.
    case noWorker(Channel)
    /// The circuit breaker of its provider is open.
    case down(String)
    /// The provider of a scope asked to wait for so many seconds from now.
    case asked(LimitScope, Double)
    /// The limit of a scope.
    case limited(LimitScope)
    /// All connections of its workers to a provider are in use; with the setting that says how many there are.
    case connections(String, setting: String)
    /// Results wait for a collector, for so many seconds.
    case lag(Double)
    /// There is work, nothing above blocks it, and no recipient got a result for so many seconds.
    case stuck(Double)
}

extension BlockingReason {
    /// The reason is one that may last as long as it takes.
    package var isHeld: Bool {
        switch self {
        case .none, .limited, .connections, .stuck: false
        case .paused, .due, .undecided, .noPlanner, .redis, .noWorker, .down, .asked, .lag: true
        }
    }
}

/// What is known of a mailing in work.
package struct BlockingFacts: Sendable, Equatable {
    package var state: MailingState
    /// Why it is paused.
    package var reason = ""
    package var channel: Channel
    package var provider: String
    /// Recipients that are not terminal, and those of them that are held for a person.
    package var open: Int
    package var held = 0
    /// Batches that are with the workers.
    package var dispatched = 0
    /// Seconds until the next batch can be dispatched, 0 for now; nil when there is none.
    package var next: Double?
    /// Seconds since a result of it was last written, or since the last block ended.
    package var silence: Double
    /// Seconds that the oldest result waits for a collector.
    package var lag = 0.0
    /// A planner is at work.
    package var hasPlanner = true
    /// Why nothing is dispatched because of Redis, in the planner's words; nil where Redis works.
    package var redisProblem: String?
    /// Workers that are alive and serve its channel.
    package var workers: Int
    /// What they report of it.
    package var shares: [Heartbeat.Share] = []
    /// What they report of the mailings of its lane, where they report nothing of it: its batches wait behind those of others.
    package var ahead: [Heartbeat.Share] = []

    package init(
        state: MailingState, channel: Channel, provider: String, open: Int, silence: Double, workers: Int
    ) {
        self.state = state
        self.channel = channel
        self.provider = provider
        self.open = open
        self.silence = silence
        self.workers = workers
    }
}

extension Heartbeat.Share {
    /// Its scope holds for each message of the lane.
    fileprivate var isOfAll: Bool {
        switch scope {
        case .provider, .channel: true
        case nil, .mailing, .domain: false
        }
    }
}

extension BlockingFacts {
    /// Results are written within a second where all is well.
    private static let longLag = 15.0

    /// What blocks it.
    /// - Parameter stuckAfter: how long without a result after which a mailing that nothing blocks is stuck.
    package func blockingReason(stuckAfter: Duration) -> BlockingReason {
        if state == .paused { return .paused(reason) }
        if !hasPlanner, state == .scheduled || state == .collecting { return .noPlanner }
        guard state == .sending, open > 0 else { return .none }
        if held == open { return .undecided(held) }
        if !hasPlanner { return .noPlanner }
        if let redisProblem { return .redis(redisProblem) }
        if dispatched == 0, let next, next > 0 { return .due(next) }
        if workers == 0 { return .noWorker(channel) }
        if lag > Self.longLag { return .lag(lag) }
        if shares.contains(where: \.isDown) { return .down(provider) }
        if let asked = shares.filter({ $0.pause > 0 }).max(by: { $0.pause < $1.pause }) {
            return .asked(asked.scope ?? .provider(provider), asked.pause)
        }
        if let reason = reasonOfLane { return reason }
        if silence >= stuckAfter.seconds + allowance { return .stuck(silence) }
        // Where messages wait for connections, the limits are not used up.
        if let setting = shares.first(where: { !$0.exhausted.isEmpty })?.exhausted { return .connections(provider, setting: setting) }
        guard let scope = limited?.scope else { return .none }
        return .limited(scope)
    }

    /// What blocks the provider for all, where no worker has a batch of the mailing.
    private var reasonOfLane: BlockingReason? {
        guard shares.isEmpty, dispatched > 0 else { return nil }
        if ahead.contains(where: \.isDown) { return .down(provider) }
        if let pause = ahead.filter(\.isOfAll).map(\.pause).max(), pause > 0 { return .asked(.provider(provider), pause) }
        if let setting = ahead.first(where: { !$0.exhausted.isEmpty })?.exhausted { return .connections(provider, setting: setting) }
        let limits = ahead.filter { $0.isOfAll && $0.waiting > 0 && $0.interval > 0 }
        return limits.max { $0.interval < $1.interval }?.scope.map { .limited($0) }
    }

    /// What limits it most.
    private var limited: Heartbeat.Share? {
        shares.filter { $0.waiting > 0 && $0.interval > 0 }.max { $0.interval < $1.interval }
    }

    /// Seconds more without a result: however rare the starts of a limit are, some of them bring a result.
    package var allowance: Double { limited.map { 3 * $0.interval } ?? 0 }
}
