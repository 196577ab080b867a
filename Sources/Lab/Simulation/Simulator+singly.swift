import Policy

extension Simulator {
    /// A message in flight.
    struct InFlightMessage: Sendable {
        var provider: Int
        /// Nil for one that was counted when it began, with many others: it only keeps a connection.
        var kind: Int?
        var spent: Int
        var isRefused: Bool
    }

    /// How far ahead workers reserve, in microseconds (`Delivery/ReservationPool`): a limit that Redis does not know begins so much later.
    private static let horizon = 200_000.0
    /// The simulation asks for a moment only when it has come.
    private static let ahead = 100.0

    /// Lets all messages begin that may, and moves to the time at which another can.
    mutating func singly() {
        fillConnections()
        var started: [Int: Int] = [:]
        var isIdle = 0
        let order = kinds.indices.filter { mailings[kinds[$0].mailing].isStarted }
        // In turns, as the dispatcher takes the mailings.
        while isIdle < order.count {
            turn += 1
            let kind = order[turn % order.count]
            if start(kind) {
                started[kind, default: 0] += 1
                isIdle = 0
            } else {
                isIdle += 1
            }
        }
        var next = min(nextEvent, nextDue, flights.first ?? .infinity)
        for kind in order where kinds[kind].available > 0 && kinds[kind].blockedUntil > now {
            next = min(next, kinds[kind].blockedUntil)
        }
        if next.isFinite { note(started, until: max(next, now.nextUp)) }
        go(to: max(next, now.nextUp), started: started)
    }

    /// - Returns: false where it has none, or something holds it back.
    private mutating func start(_ kind: Int) -> Bool {
        guard kinds[kind].available > 0 else {
            kinds[kind].bottleneck = .nothing
            return false
        }
        let index = kinds[kind].provider
        if let bottleneck = bottleneck(before: kind) {
            kinds[kind].bottleneck = bottleneck
            return false
        }
        guard let moment = moment(kind), let taken = kinds[kind].take(1).first else { return false }
        let provider = providers[index].plan
        let time = provider.latency.draw(using: &random)
        let isRefused = providers[index].refuses(at: moment)
        flights.add(
            InFlightMessage(provider: index, kind: kind, spent: taken.spent, isRefused: isRefused),
            at: moment + time + provider.overhead(isLimited: !kinds[kind].scopes.isEmpty))
        kinds[kind].flying += 1
        providers[index].busy += 1
        let mailing = kinds[kind].mailing
        if mailings[mailing].report.begins == nil { mailings[mailing].report.begins = moment }
        kinds[kind].bottleneck = .nothing
        return true
    }

    /// What blocks a message, apart from its moment.
    private func bottleneck(before kind: Int) -> Bottleneck? {
        let provider = providers[kinds[kind].provider]
        let workers = plan.workers(at: now)
        if workers == 0 { return .noWorkers }
        if provider.share == 0 { return .outage(provider.name) }
        if provider.pausedUntil > now { return .pause(provider.name) }
        let each = provider.plan.connections(concurrency: plan.concurrency)
        let useful = min(workers, plan.window)
        let open = max(1, Int(Double(useful * each) * provider.share))
        if let most = provider.plan.mostConnections, most < open, provider.busy >= most {
            return .providerConnections(provider.name)
        }
        if provider.busy >= open { return useful < workers ? .window : .connections(provider.name) }
        if kinds[kind].blockedUntil > now { return kinds[kind].bottleneck }
        let mailing = mailings[kinds[kind].mailing]
        let busy = mailing.busyWorkers(of: useful, kinds)
        guard busy < Double(useful) else { return nil }
        return mailing.kinds.reduce(0) { $0 + kinds[$1].flying } >= Int(busy * Double(each)) ? .batches : nil
    }

    /// When a message may begin under its limits; nil where that is not yet.
    private mutating func moment(_ kind: Int) -> Double? {
        var scopes = kinds[kind].scopes
        let name = kinds[kind].providerScope
        if let interval = providers[kinds[kind].provider].adaptiveRate.interval {
            if let place = scopes.firstIndex(where: { $0.name == name }) {
                scopes[place].limit.interval = max(scopes[place].limit.interval, interval)
            } else {
                scopes.append(TrafficClass.Scope(name: name, limit: ReservationCalendar.Limit(interval: interval, burst: 1)))
            }
        }
        guard !scopes.isEmpty else { return now }
        let time = now * 1e6
        var known = scopes.map {
            calendars[$0.name] ?? ReservationCalendar($0.limit, now: time, horizon: totals.steps > 0 ? 0 : Self.horizon)
        }
        let grant = ReservationCalendar.reserve(
            1, in: &known, limits: scopes.map(\.limit), within: ReservationCalendar.Window(now: time, horizon: Self.ahead))
        for (scope, calendar) in zip(scopes, known) { calendars[scope.name] = calendar }
        guard let moment = grant.moments.first else {
            // The narrowest is named.
            kinds[kind].bottleneck = providers[kinds[kind].provider].adaptiveRate.rate == nil ? .limit(scopes[0].name) : .pace(name)
            kinds[kind].blockedUntil = max(now.nextUp, now + (grant.next - Self.ahead / 2) / 1e6)
            return nil
        }
        return now + moment / 1e6
    }

    /// Messages of the steps before keep their connections.
    private mutating func fillConnections() {
        for index in providers.indices where providers[index].rate > 0 {
            let time = providers[index].plan.service(isLimited: false)
            let count = Int(providers[index].rate * time)
            for place in 0..<count {
                flights.add(
                    InFlightMessage(provider: index, spent: 0, isRefused: false), at: now + time * Double(place + 1) / Double(count))
            }
            providers[index].busy += count
            providers[index].rate = 0
        }
    }

    /// Responses that have come.
    mutating func land(until time: Double) {
        while let (at, flight) = flights.pop(until: time) {
            let provider = flight.provider
            providers[provider].busy -= 1
            guard let kind = flight.kind else { continue }
            kinds[kind].flying -= 1
            let asked = response(kind, spent: flight.spent, count: 1, at: at, last: at, refused: flight.isRefused ? 1 : 0)
            if asked > 0 { providers[provider].pause(until: at + asked) }
        }
    }

    /// Adds the costs of messages that begin one by one.
    private mutating func note(_ started: [Int: Int], until next: Double) {
        let going = started.keys.sorted()
        let seconds = next - now
        let capacityModel = CapacityModel(self, going: going)
        capacityModel.note(rates: going.map { Double(started[$0] ?? 0) / seconds }, at: now, seconds: seconds, in: &totals)
    }
}
