import Policy

extension Simulator {
    /// A step is no longer, in seconds; and not more than this part of what is left.
    private static let longestStep = 60.0
    private static let shortestStep = 0.01
    private static let part = 1.0 / 200

    /// One step in which many messages begin.
    mutating func together() {
        let going = kinds.indices.filter { mailings[kinds[$0].mailing].isStarted && kinds[$0].available > 0 }
        let event = min(nextEvent, flights.first ?? .infinity)
        guard !going.isEmpty else { return go(to: max(now.nextUp, min(event, nextDue))) }
        var seconds = min(stepLength, event - now)
        if providers.allSatisfy({ $0.share == 0 || $0.pausedUntil > now }) { seconds = min(event, nextDue) - now }
        let flows = going.map { kind -> FairShare.Flow in
            let demand = kinds[kind].backlog.fresh > 0 ? Double.infinity : Double(kinds[kind].available) / seconds
            return FairShare.Flow(weight: kinds[kind].weight, demand: demand, needs: [])
        }
        let capacityModel = CapacityModel(self, going: going)
        var share = FairShare(capacityModel.needed(by: flows), capacities: capacityModel.capacities)
        let pauses = capacityModel.pauses(share.rates)
        if !pauses.isEmpty {
            let paused = capacityModel.pausing(pauses)
            share = FairShare(paused.needed(by: flows), capacities: paused.capacities)
            finish(going, share, paused, &seconds)
        } else {
            finish(going, share, capacityModel, &seconds)
        }
        for provider in providers.indices { providers[provider].openTime = pauses[provider]?.part ?? 1 }
    }

    /// Lets a step's messages begin.
    private mutating func finish(_ going: [Int], _ share: FairShare, _ capacityModel: CapacityModel, _ seconds: inout Double) {
        for (place, kind) in going.enumerated() where kinds[kind].backlog.fresh > 0 && share.rates[place] > 0 {
            // A step does not reach beyond the last message of a kind.
            seconds = min(seconds, max(1e-6, Double(kinds[kind].available) / share.rates[place]))
        }
        for index in providers.indices {
            let places = going.indices.filter { kinds[going[$0]].provider == index }
            let rate = places.reduce(0) { $0 + share.rates[$1] }
            providers[index].rate = rate
        }
        let refused = providers.map { $0.refused(at: $0.rate) }
        var started: [Int: Int] = [:]
        for (place, kind) in going.enumerated() {
            if case .resource(let resource) = share.bottlenecks[place] {
                kinds[kind].bottleneck = capacityModel.bottlenecks[resource]
            } else {
                kinds[kind].bottleneck = .nothing
            }
            let exact = share.rates[place] * seconds + kinds[kind].remainder
            let count = min(kinds[kind].available, Int(exact + 1e-6))
            kinds[kind].remainder = count == kinds[kind].available ? 0 : max(0, exact - Double(count))
            guard count > 0 else { continue }
            started[kind] = count
            begin(kind, count, seconds, refused[kinds[kind].provider])
        }
        capacityModel.note(rates: share.rates, at: now, seconds: seconds, in: &totals)
        go(to: now + seconds, started: started)
    }

    private mutating func begin(_ kind: Int, _ count: Int, _ seconds: Double, _ refused: Double) {
        let mailing = kinds[kind].mailing
        if mailings[mailing].report.begins == nil { mailings[mailing].report.begins = now }
        let time = providers[kinds[kind].provider].plan.latency.mean
        for taken in kinds[kind].take(count) {
            response(
                kind, spent: taken.spent, count: taken.count, at: now + seconds / 2 + time, last: now + seconds + time,
                refused: refused)
        }
    }

    /// Seconds that a step may take: a small part of what is left, at the present rate.
    private var stepLength: Double {
        let left = kinds.reduce(0) { $0 + (mailings[$1.mailing].isStarted ? $1.backlog.open : 0) }
        let rate = providers.reduce(0) { $0 + $1.rate }
        guard rate > 0 else { return 0.05 }
        return min(max(Double(left) / rate * Self.part, Self.shortestStep), Self.longestStep)
    }
}
