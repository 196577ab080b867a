import Broker
import Logging
import Model
import Policy
import Synchronization

/// The limits of a worker's sends: those of the configuration, those that operators set at run time, and adaptive rates.
final class ActiveLimits: Sendable {
    private struct State {
        var limits: Limits
        /// Nil until they were seen.
        var overrides: [String: String]?
        /// Scopes that are slowed down or paused now.
        var slowed: [LimitScope: AdaptiveRateState.Hold] = [:]
    }

    private let configured: Limits
    /// The entries of `domains:`; they stay as they are while the process runs.
    let domains: DomainTable
    private let clocks: Clocks
    private let logger: Logger
    private let state: Mutex<State>

    init(_ limits: Limits, clocks: Clocks, logger: Logger) {
        configured = limits
        domains = DomainTable(limits.domains)
        self.clocks = clocks
        self.logger = logger
        state = Mutex(State(limits: limits))
    }

    /// It is known what operators have set.
    var isKnown: Bool { state.withLock { $0.overrides != nil } }

    /// Takes over the limits that operators set at run time.
    func take(_ overrides: [String: String]) {
        let problems = state.withLock { state -> [String] in
            guard overrides != state.overrides else { return [] }
            let (limits, problems) = configured.applying(overrides)
            state.limits = limits
            state.overrides = overrides
            return problems
        }
        for problem in problems { logger.error("\(problem)") }
    }

    /// A scope is slowed down or paused.
    var isSlowed: Bool { state.withLock { !$0.slowed.isEmpty } }

    /// Takes over which scopes are slowed down or paused now.
    func take(slowed: [LimitScope: AdaptiveRateState.Hold]) { state.withLock { $0.slowed = slowed } }

    /// Messages a second that a scope lets start, by its limit or its adaptive rate; nil where neither holds it back.
    func perSecond(_ scope: LimitScope) -> Double? {
        state.withLock { state in
            let limit = state.limits.limit(scope)?.perSecond
            guard let interval = state.slowed[scope]?.interval, interval > 0 else { return limit }
            return min(limit ?? .infinity, 1e6 / interval)
        }
    }

    /// The limit of a scope that is no mailing's.
    func limit(_ scope: LimitScope) -> RateLimit? { state.withLock { $0.limits.limit(scope) } }

    /// The scopes of a kind of send that limit it now, each with its own limit, and the microseconds between two starts in those that are
    /// slowed down.
    func scopes(of send: [LimitScope], speed: RateLimit?) -> (scopes: [Throttle.ScopeLimit], intervals: [LimitScope: Double]) {
        state.withLock { state in
            let scopes = send.compactMap { scope -> Throttle.ScopeLimit? in
                var limit = state.limits.limit(scope)
                if case .mailing = scope { limit = speed }
                if let limit {
                    let exact = ReservationCalendar.Limit(limit)
                    return Throttle.ScopeLimit(scope, interval: exact.interval, burst: exact.burst)
                }
                return state.slowed[scope].map { _ in Throttle.ScopeLimit(scope, interval: 0, burst: 1) }
            }
            return (scopes, state.slowed.filter { slowed in scopes.contains { $0.scope == slowed.key } }.mapValues(\.interval))
        }
    }

    /// The scope of a kind of send for which a provider asks to wait longest, and the seconds that are left of that.
    func pause(of send: @autoclosure () -> [LimitScope]) -> (scope: LimitScope, seconds: Double)? {
        let slowed = state.withLock { $0.slowed }
        if slowed.isEmpty { return nil }
        let (now, send) = (clocks.monotonic, send())
        let longest = send.max { slowed[$0]?.until ?? 0 < slowed[$1]?.until ?? 0 }
        guard let longest, let until = slowed[longest]?.until, until > now else { return nil }
        return (longest, Double(until - now) / 1e9)
    }
}
