/// A role that every mailing needs, and of which a fleet has one.
package enum SharedRole: String, Sendable, Hashable, CaseIterable {
    /// Plans mailings and dispatches batches: without it what was dispatched goes, and nothing new.
    case planner
    /// Writes results to the ledger: without it the dispatcher stops three windows of batches later (`Planning/Dispatcher`).
    case collector
    /// Without it nothing begins.
    case redis
}

/// A time in which a role is not at work.
package struct OutageWindow: Sendable, Equatable {
    package var role: SharedRole
    /// Seconds; without an end up to `.infinity`.
    package var time: Range<Double>

    package init(_ role: SharedRole, _ time: Range<Double>) {
        self.role = role
        self.time = time
    }
}

extension FleetPlan {
    /// The roles that are not at work at a moment.
    func missing(at time: Double) -> Set<SharedRole> {
        Set(outages.filter { $0.time.contains(time) }.map(\.role))
    }

    /// When something is done that takes a planner so many seconds: it continues where it was as soon as there is a planner again.
    func planned(from begin: Double, seconds: Double) -> Double {
        var (now, left) = (begin, seconds)
        for outage in outages.filter({ $0.role == .planner }).map(\.time).sorted(by: { $0.lowerBound < $1.lowerBound })
        where outage.upperBound > now {
            let work = max(0, outage.lowerBound - now)
            if work >= left && outage.lowerBound > now { break }
            left -= work
            now = outage.upperBound
        }
        return now + left
    }
}

extension Simulator {
    /// Sets how many messages of each kind may still begin when a role stops, and lifts that when it works again.
    mutating func updateMissingRoles() {
        let before = missing
        missing = plan.missing(at: now)
        for role in before.subtracting(missing) {
            for kind in kinds.indices { kinds[kind].left[role] = nil }
        }
        for role in SharedRole.allCases where missing.contains(role) && !before.contains(role) {
            let dispatched = role == .redis ? kinds.map { _ in 0 } : self.dispatched()
            for kind in kinds.indices {
                kinds[kind].left[role] = dispatched[kind] + (role == .collector ? uncollected(kind) : 0)
            }
        }
    }

    /// Messages of each kind that are in Redis now, ready or in workers.
    private func dispatched() -> [Int] {
        let workers = plan.workers(at: now)
        let estimate = SizeEstimate(plan, workers: workers, mailings: mailings.count)
        let batches = mailings.map { mailing -> Double in
            let rate = mailing.kinds.reduce(0) { $0 + kinds[$1].lately }
            return mailing.isStarted && mailing.open > 0 ? estimate.batches(of: mailing.plan, rate: rate) : 0
        }
        return kinds.map { kind in
            let mailing = mailings[kind.mailing]
            let channel = mailings.indices.filter { mailings[$0].plan.channel == mailing.plan.channel }
            let wanted = channel.reduce(0) { $0 + batches[$1] }
            let open = mailing.kinds.reduce(0) { $0 + kinds[$1].backlog.open }
            guard wanted > 0, open > 0 else { return 0 }
            let size = Double(mailing.plan.batchSize)
            // Of those in work a half is done.
            let messages = batches[kind.mailing] * min(1, Double(plan.window) / wanted) * size - Double(workers) * size / 2
            return Int((max(size, messages) * Double(kind.backlog.open) / Double(open)).rounded(.up))
        }
    }

    /// Messages of a kind that may still be sent while no collector works, until nothing more of its channel is dispatched.
    private func uncollected(_ place: Int) -> Int {
        let mailing = mailings[kinds[place].mailing]
        let open = kinds.reduce(0) { $0 + (mailings[$1.mailing].plan.channel == mailing.plan.channel ? $1.backlog.open : 0) }
        guard open > 0 else { return 0 }
        let all = Double(Self.uncollectedWindows * plan.window * mailing.plan.batchSize)
        return Int((all * Double(kinds[place].backlog.open) / Double(open)).rounded(.up))
    }

    /// Windows of batches (`Planning/Dispatcher`).
    private static let uncollectedWindows = 3
}
