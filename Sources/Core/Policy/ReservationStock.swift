import DequeModule
package import Model

/// The moments at which a worker may start messages under a limit: each is used in time, or dropped. Times are in nanoseconds of a
/// clock that only goes forward.
package struct ReservationStock: Sendable {
    /// How long after its moment a reservation may be used at low rates, in nanoseconds.
    private static let usual: Int64 = 1_000_000

    /// A moment, and until when it may be used.
    package struct Reservation: Sendable, Equatable {
        package var moment: Int64
        package var latest: Int64

        /// - Parameter latest: nil for no later than the moment, but for the tolerance.
        package init(_ moment: Int64, latest: Int64? = nil) {
            self.moment = moment
            self.latest = max(moment, latest ?? moment)
        }
    }

    private var reservations: Deque<Reservation> = []
    /// How long after its moment a reservation may be used: where starts are rare, the limit's margin allows for more.
    package private(set) var tolerance: Int64 = 0
    /// Reservations that are nearer to one another than this start together, a quarter of a millisecond late at most: a wake-up for
    /// each would cost more than the message.
    private var grain: Int64 = 1

    /// - Parameter interval: of the limit, in microseconds.
    package init(interval: Double = 0) { adapt(to: interval) }

    /// The limit's interval has changed; what is here stays.
    package mutating func adapt(to interval: Double) {
        // A thread that is woken late loses more than one reservation of a high rate, and takes a smaller part of a window with it.
        let least = interval < 1000 ? Self.usual * 3 / 2 : Self.usual
        grain = interval * 1000 < Double(Self.usual / 4) ? Self.usual / 4 : 1
        // Counted from the moment as it was given out, which `grain` may have put off.
        tolerance = max(least - grain, Int64(min(interval, 1e12) * ReservationCalendar.Limit.margin * 1000))
    }

    package var count: Int { reservations.count }
    package var last: Int64? { reservations.last?.moment }

    /// The reservation at a place, from 0 for the next.
    package func reservation(_ place: Int) -> Int64? { reservations.indices.contains(place) ? reservations[place].moment : nil }

    /// Nanoseconds from one reservation to the next; nil where there are less than two.
    package var meanGap: Double? {
        guard let first = reservations.first?.moment, let last, count > 1 else { return nil }
        return Double(last - first) / Double(count - 1)
    }

    /// Adds reservations in their order; they may lie between earlier ones.
    package mutating func add(_ new: [Reservation]) {
        guard let last, let first = new.first?.moment, first < last else { return reservations.append(contentsOf: new) }
        reservations = Deque((reservations + new).sorted { ($0.moment, $0.latest) < ($1.moment, $1.latest) })
    }

    /// Drops reservations that were not used in time.
    /// - Returns: how many.
    package mutating func dropLate(_ now: Int64) -> Int {
        var dropped = 0
        while let first = reservations.first, isLate(first, now) {
            reservations.removeFirst()
            dropped += 1
        }
        return dropped
    }

    package func isLate(_ reservation: Reservation, _ now: Int64) -> Bool {
        now > reservation.latest && now - reservation.moment > tolerance
    }

    /// Takes the next reservation, if it comes within `reach`; late ones were dropped before.
    /// - Returns: when it starts, and the reservation, which may begin a little later than it was given out.
    package mutating func take(_ now: Int64, reach: Int64) -> (start: Start, reservation: Reservation?) {
        guard var first = reservations.first, first.moment <= now + reach else { return (.none, nil) }
        reservations.removeFirst()
        if first.moment <= now { return (.now, first) }
        first = Reservation((first.moment + grain - 1) / grain * grain, latest: first.latest)
        return (.at(first.moment), first)
    }

    /// Gives up all reservations.
    package mutating func clear() { reservations.removeAll() }
}
