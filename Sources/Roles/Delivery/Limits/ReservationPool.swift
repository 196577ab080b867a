import Broker
import Metrics
import Model
import Policy
import Synchronization

/// A worker's reservations for one kind of send; the shell of `ReservationPoolState`. They are made a little ahead, go to groups shortly
/// before they are due, and are used by whichever message is ready at their moment. Times are in nanoseconds of CLOCK_MONOTONIC.
final class ReservationPool: Sendable {
    private struct State {
        var pool = ReservationPoolState()
        /// Groups that were admitted and have not ended.
        var tickets: [ReservationTicket] = []
        /// Counts starts in each scope that is no mailing's.
        var starts: [Counter] = []
    }

    /// The longest wait of a group before it checks again. Changes wake it, among them the end of its lifetime: thousands of groups may
    /// wait for hours, and each look costs as much as a message.
    private static let longestWait: Int64 = 900_000_000_000

    /// A response that takes so many times as long as usual, and so many nanoseconds, is slow.
    private static let slow: Int64 = 4
    private static let leastSlow: Int64 = 50_000_000

    /// Batches pass one after another, so that the first is done first.
    let entrance = ConcurrencyLimiter(1)
    /// Batches whose reservations were given up pass here, a few at a time.
    let returning = ConcurrencyLimiter(8)
    /// The scope of the recipients' domain, where it is one.
    let domain: LimitScope?
    private let throttle: Throttle
    private let time: SharedTime
    private let meters: ThrottleMeters
    /// Wakes messages that wait when reservations have come, or limits have changed.
    private let changes: Broadcast
    private let waiting: WaitingChanges
    private let isLimited = Atomic<Bool>(false)
    private let state = Mutex(State())

    /// - Parameters:
    ///   - changes: wakes the messages that wait.
    ///   - waiting: counts the changes of `share`.
    init(
        domain: LimitScope?, throttle: Throttle, time: SharedTime, meters: ThrottleMeters, changes: Broadcast,
        waiting: WaitingChanges = WaitingChanges()
    ) {
        self.domain = domain
        self.throttle = throttle
        self.time = time
        self.meters = meters
        self.changes = Broadcast(notifiedBy: changes)
        self.waiting = waiting
    }

    /// Whether there is a limit now.
    var isActive: Bool { isLimited.load(ordering: .relaxed) }

    /// Takes over changed limits, and gives up reservations under the old ones.
    /// - Parameter intervals: microseconds between two starts in those of the scopes that are slowed down.
    func update(_ scopes: [Throttle.ScopeLimit], intervals: [LimitScope: Double]) {
        guard let before = state.withLock({ $0.pool.take(scopes, intervals: intervals) }) else { return }
        waiting.note()
        isLimited.store(!scopes.isEmpty, ordering: .relaxed)
        if before != scopes { showLimits(scopes, before: before) }
        changes.notify()
    }

    /// Sets the metrics of the limits of scopes, except those of mailings, of which there may be many.
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

    /// Gives up the reservations: nothing more may start for now.
    func clear() {
        defer { changes.notify() }
        state.withLock { $0.pool.clear() }
    }

    /// Those that its moments are counted by.
    var clocks: Clocks { time.clocks }

    /// How long Redis takes to answer.
    var distance: Duration { throttle.roundTrip }

    /// The waiting messages, and what they wait for.
    var share: Heartbeat.Share {
        state.withLock {
            Heartbeat.Share(waiting: $0.pool.waiting + $0.pool.promised, scope: $0.pool.narrowest, interval: $0.pool.interval / 1e6)
        }
    }

    /// How many messages more may wait here for their reservations. Without this bound a few recipients of a limited domain would keep
    /// their batch here, and with it the whole mailing.
    /// - Parameter hadTurn: they were sent back before, and their turn has come.
    func room(hadTurn: Bool) -> Int { state.withLock { $0.pool.room(in: domain, hadTurn: hadTurn) } }

    /// When messages without room here are due again: the first of them, and the time from one to the next, in seconds.
    func turns(_ count: Int) async throws(RedisError) -> (first: Double, spacing: Double) {
        let (scope, interval) = state.withLock { ($0.pool.narrowest, $0.pool.interval) }
        guard let scope else { return (0, 0) }
        return (try await throttle.turn(count, in: scope, interval: interval), interval / 1e6)
    }

    /// Messages come that want reservations, or go without any.
    func expect(_ count: Int) {
        state.withLock { $0.pool.waiting += count }
        waiting.note()
    }

    /// Waits until a group may be handed to its transport, as its first message has its moment soon.
    /// - Parameters:
    ///   - most: messages in the group at most.
    ///   - capacity: what the connections can do.
    /// - Returns: the group's share of the limit and its size; nil when `mayStart` says no.
    func admit(_ most: Int, capacity: Capacity, mayStart: () -> Bool) async -> (ticket: ReservationTicket, count: Int)? {
        let asked = clocks.monotonic
        while true {
            let version = changes.version
            guard mayStart(), !Task.isCancelled else { return nil }
            guard isActive else {
                expect(-most)
                return (ReservationTicket(self, 0), most)
            }
            lapse(capacity)
            let (admission, narrowest) = withState { state in
                let admission = state.admit(most, capacity: capacity, lag: throttle.roundTrip.nanoseconds, now: clocks.monotonic)
                return (admission, state.narrowest)
            }
            switch admission {
            case .group(let count):
                meters.waited(clocks.monotonic - asked, scope: narrowest)
                let ticket = ReservationTicket(self, count)
                state.withLock { $0.tickets.append(ticket) }
                return (ticket, count)
            case .ask(let order): await ask(order)
            case .wait(let time):
                await changes.wait(after: version, atMost: .nanoseconds(min(max(time, 1_000_000), Self.longestWait)))
            }
        }
    }

    /// Lets groups be admitted in place of those that wait for slow responses, where these hold all reservations.
    private func lapse(_ capacity: Capacity) {
        guard capacity.time > 0 else { return }
        let oldest = clocks.monotonic - max(Self.slow * capacity.time, Self.leastSlow)
        state.withLock { state in
            guard state.pool.promised >= state.pool.stock.count else { return }
            for ticket in state.tickets { state.pool.promised -= ticket.lapse(before: oldest) }
        }
    }

    private func ask(_ order: ReservationPoolState.Order) async {
        defer { changes.notify() }
        let sent = clocks.monotonic
        var reservations: Throttle.Reservations?
        do throws(RedisError) {
            reservations = try await throttle.reserve(
                order.count, in: order.scopes, horizon: order.horizon, after: order.after, spacing: order.spacing)
        } catch {
            // Whoever waits asks again, or sees that it must stop.
        }
        let received = clocks.monotonic
        meters.asked()
        let moments = reservations.map { time.local($0, sent: sent, received: received) } ?? []
        state.withLock { $0.pool.answered(order, moments, next: reservations?.next, now: received) }
    }

    /// A moment for a message that is ready.
    func next(_ ticket: ReservationTicket) -> Start {
        withState { state in
            guard !state.scopes.isEmpty else { return .now }
            let now = clocks.monotonic
            let start = state.next(now)
            if case .none = start { return start }
            var begins = now
            if case .at(let moment) = start {
                ticket.waits(moment - now)
                begins = moment
            }
            ticket.starts(at: begins) { state.starts(isFirst: $0) }
            return start
        }
    }

    func use(_ moment: Int64) -> Bool { withState { $0.use(moment, now: clocks.monotonic) } }

    /// A group has ended.
    /// - Parameter count: messages that it was admitted for and did not start: their reservations are free for others.
    func ended(_ ticket: ReservationTicket, left count: Int, hasEntered: Bool) {
        let isWhole = count == 0 && hasEntered
        state.withLock { state in
            if let place = state.tickets.firstIndex(where: { $0 === ticket }) { state.tickets.remove(at: place) }
            if !isWhole { state.pool.left(count, hasEntered: hasEntered) }
        }
        waiting.note()
        if !isWhole { changes.notify() }
    }

    /// Changes the state, and updates the meters outside of the lock.
    private func withState<Value>(_ body: (inout ReservationPoolState) -> Value) -> Value {
        let (value, givenUp) = state.withLock { state in
            let value = body(&state.pool)
            defer { state.pool.givenUp = ThrottleMeters.GivenUp() }
            return (value, state.pool.givenUp)
        }
        meters.note(givenUp)
        return value
    }
}
