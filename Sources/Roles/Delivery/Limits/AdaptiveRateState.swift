import Broker
import Model
import Policy

/// What a worker has seen of scopes that ask to be slowed down and not reported yet, and what the fleet knows of them; the machine of
/// `AdaptiveRateController`. Once a scope has asked, each response is reported exactly once until the scope is at rest again. Moments are
/// nanoseconds of CLOCK_MONOTONIC.
struct AdaptiveRateState {
    /// Responses of a scope.
    struct Seen: Equatable {
        var answered = 0
        var throttled = 0
        /// The longest wait that was asked for, in seconds.
        var pause: Double?
    }

    /// How much a scope is slowed down.
    struct Hold: Equatable {
        /// Microseconds between two starts; 0 where the scope is only paused.
        var interval: Double
        /// Nothing starts before.
        var until: Int64
    }

    private struct Known {
        var snapshot: AdaptiveRateStore.Snapshot
        /// When it was read.
        var at: Int64
        var isHeld: Bool { snapshot.interval != nil || snapshot.pause > 0 }
        var pausedUntil: Int64 { at + Int64(snapshot.pause * 1e9) }
        /// Seconds that are left of the pause.
        func pause(at now: Int64) -> Double { Double(pausedUntil - now) / 1e9 }
    }

    /// A shorter rest of a pause than this, in seconds, is not worth a report.
    private static let shortestPause = 0.5

    private var seen: [LimitScope: Seen] = [:]
    /// Scopes whose responses are all counted: a request to slow down came, and the rate has not recovered.
    private(set) var watched: Set<LimitScope> = []
    private var known: [LimitScope: Known] = [:]

    /// Counts the responses to a group.
    /// - Returns: the scope in which nothing more is to start for now, where the provider asked for a longer pause than is known.
    mutating func note(_ outcome: GroupOutcome, provider scope: LimitScope, domain: LimitScope?, at now: Int64) -> LimitScope? {
        count(Seen(answered: outcome.answered, throttled: outcome.throttled, pause: outcome.retryAfter), of: scope)
        if let domain { count(Seen(answered: outcome.answered, throttled: outcome.domainThrottled), of: domain) }
        guard let asked = outcome.retryAfter, asked > 0 else { return nil }
        guard let known = known[scope] else { return scope }
        return asked > known.pause(at: now) + Self.shortestPause ? scope : nil
    }

    /// Counts responses of a scope; also those whose report has failed.
    mutating func count(_ more: Seen, of scope: LimitScope) {
        if more.throttled > 0 { watched.insert(scope) }
        guard watched.contains(scope) else { return }
        var all = seen[scope] ?? Seen()
        all.answered += more.answered
        all.throttled += more.throttled
        if let pause = more.pause, pause > 0 { all.pause = max(pause, all.pause ?? 0) }
        seen[scope] = all
    }

    /// What is to be reported of a scope; it counts as reported then.
    mutating func takeSeen(of scope: LimitScope) -> Seen? { seen.removeValue(forKey: scope) }

    /// The scopes of which something is to be reported. An idle scope that is watched is one of them, so that it is judged and recovers.
    /// - Parameter scopes: those of this worker's mailings.
    mutating func unreported(_ scopes: Set<LimitScope>) -> [LimitScope] {
        for scope in watched where scopes.contains(scope) && seen[scope] == nil { seen[scope] = Seen() }
        return Array(seen.keys)
    }

    /// Takes over what the fleet knows of a scope.
    /// - Returns: what was known before.
    mutating func take(_ snapshot: AdaptiveRateStore.Snapshot, of scope: LimitScope, at now: Int64) -> AdaptiveRateStore.Snapshot? {
        let before = known[scope]
        let taken = Known(snapshot: snapshot, at: now)
        // A Redis that was lost has forgotten the pause: it is reported again.
        if snapshot.until == 0, snapshot.state.isEmpty, let left = before?.pause(at: now), left > Self.shortestPause {
            seen[scope, default: Seen()].pause = left
        }
        known[scope] = taken
        // Another worker has seen something: what this one sees counts too.
        if taken.isHeld { watched.insert(scope) }
        return before?.snapshot
    }

    /// Forgets what is not needed any more.
    /// - Parameter scopes: those of this worker's mailings.
    /// - Returns: the scopes that are slowed down or paused, and those that were and are not used any more.
    mutating func settle(_ scopes: Set<LimitScope>) -> (held: [LimitScope: Hold], forgotten: [LimitScope]) {
        let forgotten = known.filter { $0.value.isHeld && !scopes.contains($0.key) }.map(\.key)
        known = known.filter { scopes.contains($0.key) }
        watched = watched.filter { scope in
            guard let known = known[scope] else { return false }
            return known.isHeld || seen[scope] != nil || !AdaptiveRate(encoded: known.snapshot.state).isAtRest
        }
        let held = known.filter(\.value.isHeld).mapValues { Hold(interval: $0.snapshot.interval ?? 0, until: $0.pausedUntil) }
        return (held, forgotten)
    }
}
