import Loadtest
import Model
import Policy
import Settings
import Simulation

extension ScenarioPlan {
    /// Seconds from SIGTERM to a process until its successor works, with nothing to finish (measured with `flotilla-lab loadtest run`, a
    /// release build: a worker had ended and another begun after 0.25 s, and a planner dispatched 0.1 s after it was started).
    private static let restart = 0.35
    /// Further seconds until a worker uses a limit again: moments are reserved so far ahead (`Delivery/ReservationPool`).
    private static let ahead = 0.2
    /// Until the fleet sends again after a Redis that came back empty: all tell what they know, and the dispatcher begins anew (3.3 s
    /// measured with a lease of 10 s; 2.7 s in `redis-loss`).
    private static let afterRedis = 3.0

    /// Takes over when each process runs, and notes what the forecast does not follow.
    mutating func follow(_ scenario: Scenario) {
        let longest = plan.providers.values.map { $0.latency.mean }.max() ?? 0
        let settings = scenario.fleet.settings
        let roster = ScriptRoster(scenario) { kind in
            kind == .worker ? Self.restart + Self.ahead + min(longest, settings.shutdown.grace.seconds) : Self.restart
        }
        plan.workers = roster.counts(.worker).map { FleetPlan.WorkerCount(at: $0.at, count: $0.count) }
        plan.outages = roster.gapsOfThePlanner(lease: settings.planner.lease.seconds).map { OutageWindow(.planner, $0) }
        plan.outages += roster.gaps(.collector).map { OutageWindow(.collector, $0) }
        for member in roster.members {
            switch member.kind {
            case .sink: plan.providers[member.name]?.outages = member.outages
            case .redis: plan.outages += Self.outages(ofRedis: member)
            default: continue
            }
        }
        say(scenario.script, roster.idle, lease: settings.worker.lease.seconds)
    }

    /// A Redis that was frozen has everything when it is thawed; one that has ended comes back empty.
    private static func outages(ofRedis redis: ScriptRoster.FleetProcess) -> [OutageWindow] {
        redis.outages.map { outage in
            let isFrozen = redis.spans.first { $0.to == outage.lowerBound }?.isFrozen ?? false
            return OutageWindow(.redis, outage.lowerBound..<(outage.upperBound + (isFrozen ? 0 : afterRedis)))
        }
    }

    private mutating func say(_ script: [ScriptLine], _ idle: [ScriptLine], lease: Double) {
        for line in idle { notes.append("'\(line.text)' at \(TimeSpan.text(seconds: line.at)) changes nothing: there is none") }
        for line in script where !idle.contains(line) {
            guard let what = Self.unfollowed(line, lease: lease) else { continue }
            notes.append("'\(line.text)' at \(TimeSpan.text(seconds: line.at)), not followed: \(what)")
        }
    }

    /// What the forecast ignores of a line; nil for nothing.
    private static func unfollowed(_ line: ScriptLine, lease: Double) -> String? {
        let kind: ProcessKind? =
            switch line.target {
            case .kind(let kind): kind
            case .member(let name): ProcessKind(rawValue: String(name.prefix { $0 != "-" }))
            case .redis: .redis
            case .sink: .sink
            }
        return switch (line.action, kind) {
        case (.kill, .worker?), (.freeze, .worker?):
            "its batches wait \(TimeSpan.text(seconds: lease)) (worker.lease) for another worker, "
                + "and what was in flight is uncertain"
        case (.freeze, .sink?): "responses that come when it is thawed; it is taken for one that cannot be reached"
        case (.freeze, .planner?), (.freeze, .collector?): "a lock on the ledger, should it be frozen within a transaction"
        case (.freeze, .redis?): "leases that end meanwhile"
        case (.kill, .redis?), (.remove, .redis?), (.restart, .redis?):
            "recipients that are uncertain because Redis was lost (docs/reliability.md)"
        case (.kill, .sink?): "responses that are lost with it, but for those counted as uncertain"
        default: nil
        }
    }
}
