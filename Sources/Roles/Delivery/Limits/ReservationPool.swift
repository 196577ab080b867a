import Broker
import Metrics
import Model
import Policy
import Synchronization

/// The reservations that a worker has of the limits of one kind of send: reserved a little ahead for the whole fleet's sake, admitted to
/// groups shortly before they are due, and used by whichever message is ready when their moment comes. Times are in nanoseconds of
/// CLOCK_MONOTONIC.
final class ReservationPool: Sendable {
    /// What is reserved in one go.
    struct Order {
        var count: Int
        var scopes: [Throttle.ScopeLimit]
        var horizon: Duration
        var after: Duration
        var spacing: Duration
    }

    private enum Admission {
        case group(ReservationTicket, count: Int, narrowest: LimitScope?)
        case ask(Order)
        case wait(Int64)
    }

    private struct State {
        var scopes: [Throttle.ScopeLimit] = []
        /// Starts in each scope that is no mailing's.
        var starts: [Counter] = []
        var stock = ReservationStock()
        /// Microseconds between two starts in scopes that are slowed down.
        var paces: [LimitScope: Double] = [:]
        /// The scope with the longest interval, by its limit or its pace, and that in microseconds; nil and 0 without a limit.
        var narrowest: LimitScope?
        var interval = 0.0
        var burst = 1
        /// Moments that messages have and wait for, how many of each, and until when they may be used.
        var claimed: [Int64: (count: Int, latest: Int64)] = [:]
        /// Scopes that are wider than the narrowest: they are shared with sends that take what is near.
        var wider = 0
        /// Messages that wait to be admitted.
        var waiting = 0
        /// Messages of admitted groups that have not started.
        var promised = 0
        /// Admitted groups of which none has.
        var entering = 0
        /// Reservations that this worker makes use of within `span`, or what others leave it of them.
        var quota = 1
        var used = 0
        var dropped = 0
        /// There was less than was asked for, the last time: others want what is dropped here.
        var isContended = false
        var isAsking = false
        var nextAsk: Int64 = 0
        /// Questions in a row that brought no reservation.
        var refusals = 0
        /// How long Redis takes to answer. What is done with an answer is done so much later than it was asked for.
        var lag: Int64 = 0
        /// Reservations that were given up since the meters were last told.
        var givenUp = ThrottleMeters.GivenUp()
    }

    /// For how long reservations are reserved in one go, where Redis is near.
    private static let span: Int64 = 100_000_000
    /// A Redis that answers sooner is near: a group is ready in time without asking earlier.
    private static let near: Int64 = 5_000_000
    /// How long a group waits at most before it looks again: changes wake it.
    private static let longestWait: Int64 = 60_000_000_000
    /// Between two questions at least.
    private static let pause: Int64 = 60_000_000

    /// Batches come through one after another, so that the first is done first.
    let entrance = ConcurrencyLimiter(1)
    /// And those whose reservations were given up, a few at a time.
    let returning = ConcurrencyLimiter(8)
    /// The scope of the recipients' domain, where it is one.
    let domain: LimitScope?
    private let throttle: Throttle
    private let clock: SharedTime
    private let meters: ThrottleMeters
    /// Wakes messages that wait when reservations have come, or limits have changed.
    private let changes: Broadcast
    private let isLimited = Atomic<Bool>(false)
    private let state = Mutex(State())

    init(domain: LimitScope?, throttle: Throttle, clock: SharedTime, meters: ThrottleMeters, changes: Broadcast) {
        self.domain = domain
        self.throttle = throttle
        self.clock = clock
        self.meters = meters
        self.changes = Broadcast(notifiedBy: changes)
    }

    /// Whether there is a limit now.
    var isActive: Bool { isLimited.load(ordering: .relaxed) }

    /// Takes over changed limits; what was reserved under others is given up.
    /// - Parameter paces: microseconds between two starts in those of the scopes that are slowed down.
    func update(_ scopes: [Throttle.ScopeLimit], paces: [LimitScope: Double]) {
        let before = state.withLock { state -> [Throttle.ScopeLimit]? in
            guard scopes != state.scopes || paces != state.paces else { return nil }
            defer { Self.take(scopes, paces, into: &state) }
            return state.scopes
        }
        guard let before else { return }
        isLimited.store(!scopes.isEmpty, ordering: .relaxed)
        if before != scopes { showLimits(scopes, before: before) }
        changes.notify()
    }

    private static func take(_ scopes: [Throttle.ScopeLimit], _ paces: [LimitScope: Double], into state: inout State) {
        let isChanged = scopes != state.scopes
        state.scopes = scopes
        state.paces = paces
        func interval(_ scope: Throttle.ScopeLimit) -> Double { max(scope.interval, paces[scope.scope] ?? 0) }
        let narrowest = scopes.max { interval($0) < interval($1) }
        state.narrowest = narrowest?.scope
        state.interval = narrowest.map(interval) ?? 0
        state.wider = scopes.count { interval($0) < 0.95 * state.interval }
        guard isChanged else { return state.stock.adapt(to: state.interval) }
        state.stock = ReservationStock(interval: state.interval)
        state.claimed.removeAll()
        state.burst = narrowest?.burst ?? 1
        state.quota = min(Self.most(state), Self.firstQuota)
        state.used = 0
        state.dropped = 0
        state.nextAsk = 0
        state.refusals = 0
    }

    /// Shows the limits of scopes; a mailing's is its own affair, and there may be many.
    private func showLimits(_ scopes: [Throttle.ScopeLimit], before: [Throttle.ScopeLimit]) {
        func isShown(_ scope: Throttle.ScopeLimit) -> Bool {
            if case .mailing = scope.scope { return false }
            return scope.interval > 0
        }
        for lifted in before where isShown(lifted) && !scopes.contains(where: { $0.scope == lifted.scope && $0.interval > 0 }) {
            Self.gauge(lifted).destroy()
        }
        let starts = scopes.filter(isShown).map { scope in
            Self.gauge(scope).record(1e6 / scope.interval)
            return Counter(label: "flotilla_scope_starts_total", dimensions: [("scope", scope.scope.description)])
        }
        state.withLock { $0.starts = starts }
    }

    private static func gauge(_ scope: Throttle.ScopeLimit) -> Gauge {
        Gauge(label: "flotilla_scope_limit", dimensions: [("scope", scope.scope.description)])
    }

    /// Messages of this kind were started.
    func started(_ count: Int) {
        guard isActive, count > 0 else { return }
        for starts in state.withLock({ $0.starts }) { starts.increment(by: count) }
    }

    /// Gives up what was reserved: nothing more is to start for now.
    func clear() {
        defer { changes.notify() }
        state.withLock { state in
            state.stock.clear()
            state.claimed.removeAll()
        }
    }

    /// Reservations that are asked for in one go at most: what the rate has within `span`, or a whole burst.
    private static func most(_ state: State) -> Int {
        guard state.interval > 0 else { return firstQuota }
        return min(limit, max(state.burst, Int((Double(span(state)) / 1000 / state.interval).rounded(.up))))
    }

    /// For how long reservations are reserved in one go: until the next can be here.
    private static func span(_ state: State) -> Int64 { span + 2 * state.lag }

    /// Nobody else is served by Redis while it makes out reservations, a microsecond or two for each.
    private static let limit = 4_000
    private static let firstQuota = 512

    /// How long Redis takes to answer.
    var distance: Duration { throttle.roundTrip }

    /// How much waits here, and for what.
    var share: Heartbeat.Share {
        state.withLock { Heartbeat.Share(waiting: $0.waiting + $0.promised, scope: $0.narrowest, interval: $0.interval / 1e6) }
    }

    // MARK: - Admission

    /// How many messages more may wait here for their reservations. Where it is the recipients' domain that holds them back, a batch would
    /// otherwise be kept by a few of its recipients, and with it the whole mailing.
    /// - Parameter hadTurn: they come back because it is their turn.
    func room(hadTurn: Bool) -> Int {
        state.withLock { state in
            guard let domain, state.narrowest == domain, state.interval > 0 else { return .max }
            // However rare its reservations are, one waits for the next.
            return max(state.waiting > 0 ? 0 : 1, Int((hadTurn ? Self.longWait : Self.shortWait) / state.interval) - state.waiting)
        }
    }

    /// In microseconds.
    private static let shortWait = 2e6
    private static let longWait = 20e6

    /// When messages for which there is no room are to be tried again: the first of them, and the time from one to the next, in seconds.
    func turns(_ count: Int) async throws(RedisError) -> (first: Double, spacing: Double) {
        let (scope, interval) = state.withLock { ($0.narrowest, $0.interval) }
        guard let scope else { return (0, 0) }
        return (try await throttle.turn(count, in: scope, interval: interval), interval / 1e6)
    }

    /// Messages come that want reservations, or go without any.
    func expect(_ count: Int) { state.withLock { $0.waiting += count } }

    /// Waits until a group may be handed to its transport, as its first message has its moment soon.
    /// - Parameters:
    ///   - most: messages in the group at most.
    ///   - capacity: what the connections can do.
    /// - Returns: the group's share of the limit and its size; nil when `mayBegin` says no.
    func admit(_ most: Int, capacity: Capacity, mayBegin: () -> Bool) async -> (ticket: ReservationTicket, count: Int)? {
        let asked = Clock.monotonic()
        while true {
            let version = changes.version
            guard mayBegin(), !Task.isCancelled else { return nil }
            guard isActive else {
                expect(-most)
                return (ReservationTicket(self, 0), most)
            }
            switch withState({ decide(&$0, most, capacity) }) {
            case .group(let ticket, let count, let narrowest):
                meters.waited(Clock.monotonic() - asked, scope: narrowest)
                return (ticket, count)
            case .ask(let order): await ask(order)
            case .wait(let time):
                await changes.wait(after: version, until: .now + .nanoseconds(min(max(time, 1_000_000), Self.longestWait)))
            }
        }
    }

    private func decide(_ state: inout State, _ most: Int, _ capacity: Capacity) -> Admission {
        let now = Clock.monotonic()
        state.lag = throttle.roundTrip.nanoseconds
        drop(&state, now)
        if let order = order(&state, now, capacity) { return .ask(order) }
        let reach = Self.reach(state)
        guard let near = state.stock.reservation(state.entering), state.stock.count > state.promised else {
            return .wait(state.isAsking ? .max : asksAt(state, now) - now)
        }
        guard near <= now + reach else { return .wait(min(near - reach, asksAt(state, now)) - now) }
        // As many groups share the reservations as connections are needed to use them in time.
        let gap = max(1, state.stock.meanGap ?? state.interval * 1000)
        let (busy, connections) = (1.5 * Double(capacity.time), Double(capacity.connections))
        let share = Double(state.stock.count) / max(1, min(busy / gap, connections))
        // And as large that the connections keep up, each of which waits for Redis once a group.
        let least = connections * gap > busy ? Double(state.lag) / (connections * gap - busy) : Double(most)
        let count = max(1, min(most, state.stock.count, Int(max(share, least))))
        state.entering += 1
        state.waiting -= count
        state.promised += count
        return .group(ReservationTicket(self, count), count: count, narrowest: state.narrowest)
    }

    /// How long before its moment a reservation goes to a group: time to mark it as begun, and to connect where starts are rare.
    private static func reach(_ state: State) -> Int64 {
        Int64(min(max(state.interval * 1000 / 8, 20_000_000), 10_000_000_000)) + state.lag
    }

    private func drop(_ state: inout State, _ now: Int64) {
        let dropped = state.stock.dropLate(now)
        state.dropped += dropped
        state.givenUp.unclaimed += dropped
    }

    // MARK: - Reservation

    /// When more reservations are asked for, as things are. A part of the horizon is kept for others, who ask a little later.
    private func asksAt(_ state: State, _ now: Int64) -> Int64 {
        max(state.nextAsk, (state.stock.last ?? now) - Self.horizon(state) + Self.span * 6 / 5 + 2 * state.lag)
    }

    private func order(_ state: inout State, _ now: Int64, _ capacity: Capacity) -> Order? {
        guard !state.isAsking, now >= asksAt(state, now) else { return nil }
        let wanted = state.waiting + state.promised - state.stock.count
        guard wanted > 0 else { return nil }
        let most = Self.most(state)
        if state.isContended, state.dropped > max(1, state.used / 8) {
            state.quota = max(1, state.quota * 3 / 4, min(state.quota, state.used + state.used / 4 + 1))
        } else if state.used >= state.quota * 3 / 4 {
            state.quota = min(most, state.quota + max(2, state.quota / 4))
        }
        state.used = 0
        state.dropped = 0
        state.isAsking = true
        // Who cannot use all that there is takes it spread out, no denser than its connections can start, and leaves the rest to others.
        let pace = capacity.pace > Int64(state.interval * 1000) ? capacity.pace : 0
        let spacing = max(state.quota * 2 <= most ? Self.span / Int64(state.quota) : 0, pace)
        let behind = spacing > 0 ? state.stock.last.map { max(0, $0 - now) + spacing } ?? 0 : 0
        // Nobody would be ready for what is nearer, and it is left to others.
        let after = max(behind, state.lag > Self.near ? state.lag : 0)
        return Order(
            count: min(state.quota, wanted), scopes: state.scopes, horizon: .nanoseconds(Self.horizon(state)), after: .nanoseconds(after),
            spacing: .nanoseconds(spacing))
    }

    /// No reservation lies further ahead: what is changed takes effect within that time. A send with a limit of its own below one that it
    /// shares looks further than those that share it, who would otherwise leave it nothing.
    private static func horizon(_ state: State) -> Int64 {
        max(2 * span * Int64(1 + state.wider), Int64(min(state.interval / 4, 15_000_000) * 1000)) + 4 * state.lag
    }

    private func ask(_ order: Order) async {
        defer { changes.notify() }
        let sent = Clock.monotonic()
        var reservations: Throttle.Reservations?
        do throws(RedisError) {
            reservations = try await throttle.reserve(
                order.count, in: order.scopes, horizon: order.horizon, after: order.after, spacing: order.spacing)
        } catch {
            // Whoever waits asks again, or sees that it must stop.
        }
        let received = Clock.monotonic()
        meters.asked()
        let moments = reservations.map { clock.local($0, sent: sent, received: received) } ?? []
        state.withLock { state in
            state.isAsking = false
            guard let reservations else {
                state.nextAsk = received + 100_000_000
                return
            }
            if state.scopes == order.scopes { state.stock.add(moments) }
            state.isContended = moments.count < order.count
            guard state.isContended else {
                state.refusals = 0
                // What was saved up is there at once, and more of it perhaps.
                state.nextAsk = received + min(Self.pause, max(0, (moments.last?.moment ?? received) - received) / 2)
                return
            }
            // All that may be handed out is: more is asked for when there is room for all that is wanted. The more often nothing is
            // left, the more others there are who want it too.
            state.refusals = moments.isEmpty ? state.refusals + 1 : 0
            // A little less each time: together they still ask for all that there is, and whoever has less comes up.
            state.quota -= state.quota / 16
            let room =
                Int64(min(reservations.next * 1000, 1e15))
                + min(Self.span(state), Int64(min(state.interval * Double(order.count) * 1000, 1e15)))
                - order.horizon.nanoseconds
            let backoff = Self.pause << Int64(min(state.refusals, 4))
            state.nextAsk = received + max(room, Int64.random(in: backoff * 3 / 4...backoff * 5 / 4))
        }
    }

    // MARK: - Starting

    /// How long a connection is kept for the next message of its group.
    private static let hold: Int64 = 100_000_000

    /// A moment for a message that is ready.
    func next(_ ticket: ReservationTicket) -> Start {
        withState { state in
            guard !state.scopes.isEmpty else { return .now }
            let now = Clock.monotonic()
            drop(&state, now)
            // A connection that is there waits rather than to be handed out anew.
            let (start, reservation) = state.stock.take(now, reach: max(Self.hold, Self.reach(state)))
            switch start {
            case .none: return .none
            case .now: state.used += 1
            case .at(let moment):
                let known = state.claimed[moment]
                let latest = reservation?.latest ?? moment
                state.claimed[moment] = ((known?.count ?? 0) + 1, min(known?.latest ?? latest, latest))
                ticket.waits(moment - now)
            }
            ticket.starts { isFirst in
                state.promised -= 1
                if isFirst { state.entering -= 1 }
            }
            return start
        }
    }

    func use(_ moment: Int64) -> Bool {
        withState { state in
            // One that was given up meanwhile was of a limit that does not hold any more.
            guard let claims = state.claimed[moment] else { return false }
            state.claimed[moment] = claims.count > 1 ? (claims.count - 1, claims.latest) : nil
            let isGood = !state.stock.isLate(ReservationStock.Reservation(moment, latest: claims.latest), Clock.monotonic())
            if isGood {
                state.used += 1
            } else {
                state.dropped += 1
                state.givenUp.late += 1
            }
            return isGood
        }
    }

    /// A group has ended, with messages that it did not start.
    func left(_ count: Int, hasEntered: Bool) {
        // What it was promised is others' to take.
        defer { changes.notify() }
        state.withLock { state in
            state.promised -= count
            if !hasEntered { state.entering -= 1 }
        }
    }

    /// Changes the state, and tells the meters outside of the lock what was given up.
    private func withState<Value>(_ body: (inout State) -> Value) -> Value {
        let (value, givenUp) = state.withLock { state in
            let value = body(&state)
            defer { state.givenUp = ThrottleMeters.GivenUp() }
            return (value, state.givenUp)
        }
        meters.note(givenUp)
        return value
    }
}
