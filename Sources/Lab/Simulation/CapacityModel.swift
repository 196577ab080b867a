import Model
import Policy

/// The capacity of each resource a second, at a moment. Limits come first, so that they are named before what is full
/// with them.
struct CapacityModel {
    private(set) var capacities: [Double] = []
    private(set) var bottlenecks: [Bottleneck] = []
    private var places: [Bottleneck: Int] = [:]
    /// Of each provider's connections.
    private var ways: [Int: Int] = [:]
    /// By the place of the kind in `going`.
    private var needs: [[(resource: Int, amount: Double)]]
    private let going: [Int]
    private let kinds: [TrafficClass]
    private let mailings: [SimulatedMailing]
    private let providers: [SimulatedProvider]
    private let plan: FleetPlan
    private let workers: Int
    /// Of messages that start by themselves, the part that wakes a worker up.
    private let wakes: Double

    init(_ simulator: Simulator, going: [Int]) {
        self.going = going
        kinds = simulator.kinds
        mailings = simulator.mailings
        providers = simulator.providers
        plan = simulator.plan
        workers = plan.workers(at: simulator.now)
        needs = going.map { _ in [] }
        let rate = providers.reduce(0) { $0 + $1.rate }
        wakes = rate > 0 ? min(1, plan.costs.wakesPerSecond * Double(workers) / rate) : 1
        addLimits()
        addConnections(at: simulator.now)
        addMachine()
    }

    private mutating func add(_ bottleneck: Bottleneck, capacity: Double) -> Int {
        if let known = places[bottleneck] { return known }
        let place = put(bottleneck, capacity: capacity)
        places[bottleneck] = place
        return place
    }

    private mutating func put(_ bottleneck: Bottleneck, capacity: Double) -> Int {
        bottlenecks.append(bottleneck)
        capacities.append(max(0, capacity))
        return bottlenecks.count - 1
    }

    private mutating func addLimits() {
        for (place, kind) in going.enumerated() {
            for scope in kinds[kind].scopes {
                let resource = add(.limit(scope.name), capacity: scope.perSecond)
                needs[place].append((resource, 1))
            }
            if let rate = providers[kinds[kind].provider].adaptiveRate.rate {
                let resource = add(.pace(kinds[kind].providerScope), capacity: rate)
                needs[place].append((resource, 1))
            }
        }
    }

    private mutating func addConnections(at now: Double) {
        for (place, kind) in going.enumerated() {
            let provider = providers[kinds[kind].provider]
            let each = provider.plan.connections(concurrency: plan.concurrency)
            let most = provider.plan.mostConnections ?? .max
            let useful = min(workers, plan.window)
            let bottleneck = bottleneck(of: provider, most: most, useful: useful * each, at: now)
            let open = provider.pausedUntil > now ? 0 : provider.share
            let way = ways[kinds[kind].provider] ?? put(bottleneck, capacity: Double(min(most, useful * each)) * open)
            ways[kinds[kind].provider] = way
            needs[place].append((way, max(service(of: kind), 1e-9)))
            let busy = mailings[kinds[kind].mailing].busyWorkers(of: useful, kinds)
            if busy < Double(useful) {
                let own = put(.batches, capacity: busy * Double(each) * open)
                needs[place].append((own, max(service(of: kind), 1e-9)))
            }
        }
    }

    /// What limits the messages in flight to a provider.
    private func bottleneck(of provider: SimulatedProvider, most: Int, useful: Int, at now: Double) -> Bottleneck {
        if workers == 0 { return .noWorkers }
        if provider.share == 0 { return .outage(provider.name) }
        if provider.pausedUntil > now { return .pause(provider.name) }
        if most < useful { return .providerConnections(provider.name) }
        return plan.window < workers ? .window : .connections(provider.name)
    }

    private mutating func addMachine() {
        let costs = plan.costs
        let idle = costs.idle * Double(workers)
        let redisIdle = costs.redisAtRest(workers: Double(workers))
        let worker = add(.workerCPU, capacity: Double(workers) * 1e6 - idle)
        let planner = add(.planner, capacity: 1e6)
        let collector = add(.collector, capacity: min(1e6 / max(costs.collect, 1e-9), costs.collectorRate))
        let redis = add(.redis, capacity: 1e6 - redisIdle)
        let cores = plan.cores.map { add(.cores, capacity: $0 * 1e6 - idle - redisIdle) }
        for (place, kind) in going.enumerated() {
            let cost = cost(of: kind)
            needs[place] += [(worker, cost.worker), (planner, costs.feed), (collector, 1), (redis, cost.redis)]
            if let cores { needs[place].append((cores, cost.worker + costs.feed + costs.collect + cost.redis)) }
        }
    }

    /// Microseconds for a message.
    private func cost(of kind: Int) -> (worker: Double, redis: Double) {
        let isLimited = !kinds[kind].scopes.isEmpty
        let costs = plan.costs
        let message = costs.message(isSMTP: providers[kinds[kind].provider].plan.isSMTP)
        return (message + (isLimited ? costs.wake * wakes : 0), costs.redis + (isLimited ? costs.reservation : 0))
    }

    /// Seconds that a message keeps a connection.
    func service(of kind: Int) -> Double {
        providers[kinds[kind].provider].plan.service(isLimited: !kinds[kind].scopes.isEmpty)
    }

    func needed(by flows: [FairShare.Flow]) -> [FairShare.Flow] {
        zip(flows, needs).map { FairShare.Flow(weight: $0.weight, demand: $0.demand, needs: $1) }
    }

    // MARK: - Pauses

    struct Pause {
        /// The share of the time in which it is not paused.
        var part: Double
        /// Messages a second that the pauses leave.
        var rate: Double
    }

    /// Providers whose throttled responses ask for pauses. Each sends until all workers know of the first pause, and then waits.
    /// - Parameter rates: without pauses, by the place in `going`.
    func pauses(_ rates: [Double]) -> [Int: Pause] {
        var pauses: [Int: Pause] = [:]
        for (index, provider) in providers.enumerated() {
            let rate = going.indices.reduce(0) { $0 + (kinds[going[$1]].provider == index ? rates[$1] : 0) }
            var asking = provider.plan.responses.filter { $0.response.action == .slowDown && ($0.response.retryAfter ?? 0) > 0 }
                .map { (share: $0.share, wait: $0.response.retryAfter ?? 0) }
            if let hidden = provider.plan.hiddenLimit, let wait = hidden.retryAfter, wait > 0 {
                asking.append((provider.refused(at: rate), wait))
            }
            let share = asking.reduce(0) { $0 + $1.share }
            guard share > 0, rate > 0 else { continue }
            let wait = asking.reduce(0) { $0 + $1.share * $1.wait } / share
            let run = 1 / (rate * share) + Self.heard
            pauses[index] = Pause(part: run / (run + wait), rate: rate * run / (run + wait))
        }
        return pauses
    }

    /// Seconds until all workers know of a pause, on average.
    private static let heard = 0.125

    /// This model with pauses.
    func pausing(_ pauses: [Int: Pause]) -> CapacityModel {
        var capacityModel = self
        for (place, kind) in going.enumerated() {
            guard let pause = pauses[kinds[kind].provider] else { continue }
            let resource = capacityModel.add(.pause(providers[kinds[kind].provider].name), capacity: pause.rate)
            capacityModel.needs[place].insert((resource, 1), at: 0)
        }
        return capacityModel
    }

    // MARK: - Costs

    /// Adds the costs of a step.
    func note(rates: [Double], at time: Double, seconds: Double, in totals: inout CostTotals) {
        let loads = going.enumerated().map { place, kind in
            let cost = cost(of: kind)
            let mailing = mailings[kinds[kind].mailing].plan
            return CostTotals.Load(
                provider: kinds[kind].provider, rate: rates[place], worker: cost.worker, redis: cost.redis,
                batch: mailing.batchSize, channel: mailing.channel, hasSpeed: mailing.speed != nil,
                isLimited: !kinds[kind].scopes.isEmpty, isSMTP: providers[kinds[kind].provider].plan.isSMTP,
                service: service(of: kind))
        }
        totals.note(loads, at: time, seconds: seconds, mailings: mailings.count { $0.isStarted && $0.open > 0 })
    }
}
