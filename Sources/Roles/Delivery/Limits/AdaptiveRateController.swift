import Broker
import Logging
import Metrics
import Model
import Policy
import Synchronization

/// Counts the responses of providers and domains to a worker, and slows their scopes down together with the rest of the fleet.
final class AdaptiveRateController: Sendable {
    /// What was seen of a scope and not reported yet.
    private struct Seen {
        var answered = 0
        var throttled = 0
        /// The longest wait that was asked for, in seconds.
        var pause: Double?
    }

    private struct Known {
        var standing: AdaptiveRateStore.Standing
        /// CLOCK_MONOTONIC of its reading.
        var at: Int64
        var isHeld: Bool { standing.interval != nil || standing.pause > 0 }
        /// CLOCK_MONOTONIC of the end of its pause.
        var pausedUntil: Int64 { at + Int64(standing.pause * 1e9) }
        /// Seconds that are left of its pause.
        var pause: Double { Double(pausedUntil - Clock.monotonic()) / 1e9 }
    }

    /// How much a scope is slowed down.
    struct Hold {
        /// Microseconds between two starts; 0 where it is only paused.
        var interval: Double
        /// CLOCK_MONOTONIC before which nothing starts.
        var until: Int64
    }

    private struct State {
        var seen: [LimitScope: Seen] = [:]
        /// Scopes whose responses are all counted: a request to slow down came, and the rate has not recovered.
        var watched: Set<LimitScope> = []
        var known: [LimitScope: Known] = [:]
    }

    private let store: AdaptiveRateStore
    private let limits: ActiveLimits
    private let time: SharedTime
    private let logger: Logger
    private let isWatching = Atomic<Bool>(false)
    private let state = Mutex(State())

    init(_ store: AdaptiveRateStore, limits: ActiveLimits, time: SharedTime, logger: Logger) {
        self.store = store
        self.limits = limits
        self.time = time
        self.logger = logger
    }

    /// Counts the responses to a group.
    /// - Returns: the scope in which nothing more is to start for now, where the provider asked for that.
    func note(_ outcome: GroupOutcome, provider: String, domain: LimitScope?) -> LimitScope? {
        guard outcome.throttled + outcome.domainThrottled > 0 || isWatching.load(ordering: .relaxed) else { return nil }
        let scope = LimitScope.provider(provider)
        return state.withLock { state in
            count(&state, scope, answered: outcome.answered, throttled: outcome.throttled, pause: outcome.retryAfter)
            if let domain {
                count(&state, domain, answered: outcome.answered, throttled: outcome.domainThrottled, pause: nil)
            }
            guard let asked = outcome.retryAfter, asked > 0 else { return nil }
            guard let known = state.known[scope] else { return scope }
            return asked > known.pause + 0.5 ? scope : nil
        }
    }

    private func count(_ state: inout State, _ scope: LimitScope, answered: Int, throttled: Int, pause: Double?) {
        if throttled > 0, state.watched.insert(scope).inserted { isWatching.store(true, ordering: .relaxed) }
        guard state.watched.contains(scope) else { return }
        state.seen[scope, default: Seen()].answered += answered
        state.seen[scope, default: Seen()].throttled += throttled
        if let pause, pause > 0 { state.seen[scope, default: Seen()].pause = max(pause, state.seen[scope]?.pause ?? 0) }
    }

    /// Reports what was seen of a scope to the fleet, and judges it where that is this worker's turn.
    func tell(_ scope: LimitScope) async throws(RedisError) {
        guard let seen = state.withLock({ $0.seen.removeValue(forKey: scope) }) else { return }
        // Messages with a response were started, give or take those in flight.
        let standing: AdaptiveRateStore.Standing
        let judged: AdaptiveRateStore.Case?
        do throws(RedisError) {
            (standing, judged) = try await store.observe(
                scope, answered: seen.answered, throttled: seen.throttled, started: seen.answered, pause: seen.pause)
        } catch {
            // A pause is reported as soon as Redis can be reached again.
            state.withLock { count(&$0, scope, answered: seen.answered, throttled: seen.throttled, pause: seen.pause) }
            throw error
        }
        take(standing, of: scope)
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
    func exchange(_ scopes: Set<LimitScope>) async throws(RedisError) -> [LimitScope: Hold] {
        for scope in state.withLock({ state in
            // An idle scope is judged too, so that it recovers.
            for scope in state.watched where scopes.contains(scope) { state.seen[scope, default: Seen()].answered += 0 }
            return Array(state.seen.keys)
        }) {
            try await tell(scope)
        }
        let asked = Array(scopes)
        let sent = Clock.monotonic()
        let standings = try await store.standing(of: asked)
        if let now = standings.first?.now { time.note(shared: Double(now), sent: sent, received: Clock.monotonic()) }
        for (scope, standing) in zip(asked, standings) {
            remind(standing, of: scope)
            take(standing, of: scope)
        }
        let (held, forgotten) = state.withLock { state in
            let forgotten = state.known.filter { $0.value.isHeld && !scopes.contains($0.key) }.map(\.key)
            state.known = state.known.filter { scopes.contains($0.key) }
            state.watched = state.watched.filter { scope in
                guard let known = state.known[scope] else { return false }
                return known.isHeld || state.seen[scope] != nil || !AdaptiveRate(encoded: known.standing.state).isAtRest
            }
            isWatching.store(!state.watched.isEmpty, ordering: .relaxed)
            let held = state.known.filter(\.value.isHeld).mapValues { Hold(interval: $0.standing.interval ?? 0, until: $0.pausedUntil) }
            return (held, forgotten)
        }
        for scope in forgotten { Gauge(label: "flotilla_scope_slowed", dimensions: [("scope", scope.description)]).record(0) }
        return held
    }

    /// A Redis that was lost has forgotten a pause: it is reported again.
    private func remind(_ standing: AdaptiveRateStore.Standing, of scope: LimitScope) {
        guard standing.until == 0, standing.state.isEmpty else { return }
        state.withLock { state in
            guard let known = state.known[scope] else { return }
            let left = known.pause
            if left > 0.5 { state.seen[scope, default: Seen()].pause = left }
        }
    }

    private func take(_ standing: AdaptiveRateStore.Standing, of scope: LimitScope) {
        let now = Known(standing: standing, at: Clock.monotonic())
        let before = state.withLock { state in
            defer {
                state.known[scope] = now
                // Another worker has seen something: count what we see of it too.
                if now.isHeld, state.watched.insert(scope).inserted { isWatching.store(true, ordering: .relaxed) }
            }
            return state.known[scope]
        }
        let wasPaused = (before?.standing.pause ?? 0) > 0
        let wasSlowed = before?.standing.interval != nil
        if wasSlowed != (standing.interval != nil) || wasPaused != (standing.pause > 0) {
            Gauge(label: "flotilla_scope_slowed", dimensions: [("scope", scope.description)]).record(now.isHeld ? 1 : 0)
            say(scope, standing, wasPaused: wasPaused, wasSlowed: wasSlowed)
        }
        if let interval = standing.interval {
            Gauge(label: "flotilla_scope_adaptive_rate", dimensions: [("scope", scope.description)]).record(1e6 / interval)
        }
    }

    private func say(_ scope: LimitScope, _ standing: AdaptiveRateStore.Standing, wasPaused: Bool, wasSlowed: Bool) {
        if standing.pause > 0, !wasPaused {
            logger.notice("\(scope) is paused for \(TimeSpan.text(seconds: standing.pause)): it asked for it (Retry-After)")
        }
        if standing.interval != nil, !wasSlowed {
            logger.notice("\(scope) is \(AdaptiveRate(encoded: standing.state).text)")
        } else if standing.interval == nil, wasSlowed {
            logger.notice("\(scope) is no longer slowed down")
        }
    }
}
