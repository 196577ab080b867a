import Broker
import Logging
import Metrics
import Model
import Policy
import Synchronization

/// Counts the responses of providers and domains to a worker, and slows their scopes down together with the rest of the fleet; the shell of
/// `AdaptiveRateState`.
final class AdaptiveRateController: Sendable {
    private let store: AdaptiveRateStore
    private let limits: ActiveLimits
    private let time: SharedTime
    private let logger: Logger
    private let isWatching = Atomic<Bool>(false)
    private let state = Mutex(AdaptiveRateState())

    init(_ store: AdaptiveRateStore, limits: ActiveLimits, time: SharedTime, logger: Logger) {
        self.store = store
        self.limits = limits
        self.time = time
        self.logger = logger
    }

    /// Changes the state, and publishes to readers that do not take the lock whether a scope is watched.
    private func change<T>(_ body: (inout AdaptiveRateState) -> T) -> T {
        state.withLock { state in
            defer { isWatching.store(!state.watched.isEmpty, ordering: .relaxed) }
            return body(&state)
        }
    }

    /// Counts the responses to a group.
    /// - Returns: the scope in which nothing more is to start for now, where the provider asked for that.
    func note(_ outcome: GroupOutcome, provider: String, domain: LimitScope?) -> LimitScope? {
        guard outcome.throttled + outcome.domainThrottled > 0 || isWatching.load(ordering: .relaxed) else { return nil }
        return change { $0.note(outcome, provider: .provider(provider), domain: domain, at: time.clocks.monotonic) }
    }

    /// Reports what was seen of a scope to the fleet, and judges it where that is this worker's turn.
    func tell(_ scope: LimitScope) async throws(RedisError) {
        guard let seen = change({ $0.takeSeen(of: scope) }) else { return }
        // Messages with a response were started, give or take those in flight.
        let snapshot: AdaptiveRateStore.Snapshot
        let judged: AdaptiveRateStore.Case?
        do throws(RedisError) {
            (snapshot, judged) = try await store.observe(
                scope, answered: seen.answered, throttled: seen.throttled, started: seen.answered, pause: seen.pause)
        } catch {
            // A pause is reported as soon as Redis can be reached again.
            change { $0.count(seen, of: scope) }
            throw error
        }
        take(snapshot, of: scope)
        guard let judged else { return }
        var rate = AdaptiveRate(encoded: judged.state)
        rate.judge(
            AdaptiveRate.Observation(
                answered: judged.answered, throttled: judged.throttled, started: judged.started, seconds: judged.seconds,
                paused: judged.paused),
            limit: limits.limit(scope)?.perSecond)
        try await store.steer(scope, judged, state: rate.encoded, interval: rate.interval)
    }

    /// Reports all that was seen, and reads the state of scopes.
    /// - Parameter scopes: those of this worker's mailings.
    /// - Returns: those that are slowed down or paused.
    func exchange(_ scopes: Set<LimitScope>) async throws(RedisError) -> [LimitScope: AdaptiveRateState.Hold] {
        for scope in change({ $0.unreported(scopes) }) { try await tell(scope) }
        let asked = Array(scopes)
        let sent = time.clocks.monotonic
        let snapshots = try await store.snapshots(of: asked)
        if let now = snapshots.first?.now { time.note(shared: Double(now), sent: sent, received: time.clocks.monotonic) }
        for (scope, snapshot) in zip(asked, snapshots) { take(snapshot, of: scope) }
        let (held, forgotten) = change { $0.settle(scopes) }
        for scope in forgotten { Gauge(label: "flotilla_scope_slowed", dimensions: [("scope", scope.description)]).record(0) }
        return held
    }

    private func take(_ snapshot: AdaptiveRateStore.Snapshot, of scope: LimitScope) {
        let before = change { $0.take(snapshot, of: scope, at: time.clocks.monotonic) }
        let (wasSlowed, isSlowed) = (before?.interval != nil, snapshot.interval != nil)
        let (wasPaused, isPaused) = ((before?.pause ?? 0) > 0, snapshot.pause > 0)
        if wasSlowed != isSlowed || wasPaused != isPaused {
            Gauge(label: "flotilla_scope_slowed", dimensions: [("scope", scope.description)]).record(isSlowed || isPaused ? 1 : 0)
        }
        if isPaused, !wasPaused {
            logger.notice("\(scope) is paused for \(TimeSpan.text(seconds: snapshot.pause)): it asked for it (Retry-After)")
        }
        if isSlowed, !wasSlowed {
            logger.notice("\(scope) is \(AdaptiveRate(encoded: snapshot.state).text)")
        } else if !isSlowed, wasSlowed {
            logger.notice("\(scope) is no longer slowed down")
        }
        if let interval = snapshot.interval {
            Gauge(label: "flotilla_scope_adaptive_rate", dimensions: [("scope", scope.description)]).record(1e6 / interval)
        }
    }
}
