import Model

/// Adds up what a plan costs while it runs.
struct CostTotals: Sendable {
    /// What a kind of send did in a step.
    struct Load: Sendable {
        var provider: Int
        /// Messages that began, a second.
        var rate: Double
        /// Microseconds for a message.
        var worker: Double
        var redis: Double
        var batch: Int
        var channel: Channel
        var hasSpeed: Bool
        var isLimited: Bool
        var isSMTP: Bool
        /// Seconds that a message keeps a connection.
        var service: Double
    }

    /// Microseconds, messages and seconds in a time of at least a second: peaks of less say nothing.
    private struct Window {
        var seconds = 0.0
        var worker = 0.0
        var planner = 0.0
        var collector = 0.0
        var redis = 0.0
        /// By provider: messages, and seconds on connections.
        var messages: [Int: Double] = [:]
        var busy: [Int: Double] = [:]
    }

    private let plan: FleetPlan
    private var window = Window()
    private var series = TimeSeries()
    private var total = Window()
    private var peaks = Window()
    private var redisPeak = 0.0
    private var commandsPeak = 0.0
    private var attempts = 0
    private(set) var steps = 0
    var unfinished: String?

    init(_ plan: FleetPlan) { self.plan = plan }

    /// Rows were planned.
    mutating func plan(_ count: Int, from: Double, to: Double) {
        total.planner += Double(count) * plan.costs.plan
        if count > 0 { peaks.planner = 1e6 }
    }

    /// A time has passed.
    mutating func pass(from: Double, to: Double, started: Int, bottleneck: Bottleneck) {
        let workers = Double(plan.workers(at: from))
        total.worker += workers * plan.costs.idle * (to - from)
        total.redis += plan.costs.redisAtRest(workers: workers) * (to - from)
        attempts += started
        series.add(from: from, to: to, started: started, bottleneck: bottleneck)
    }

    /// What kinds of send did meanwhile.
    mutating func note(_ loads: [Load], at time: Double, seconds: Double, mailings: Int) {
        steps += 1
        window.seconds += seconds
        for load in loads {
            let count = load.rate * seconds
            window.worker += count * load.worker
            window.planner += count * plan.costs.feed
            window.collector += count * plan.costs.collect
            window.redis += count * load.redis
            window.messages[load.provider, default: 0] += count
            window.busy[load.provider, default: 0] += count * load.service
        }
        // A step of a single message's is too short to tell a rate.
        let estimate = SizeEstimate(plan, workers: plan.workers(at: time), mailings: mailings)
        if seconds >= 0.05 || steps == 1 {
            redisPeak = max(redisPeak, estimate.redisBytes(loads))
            commandsPeak = max(commandsPeak, estimate.commands(loads))
        }
        if window.seconds >= 1 { close(at: time) }
    }

    private mutating func close(at time: Double) {
        guard window.seconds > 0 else { return }
        let workers = Double(plan.workers(at: time))
        // A plan that ends within a second counts as a whole second.
        let seconds = max(window.seconds, 1)
        peaks.worker = max(peaks.worker, window.worker / seconds + workers * plan.costs.idle)
        peaks.planner = max(peaks.planner, window.planner / seconds)
        peaks.collector = max(peaks.collector, window.collector / seconds)
        peaks.redis = max(peaks.redis, window.redis / seconds + plan.costs.redisAtRest(workers: workers))
        for (provider, count) in window.messages {
            guard count / seconds > peaks.messages[provider, default: 0] else { continue }
            peaks.messages[provider] = count / seconds
            peaks.busy[provider] = window.busy[provider, default: 0] / seconds
        }
        total.worker += window.worker
        total.planner += window.planner
        total.collector += window.collector
        total.redis += window.redis
        window = Window()
    }

    /// Messages a second at most, and the connections busy then, by provider.
    func peak(of provider: Int) -> (rate: Double, busy: Double) {
        (peaks.messages[provider, default: 0], peaks.busy[provider, default: 0])
    }

    /// The forecast without what only the simulator knows.
    /// - Parameter now: the end.
    mutating func finish(at now: Double) -> Forecast {
        close(at: now)
        var forecast = Forecast()
        forecast.unfinished = unfinished
        forecast.attempts = attempts
        forecast.rate = series.points
        forecast.phases = series.phases
        let most = plan.workers.map(\.count).max() ?? 0
        forecast.cpu = [
            role("planner", 1, total.planner, peaks.planner), role("workers", most, total.worker, peaks.worker),
            role("collector", 1, total.collector, peaks.collector), role("redis", 1, total.redis, peaks.redis),
        ]
        let estimate = SizeEstimate(plan, workers: most, mailings: plan.mailings.count)
        forecast.redis = Forecast.Redis(peakBytes: redisPeak, worstBytes: estimate.worstBytes, peakCommands: commandsPeak)
        forecast.ledgerBytes = estimate.ledgerBytes(attempts: attempts)
        forecast.plannerBytes = estimate.plannerBytes
        return forecast
    }

    private func role(_ name: String, _ count: Int, _ microseconds: Double, _ peak: Double) -> Forecast.Role {
        Forecast.Role(
            name: name, count: count, cpuSeconds: microseconds / 1e6, peakCores: peak / 1e6,
            microsecondsAMessage: microseconds / Double(max(1, attempts)))
    }
}
