import Model
import Policy

/// Runs a plan by a virtual clock, with the product's own rules. Nothing is read, written or waited for, and a plan of the same seed
/// always comes to the same.
///
/// Where more than `few` messages are open it works in steps: what is scarce is shared (`FairShare`), so many begin in the step, and
/// their responses are cohorts of which each stands for a number of messages. Where there are no more than that, each message goes
/// by itself: its moment comes from a `ReservationCalendar` for each limit, its latency and its response are drawn. Recipients are counted
/// the same way in both, so that the simulation can change from one to the other at any time.
package struct Simulator: Sendable {
    let plan: FleetPlan
    var random: SeededGenerator
    var now = 0.0
    var mailings: [SimulatedMailing]
    var kinds: [TrafficClass] = []
    var providers: [SimulatedProvider]
    /// Scheduled events: mailings begin and expire, workers come and go, providers become unavailable and return.
    var events = EventQueue<Void>()
    /// When breakers are looked at next, by provider.
    var looks: [Double?]
    /// Messages in flight, while each is simulated by itself.
    var flights = EventQueue<InFlightMessage>()
    var calendars: [String: ReservationCalendar] = [:]
    var turn = 0
    var totals: CostTotals
    /// The roles that are not at work now.
    var missing: Set<SharedRole> = []

    /// Up to so many open messages each is simulated by itself.
    static let few = 2_000

    /// The forecast of a plan.
    package static func forecast(_ plan: FleetPlan) -> Forecast {
        var simulator = Simulator(plan)
        simulator.run()
        return simulator.report()
    }

    init(_ plan: FleetPlan) {
        self.plan = plan
        random = SeededGenerator(seed: plan.seed)
        let names = plan.providers.keys.sorted()
        providers = names.map { name in
            SimulatedProvider(
                name: name, plan: plan.providers[name] ?? ProviderPlan(latency: .fixed(0)),
                limit: plan.limits.providers[name]?.perSecond)
        }
        looks = names.map { _ in nil }
        totals = CostTotals(plan)
        // One planner plans one mailing after another.
        var planner = 0.0
        mailings = []
        for mailing in plan.mailings.sorted(by: { $0.at < $1.at }) {
            let begin = max(planner, mailing.at)
            planner = plan.planned(from: begin, seconds: Double(mailing.recipients) * plan.costs.plan / 1e6)
            mailings.append(SimulatedMailing(mailing, ready: planner, retries: plan.retries))
            totals.plan(mailing.recipients, from: begin, to: planner)
        }
        for index in mailings.indices { split(index, names) }
        for mailing in mailings {
            events.add((), at: mailing.ready)
            events.add((), at: mailing.expires)
        }
        for change in plan.workers { events.add((), at: change.at) }
        for absence in plan.outages {
            events.add((), at: absence.time.lowerBound)
            events.add((), at: absence.time.upperBound)
        }
        for provider in providers {
            for outage in provider.plan.outages {
                events.add((), at: outage.lowerBound)
                events.add((), at: outage.upperBound)
            }
        }
    }

    /// The kinds of send of a mailing.
    private mutating func split(_ index: Int, _ names: [String]) {
        let mailing = mailings[index].plan
        guard let provider = names.firstIndex(of: mailing.provider) else { return }
        let scope = LimitScope.provider(mailing.provider)
        var common: [(String, RateLimit)] = []
        for scope in [scope, .channel(mailing.channel)] {
            if let limit = plan.limits.limit(scope) { common.append((scope.description, limit)) }
        }
        if let speed = mailing.speed { common.append(("mailing:\(mailing.name)", speed)) }
        var rest = mailing.recipients
        var parts: [(RateLimit?, String, Int)] = []
        for (name, share) in mailing.domains.sorted(by: { $0.key < $1.key }) where share > 0 {
            let count = min(rest, Int((Double(mailing.recipients) * share).rounded()))
            rest -= count
            let domain = LimitScope.domain(name)
            parts.append((plan.limits.limit(domain), domain.description, count))
        }
        parts.append((nil, "", rest))
        for (limit, name, count) in parts where count > 0 {
            let scopes = (common + (limit.map { [(name, $0)] } ?? []))
                .map { TrafficClass.Scope(name: $0.0, limit: ReservationCalendar.Limit($0.1)) }
                .sorted { ($0.limit.interval, $1.name) > ($1.limit.interval, $0.name) }
            // Batches are taken in turns; among those that wait for reservations each mailing has its turn.
            let weight = scopes.isEmpty ? min(mailing.batchSize, mailing.recipients) : 500
            mailings[index].kinds.append(kinds.count)
            kinds.append(
                TrafficClass(
                    mailing: index, provider: provider, providerScope: scope.description, scopes: scopes,
                    weight: Double(weight) * Double(count) / Double(mailing.recipients), backlog: Backlog(fresh: count)))
        }
    }

    // MARK: - Time

    /// A forecast ends here: ten years, in seconds.
    private static let longest = 10 * 366 * 86_400.0

    private mutating func run() {
        while true {
            look()
            guard mailings.contains(where: { $0.open > 0 }) else { return }
            let open = mailings.reduce(0) { $0 + ($1.isStarted ? $1.open : 0) }
            let before = now
            if open <= Self.few { singly() } else { together() }
            guard now.isFinite, now < Self.longest else {
                now = before
                totals.unfinished = "it does not come to an end: \(bottleneck(of: mailings.indices.first { mailings[$0].open > 0 } ?? 0))"
                return
            }
        }
    }

    /// Applies the events that are due.
    private mutating func look() {
        while events.pop(until: now) != nil {}
        land(until: now)
        let workers = plan.workers(at: now)
        for index in mailings.indices where mailings[index].open > 0 {
            if mailings[index].ready <= now { mailings[index].isStarted = true }
            if mailings[index].expires <= now { expire(index) }
        }
        for index in providers.indices {
            providers[index].staff(workers)
            let each = providers[index].plan.connections(concurrency: plan.concurrency)
            providers[index].note(connections: min(providers[index].plan.mostConnections ?? .max, min(workers, plan.window) * each))
            providers[index].faultSelector(at: now)
            looks[index] = providers[index].look(at: now, using: &random)
        }
        for index in kinds.indices where mailings[kinds[index].mailing].isStarted { kinds[index].backlog.release(until: now) }
        updateMissingRoles()
    }

    /// When the next event is due.
    var nextEvent: Double {
        var next = events.first ?? .infinity
        for index in providers.indices {
            if let look = looks[index] { next = min(next, look) }
            if let judgement = providers[index].judgement { next = min(next, judgement) }
            if providers[index].pausedUntil > now { next = min(next, providers[index].pausedUntil) }
        }
        return max(next, now.nextUp)
    }

    /// When the next retry is due.
    var nextDue: Double {
        kinds.reduce(.infinity) { min($0, mailings[$1.mailing].isStarted ? $1.backlog.nextDue ?? .infinity : .infinity) }
    }

    /// Advances to a moment, and notes the bottleneck of the time until then.
    mutating func go(to time: Double, started: [Int: Int] = [:]) {
        guard time.isFinite else {
            now = time
            return
        }
        let seconds = time - now
        for kind in kinds.indices { kinds[kind].note(started: started[kind] ?? 0, for: seconds) }
        for index in providers.indices { providers[index].pass(from: now, to: time) }
        var most = -1
        for index in mailings.indices where mailings[index].isStarted && mailings[index].open > 0 {
            mailings[index].note(bottleneck(of: index), for: seconds)
            mailings[index].look(at: time)
            if most < 0 || mailings[index].open > mailings[most].open { most = index }
        }
        if most < 0 { most = mailings.indices.first { mailings[$0].open > 0 } ?? 0 }
        totals.pass(from: now, to: time, started: started.values.reduce(0, +), bottleneck: bottleneck(of: most))
        now = time
    }

    /// The bottleneck of a mailing: that of those of its kinds that take longest.
    func bottleneck(of mailing: Int) -> Bottleneck {
        let run = mailings[mailing]
        guard run.isStarted else { return now < run.plan.at ? .start : missing.contains(.planner) ? .missing(.planner) : .planning }
        let waiting = run.kinds.filter { kinds[$0].backlog.available > 0 }
        guard let most = waiting.max(by: { kinds[$0].effort < kinds[$1].effort }) else {
            return run.kinds.contains { kinds[$0].flying > 0 } ? .nothing : .retries
        }
        return kinds[most].missing.map { .missing($0) } ?? kinds[most].bottleneck
    }

    private mutating func expire(_ index: Int) {
        for kind in mailings[index].kinds {
            mailings[index].report.expired += kinds[kind].backlog.end()
        }
        mailings[index].report.ends = max(mailings[index].report.ends ?? 0, now)
    }

    private mutating func report() -> Forecast {
        var forecast = totals.finish(at: now)
        forecast.mailings = mailings.map(\.finished)
        forecast.seconds = mailings.compactMap(\.report.ends).max() ?? now
        for index in providers.indices {
            let own = kinds.filter { $0.provider == index }
            guard !own.isEmpty else { continue }
            providers[index].note(limit: limit(of: own), service: providers[index].plan.service(isLimited: true))
            var report = providers[index].report
            (report.peakRate, report.busyConnections) = totals.peak(of: index)
            report.busyConnections = min(report.busyConnections, Double(report.connections))
            forecast.providers.append(report)
        }
        return forecast
    }

    /// Messages a second that limits let through to a provider; nil where nothing limits one of its kinds.
    private func limit(of own: [TrafficClass]) -> Double? {
        guard own.allSatisfy({ !$0.scopes.isEmpty }) else { return nil }
        // The sum of their limits. A scope that several kinds share counts once.
        var places: [String: Int] = [:]
        var capacities: [Double] = []
        let flows = own.map { kind in
            let needs = kind.scopes.map { scope in
                let place = places[scope.name] ?? capacities.count
                if place == capacities.count { capacities.append(scope.perSecond) }
                places[scope.name] = place
                return (resource: place, amount: 1.0)
            }
            return FairShare.Flow(weight: kind.weight, demand: .infinity, needs: needs)
        }
        return FairShare(flows, capacities: capacities).rates.reduce(0, +)
    }
}
