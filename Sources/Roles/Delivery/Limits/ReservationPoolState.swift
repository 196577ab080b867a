import Broker
import Model
import Policy

/// A worker's reservations for one kind of send: when it asks for more, which group may start, and at which moment a message starts. It
/// guarantees that no reservation is used twice. Times are in nanoseconds of a monotonic clock.
struct ReservationPoolState {
    /// What is reserved in one go.
    struct Order {
        var count: Int
        var scopes: [Throttle.ScopeLimit]
        var horizon: Duration
        var after: Duration
        var spacing: Duration
    }

    /// The next step of a waiting group.
    enum Admission {
        /// It begins, with so many messages.
        case group(count: Int)
        case ask(Order)
        /// It checks again after so many nanoseconds.
        case wait(Int64)
    }

    private(set) var scopes: [Throttle.ScopeLimit] = []
    var stock = ReservationStock()
    /// Microseconds between two starts in scopes that are slowed down.
    private(set) var intervals: [LimitScope: Double] = [:]
    /// The scope with the longest interval, by its limit or its adaptive rate, and that in microseconds; nil and 0 without a limit.
    private(set) var narrowest: LimitScope?
    private(set) var interval = 0.0
    private(set) var burst = 1
    /// Moments that messages have and wait for, how many of each, and until when they may be used.
    private(set) var claimed: [Int64: (count: Int, latest: Int64)] = [:]
    /// Scopes that are wider than the narrowest: they are shared with sends that take what is near.
    private(set) var wider = 0
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
    /// The last request got less than it asked for: other workers want what is dropped here.
    var isContended = false
    var isAsking = false
    var nextAsk: Int64 = 0
    /// Requests in a row without a reservation.
    var refusals = 0
    /// The round trip to Redis: a reservation can be used only so much later than it was asked for.
    var lag: Int64 = 0
    /// Reservations that were given up since the meters were last told.
    var givenUp = ThrottleMeters.GivenUp()

    /// For how long reservations are reserved in one go, where Redis is near.
    static let nearSpan: Int64 = 100_000_000
    /// How many round trips to Redis a reservation lies further ahead than where Redis is near: one passes until the reply is here and one
    /// until its group may start, and meanwhile others are used that were made as long before.
    static let roundTripsAhead: Int64 = 6
    /// A bound for one request: Redis serves nobody else meanwhile, and needs a microsecond or two for each reservation.
    private static let limit = 4_000
    private static let firstQuota = 512
    /// How long a connection is kept for the next message of its group.
    private static let hold: Int64 = 100_000_000
    /// How long messages may wait here for a domain's reservations, in microseconds: at first as long as the batches that are dispatched
    /// ahead are in flight, since one that is sent back comes again only after its batch has ended.
    private static let shortWait = 5e6
    private static let longWait = 20e6

    /// Takes over changed limits, and gives up reservations under the old ones.
    /// - Parameter intervals: microseconds between two starts in those of the scopes that are slowed down.
    /// - Returns: the scopes before; nil where nothing changed.
    mutating func take(_ scopes: [Throttle.ScopeLimit], intervals: [LimitScope: Double]) -> [Throttle.ScopeLimit]? {
        guard scopes != self.scopes || intervals != self.intervals else { return nil }
        let before = self.scopes
        self.scopes = scopes
        self.intervals = intervals
        func interval(_ scope: Throttle.ScopeLimit) -> Double { max(scope.interval, intervals[scope.scope] ?? 0) }
        let widest = scopes.max { interval($0) < interval($1) }
        narrowest = widest?.scope
        self.interval = widest.map(interval) ?? 0
        wider = scopes.count { interval($0) < 0.95 * self.interval }
        guard scopes != before else {
            stock.adapt(to: self.interval)
            return before
        }
        stock = ReservationStock(interval: self.interval)
        claimed.removeAll()
        burst = widest?.burst ?? 1
        quota = min(most, Self.firstQuota)
        used = 0
        dropped = 0
        nextAsk = 0
        refusals = 0
        return before
    }

    /// Gives up the reservations: nothing more may start for now.
    mutating func clear() {
        stock.clear()
        claimed.removeAll()
    }

    /// How many messages more may wait here for their reservations, where the scope of their domain is the narrowest.
    /// - Parameter hadTurn: they were sent back before, and their turn has come.
    func room(in domain: LimitScope?, hadTurn: Bool) -> Int {
        guard let domain, narrowest == domain, interval > 0 else { return .max }
        // However rare the reservations are, one message waits for the next.
        return max(waiting > 0 ? 0 : 1, Int((hadTurn ? Self.longWait : Self.shortWait) / interval) - waiting)
    }

    /// Reservations that are asked for in one go at most: what the rate has within `span`, or a whole burst.
    var most: Int {
        guard interval > 0 else { return Self.firstQuota }
        return min(Self.limit, max(burst, Int((Double(span) / 1000 / interval).rounded(.up))))
    }

    /// For how long reservations are reserved in one go: until the next can be here.
    var span: Int64 { Self.nearSpan + 2 * lag }

    /// What a group does next that waits for its first message's moment.
    /// - Parameters:
    ///   - most: messages in the group at most.
    ///   - capacity: what the connections can do.
    mutating func admit(_ most: Int, capacity: Capacity, lag: Int64, now: Int64) -> Admission {
        self.lag = lag
        dropLate(now)
        if let order = order(now, capacity) { return .ask(order) }
        guard let near = stock.reservation(entering), stock.count > promised else {
            return .wait(isAsking ? .max : asksAt(now) - now)
        }
        guard near <= now + reach else { return .wait(min(near - reach, asksAt(now)) - now) }
        // As many groups share the reservations as connections are needed to use them in time.
        let gap = max(1, stock.meanGap ?? interval * 1000)
        let (busy, connections) = (1.5 * Double(capacity.time), Double(capacity.connections))
        let share = Double(stock.count) / max(1, min(busy / gap, connections))
        // A group is so large that the connections keep up, each of which waits for Redis once a group.
        let least = connections * gap > busy ? Double(lag) / (connections * gap - busy) : Double(most)
        let count = max(1, min(most, stock.count, Int(max(share, least))))
        entering += 1
        waiting -= count
        promised += count
        return .group(count: count)
    }

    /// How long before its moment a reservation goes to a group: time to mark it as started, and to connect where starts are rare.
    private var reach: Int64 { Int64(min(max(interval * 1000 / 8, 20_000_000), 10_000_000_000)) + lag }

    private mutating func dropLate(_ now: Int64) {
        let late = stock.dropLate(now)
        dropped += late
        givenUp.unclaimed += late
    }

    /// A moment for a message that is ready.
    mutating func next(_ now: Int64) -> Start {
        guard !scopes.isEmpty else { return .now }
        dropLate(now)
        // An open connection waits for a near moment. Its group is not given back, which would cost two round trips.
        let (start, reservation) = stock.take(now, reach: max(Self.hold, reach + 2 * lag))
        switch start {
        case .none: break
        case .now: used += 1
        case .at(let moment):
            let known = claimed[moment]
            let latest = reservation?.latest ?? moment
            claimed[moment] = ((known?.count ?? 0) + 1, min(known?.latest ?? latest, latest))
        }
        return start
    }

    /// A message of an admitted group has its moment.
    mutating func starts(isFirst: Bool) {
        promised -= 1
        if isFirst { entering -= 1 }
    }

    /// Whether a message may start whose moment has come.
    mutating func use(_ moment: Int64, now: Int64) -> Bool {
        // A reservation that was given up meanwhile belonged to an old limit.
        guard let claims = claimed[moment] else { return false }
        claimed[moment] = claims.count > 1 ? (claims.count - 1, claims.latest) : nil
        let isGood = !stock.isLate(ReservationStock.Reservation(moment, latest: claims.latest), now)
        if isGood {
            used += 1
        } else {
            dropped += 1
            givenUp.late += 1
        }
        return isGood
    }

    /// A group has ended, with messages that it did not start.
    mutating func left(_ count: Int, hasEntered: Bool) {
        promised -= count
        if !hasEntered { entering -= 1 }
    }
}
