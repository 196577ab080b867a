import Model
import Policy

@testable import Broker
@testable import Delivery

/// A worker under a limit beside a Redis that answers after a fixed time, moved in small steps. It has twenty connections on which a
/// message takes 33 ms, and always more messages. Its rules are the worker's own; Redis, connections and time are a model.
struct FarWorker {
    private static let message: Int64 = 33_000_000
    private static let connections = 20

    private enum Phase {
        /// Asks Redis for its start until then.
        case asks(until: Int64)
        case waitsForConnection
        case waits(moment: Int64)
        case sends(until: Int64)
        case ended
    }

    private struct Group {
        var left: Int
        /// What is left of its promise.
        var promised: Int
        var hasEntered = false
        var phase: Phase
    }

    private struct Request {
        var order: ReservationPoolState.Order
        var arrives: Int64
        /// Redis's reply; nil before it has arrived there.
        var moments: [ReservationStock.Reservation]?
        var next = 0.0
    }

    private let limit: ReservationCalendar.Limit
    private let roundTrip: Int64
    private let lag: Int64
    private let size: Int
    private let places: Int
    private var pool = ReservationPoolState()
    private var groups: [Group] = []
    private var used = 0
    /// A group that was admitted and waits for a place.
    private var admitted: Int?
    private var request: Request?
    /// The moments at which messages started, in nanoseconds.
    private(set) var starts: [Int64] = []

    init(_ limit: ReservationCalendar.Limit, roundTrip: Duration) {
        self.limit = limit
        self.roundTrip = roundTrip.nanoseconds
        lag = self.roundTrip * 11 / 10
        _ = pool.take([Throttle.ScopeLimit(.provider("p"), interval: limit.interval, burst: limit.burst)], intervals: [:])
        let sizer = GroupSizer(least: 1, most: 50)
        sizer.note(sizer.now, took: .nanoseconds(Self.message * Int64(sizer.now)))
        size = sizer.size(distance: .nanoseconds(lag))
        places = ProviderLink.places(connections: Self.connections, distance: .nanoseconds(lag), groupTime: sizer.aim)
    }

    /// - Parameter calendars: Redis's, which all workers share.
    mutating func step(_ now: Int64, _ calendars: inout [ReservationCalendar]) {
        receive(now, &calendars)
        admit(now)
        for place in groups.indices { advance(place, now) }
        groups.removeAll { if case .ended = $0.phase { true } else { false } }
    }

    private mutating func receive(_ now: Int64, _ calendars: inout [ReservationCalendar]) {
        guard var asked = request, now >= asked.arrives else { return }
        guard let moments = asked.moments else {
            let order = asked.order
            let grant = ReservationCalendar.reserve(
                order.count, in: &calendars, limits: [limit],
                within: ReservationCalendar.Window(
                    now: Double(now) / 1000, horizon: Double(order.horizon.nanoseconds) / 1000,
                    after: Double(order.after.nanoseconds) / 1000, spacing: Double(order.spacing.nanoseconds) / 1000))
            asked.moments = grant.moments.map { ReservationStock.Reservation(now + Int64(($0 * 1000).rounded(.up))) }
            asked.next = grant.next
            request = asked
            return
        }
        guard now >= asked.arrives + roundTrip / 2 else { return }
        pool.answered(asked.order, moments, next: asked.next, now: now)
        request = nil
    }

    private mutating func admit(_ now: Int64) {
        if pool.waiting < 2_000 { pool.waiting += 500 }
        while request == nil {
            if let count = admitted {
                guard groups.count < places else { return }
                groups.append(Group(left: count, promised: count, phase: .asks(until: now + roundTrip)))
                admitted = nil
            }
            let capacity = Capacity(time: Self.message, connections: Self.connections)
            switch pool.admit(size, capacity: capacity, lag: lag, now: now) {
            case .group(let count): admitted = count
            case .ask(let order): request = Request(order: order, arrives: now + roundTrip / 2)
            case .wait: return
            }
        }
    }

    private mutating func advance(_ place: Int, _ now: Int64) {
        switch groups[place].phase {
        case .asks(let time):
            if now >= time { groups[place].phase = .waitsForConnection }
        case .waitsForConnection:
            guard used < Self.connections else { return }
            used += 1
            next(place, now)
        case .waits(let moment):
            guard now >= moment else { return }
            if pool.use(moment, now: now) { start(place, moment, now) } else { next(place, now) }
        case .sends(let time):
            guard now >= time else { return }
            if groups[place].left > 0 { next(place, now) } else { end(place) }
        case .ended: break
        }
    }

    private mutating func start(_ place: Int, _ moment: Int64, _ now: Int64) {
        starts.append(moment)
        groups[place].left -= 1
        groups[place].phase = .sends(until: now + Self.message)
    }

    /// The next message of a group takes a reservation; without one its messages wait anew.
    private mutating func next(_ place: Int, _ now: Int64) {
        let start = pool.next(now)
        guard start != .none else { return end(place) }
        if groups[place].promised > 0 {
            groups[place].promised -= 1
            pool.starts(isFirst: !groups[place].hasEntered)
            groups[place].hasEntered = true
        }
        if case .at(let moment) = start { groups[place].phase = .waits(moment: moment) } else { self.start(place, now, now) }
    }

    private mutating func end(_ place: Int) {
        let group = groups[place]
        pool.waiting += group.left
        if group.promised > 0 || !group.hasEntered { pool.left(group.promised, hasEntered: group.hasEntered) }
        used -= 1
        groups[place].phase = .ended
    }
}
