import Broker
import Model
import Policy
import Synchronization
import Transport

/// A mailing made ready to be sent: templates compiled, provider connected, limits known.
final class PreparedMailing: Sendable {
    private struct State {
        var controls: MailingControls
        /// The reservations of its kinds of send: those to each of the domains that are a scope (by their place in the table), and all
        /// others.
        var pools: [Int?: ReservationPool] = [:]
    }

    let id: MailingID
    /// The id as text.
    let name: String
    let mailing: Mailing
    let link: ProviderLink
    /// The configuration's name for a provider that the mailing names by its URL: its limits hold too.
    let alias: String?
    let composer: MailingComposer
    let capabilities: ProviderCapabilities
    private let limits: ActiveLimits
    private let makePool: @Sendable (_ domain: LimitScope?) -> ReservationPool
    private let state: Mutex<State>
    private let proof = Atomic<Bool>(false)

    /// A provider has accepted something of the mailing.
    var isProven: Bool { proof.load(ordering: .relaxed) }

    func noteProof() { proof.store(true, ordering: .relaxed) }

    private let unclear = Mutex(UnclearRefusals())

    /// Judges refusals that may be everybody's, in the order of the responses.
    func judgeUnclear<T>(_ body: (inout UnclearRefusals) -> T) -> T { unclear.withLock { body(&$0) } }

    /// What this worker sees of the responses, for as long as there are refusals among the last ones.
    private let circuit = Mutex<RefusalCircuit?>(nil)

    /// Notes a group's results.
    /// - Returns: why no further message may start here; the collector, which sees the results of all workers, may find that later.
    func note(_ results: [RecipientResult], _ thresholds: RefusalThresholds) -> RefusalCircuit.Finding? {
        let hasRefusals = results.contains(where: RefusalCircuit.isRefusal)
        return circuit.withLock { circuit in
            guard hasRefusals || circuit != nil else { return nil }
            var known = circuit ?? RefusalCircuit(thresholds)
            let finding = known.note(results)
            circuit = known.isQuiet ? nil : known
            return finding
        }
    }

    var provider: String { link.provider.name }

    /// The fleet's settings that a mailing is sent with.
    struct Setting {
        var link: ProviderLink
        var capabilities: ProviderCapabilities
        /// The configuration's name for a provider that the mailing names by its URL.
        var alias: String?
        var messages: MailingComposer.Setting
        var limits: ActiveLimits
        var makePool: @Sendable (_ domain: LimitScope?) -> ReservationPool
    }

    /// - Parameter speed: the limit as text; empty for none.
    init(id: MailingID, mailing: Mailing, speed: String, _ setting: Setting) throws {
        self.id = id
        name = "\(id)"
        self.mailing = mailing
        link = setting.link
        alias = setting.alias
        capabilities = setting.capabilities
        limits = setting.limits
        makePool = setting.makePool
        composer = try MailingComposer(id: id, mailing: mailing, provider: setting.link.provider, setting.messages)
        state = Mutex(State(controls: MailingControls(speed: try Self.limit(speed))))
    }

    /// Whether messages of the mailing may start, by the last published state.
    var isSending: Bool { state.withLock { $0.controls.isSending } }

    /// The mailing's own limit, in messages a second; nil for none.
    var perSecond: Double? { state.withLock { $0.controls.speed?.perSecond } }

    /// Messages of its lane that are enough for a worker: what the provider's connections use in half a second, and no more than the limits
    /// of provider and channel let start in that time.
    /// - Parameter distance: how long Redis takes to answer.
    func prefetchTarget(distance: Duration) -> PrefetchTarget {
        let limit = (own + [.channel(mailing.channel)]).compactMap { limits.perSecond($0) }.min() ?? .infinity
        let (connections, limited) = (Double(link.prefetch(distance: distance)), limit * Self.ahead(distance).seconds)
        return PrefetchTarget(messages: max(1, Int(min(connections, limited))), isLimited: limited < connections)
    }

    /// The time for which messages are fetched ahead: where Redis is far, also that for which reservations are made ahead.
    private static func ahead(_ distance: Duration) -> Duration { Timing.prefetch + distance * ReservationPoolState.roundTripsAhead }

    /// How many messages of a lane are enough for a worker.
    struct PrefetchTarget {
        /// From 1.
        var messages: Int
        /// A limit says so, and not what the connections can do.
        var isLimited: Bool
    }

    /// Messages of a kind of send that limits of that kind alone, the mailing's and the domain's, let start in half a second.
    /// - Parameter distance: how long Redis takes to answer.
    func usable(_ domain: LimitScope?, distance: Duration) -> Double {
        let speed = perSecond ?? .infinity
        let shared = domain.flatMap { limits.perSecond($0) } ?? .infinity
        return min(speed, shared) * Self.ahead(distance).seconds
    }

    /// What waits here, and for what.
    var share: Heartbeat.Share {
        var share = Heartbeat.Share()
        var waiting = 0
        state.withLock { state in
            for pool in state.pools.values {
                let one = pool.share
                waiting += one.waiting
                if (one.waiting, one.interval) >= (share.waiting, share.interval) { share = one }
            }
        }
        share.waiting = waiting
        share.isDown = link.breaker.isOpen
        if share.waiting > 0, link.limiter.isExhausted { share.exhausted = link.setting }
        if let asked = limits.pause(of: own) { (share.scope, share.pause) = asked }
        return share
    }

    /// The recipients of a batch by kind of send, each with its reservations.
    func kinds(of open: [OpenRecipient], _ recipients: Recipients) -> [(ReservationPool, [OpenRecipient])] {
        guard mailing.channel == .email, !limits.domains.scopes.isEmpty else { return [(pool(nil), open)] }
        var kinds: [Int?: [OpenRecipient]] = [:]
        recipients.bytes.withUnsafeBufferPointer { bytes in
            for item in open {
                let address = UnsafeBufferPointer(rebasing: bytes[recipients.range(item.index, 1)])
                kinds[limits.domains.entry(of: address), default: []].append(item)
            }
        }
        return kinds.map { (pool($0), $1) }
    }

    private func pool(_ domain: Int?) -> ReservationPool {
        state.withLock { state in
            if let known = state.pools[domain] { return known }
            let made = makePool(domain.map { limits.domains.scopes[$0] })
            let (scopes, intervals) = scopes(domain, state.controls.speed)
            made.update(scopes, intervals: intervals)
            state.pools[domain] = made
            return made
        }
    }

    private func scopes(_ domain: Int?, _ speed: RateLimit?) -> (scopes: [Throttle.ScopeLimit], intervals: [LimitScope: Double]) {
        let domainScope = domain.map { limits.domains.scopes[$0] }
        return limits.scopes(of: own + [.channel(mailing.channel), .mailing(name)] + (domainScope.map { [$0] } ?? []), speed: speed)
    }

    /// The scopes of its provider.
    private var own: [LimitScope] { (alias.map { [.provider($0)] } ?? []) + [.provider(provider)] }

    /// Takes over limits that have changed.
    func refreshLimits() {
        let (pools, speed) = state.withLock { ($0.pools, $0.controls.speed) }
        for (domain, pool) in pools {
            let (scopes, intervals) = scopes(domain, speed)
            pool.update(scopes, intervals: intervals)
        }
    }

    /// Gives up the reservations: the provider, or one of its domains, asks for a pause.
    func clearReservations() {
        state.withLock { for pool in $0.pools.values { pool.clear() } }
    }

    /// Takes over its published state and speed.
    /// - Returns: whether anything has changed.
    /// - Throws: `RateLimitError` for a speed that is none; the state is taken over nevertheless.
    func update(state: MailingState, speed: String, at now: ContinuousClock.Instant) throws -> Bool {
        let limit = Result { try Self.limit(speed) }
        let isChanged = self.state.withLock { own in
            let before = own.controls
            own.controls.take(state, at: now)
            if case .success(let limit) = limit { own.controls.speed = limit }
            return before != own.controls
        }
        if isChanged { refreshLimits() }
        if state != .sending { unclear.withLock { $0.startAnew() } }
        _ = try limit.get()
        return isChanged
    }

    /// Stops further messages here until a pause was published and lifted.
    func halt(at now: ContinuousClock.Instant) {
        state.withLock { $0.controls.halt(at: now) }
    }

    private static func limit(_ speed: String) throws(RateLimitError) -> RateLimit? {
        speed.isEmpty ? nil : try RateLimit(speed)
    }
}
