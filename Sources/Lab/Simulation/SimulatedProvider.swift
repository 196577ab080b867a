import Model
import Policy

/// A provider while a plan runs: the circuit breakers of its workers, and what it has asked for.
struct SimulatedProvider: Sendable {
    let name: String
    let plan: ProviderPlan
    /// Our own limit for it, messages a second.
    private let limit: Double?
    /// One for each worker; beyond this number one stands for several.
    private var breakers: [CircuitBreaker] = []
    private static let most = 64
    private(set) var adaptiveRate = AdaptiveRate()
    /// It has asked to slow down lately: every response is counted.
    private(set) var isWatched = false
    private var answered = 0
    private var throttled = 0
    private var judged = 0.0
    private var paused = 0.0
    /// Nothing starts before.
    private(set) var pausedUntil = 0.0
    /// The tokens of its hidden limit, and when they were counted.
    private var tokens: Double
    private var tokensAt = 0.0
    /// Messages on connections now, while each is simulated by itself.
    var busy = 0
    /// Messages that began in the last step, a second, and the part of the time in which the provider was not paused.
    var rate = 0.0
    var openTime = 1.0
    private(set) var report: Forecast.Provider

    init(name: String, plan: ProviderPlan, limit: Double?) {
        self.name = name
        self.plan = plan
        self.limit = limit
        tokens = plan.hiddenLimit?.burst ?? 0
        report = Forecast.Provider(name: name)
    }

    // MARK: - Outages

    /// The share of the workers that may send.
    var share: Double {
        breakers.isEmpty ? 0 : Double(breakers.count { !$0.isOpen }) / Double(breakers.count)
    }

    private var isReturning: Bool { breakers.contains(where: \.isOpen) }

    /// Workers have come or gone.
    mutating func staff(_ workers: Int) {
        let wanted = min(workers, Self.most)
        while breakers.count < wanted { breakers.append(CircuitBreaker()) }
        breakers.removeLast(breakers.count - wanted)
    }

    /// Workers find out whether the provider is there.
    /// - Returns: when the next of them tries; nil where none has to.
    mutating func look(at now: Double, using generator: inout SeededGenerator) -> Double? {
        let isUnavailable = plan.isUnavailable(at: now)
        let time = Int64(now * 1e9)
        if isUnavailable, breakers.contains(where: { !$0.isOpen }) {
            report.uncertain += busy + Int((rate * plan.latency.mean * share).rounded())
        }
        var next: Int64?
        for index in breakers.indices {
            if isUnavailable, !breakers[index].isOpen {
                for _ in 0..<CircuitBreaker.failuresToOpen {
                    breakers[index].note(.failure, at: time, jitter: .random(in: 0...1, using: &generator))
                }
            }
            switch breakers[index].admit(at: time) {
            case .go: continue
            case .wait(let until): next = min(next ?? until, until)
            case .probe(let ticket):
                breakers[index].note(
                    isUnavailable ? .failure : .success, probe: ticket, at: time, jitter: .random(in: 0...1, using: &generator))
                if case .wait(let until) = breakers[index].admit(at: time) { next = min(next ?? until, until) }
            }
        }
        // One nanosecond more, against rounding.
        return next.map { max(Double($0 + 1) / 1e9, now.nextUp) }
    }

    /// Time passes.
    mutating func pass(from: Double, to: Double) {
        if plan.isUnavailable(at: from) {
            report.secondsUnavailable += to - from
        } else if isReturning {
            report.secondsToReturn += to - from
        }
        if pausedUntil > from { paused += min(to, pausedUntil) - from }
    }

    // MARK: - Slowing down

    /// When the fleet next judges the provider's adaptive rate; nil if there is nothing to judge.
    var judgement: Double? { isWatched ? judged + Self.interval : nil }
    private static let interval = 0.5

    /// Counts responses.
    mutating func note(answered count: Int, throttled: Int, at now: Double) {
        if throttled > 0, !isWatched {
            isWatched = true
            judged = now
            paused = 0
        }
        guard isWatched else { return }
        answered += count
        self.throttled += throttled
    }

    mutating func pause(until time: Double) { pausedUntil = max(pausedUntil, time) }

    mutating func faultSelector(at now: Double) {
        guard isWatched, now - judged >= Self.interval * 0.999 else { return }
        let seconds = now - judged
        let pauses = min(seconds, paused + seconds * (1 - openTime))
        adaptiveRate.judge(
            AdaptiveRate.Observation(answered: answered, throttled: throttled, started: answered, seconds: seconds, paused: pauses),
            limit: limit)
        (answered, throttled, judged, paused) = (0, 0, now, 0)
        if adaptiveRate.isAtRest { isWatched = false }
    }

    /// Of messages that begin at a rate, the share that its hidden limit refuses.
    func refused(at rate: Double) -> Double {
        guard let hidden = plan.hiddenLimit, rate > hidden.perSecond else { return 0 }
        return 1 - hidden.perSecond / rate
    }

    /// Whether its hidden limit refuses a message.
    mutating func refuses(at time: Double) -> Bool {
        guard let hidden = plan.hiddenLimit else { return false }
        tokens = min(max(1, hidden.burst), tokens + max(0, time - tokensAt) * hidden.perSecond)
        tokensAt = max(tokensAt, time)
        guard tokens >= 1 else { return true }
        tokens -= 1
        return false
    }

    // MARK: - Report

    mutating func note(connections: Int) {
        report.connections = max(report.connections, connections)
    }

    mutating func note(limit: Double?, service: Double) {
        report.limit = limit
        report.neededConnections = limit.map { Int(($0 * service).rounded(.up)) }
    }
}
