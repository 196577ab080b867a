/// When messages of one scope may start: a calendar of cells, one start in each.
///
/// This is the generic cell rate algorithm (ITU-T I.371, annex A) with a memory for unused starts: a send that is held back
/// by a narrower scope takes a later cell of this one, and leaves those before it to others. A cell of a scope with burst b may
/// be used from its start until b - 1 intervals later, so that in any window of w at most `w / interval + b` messages start. A
/// send in several scopes may use a cell a little later, by two cells of the widest scope and not beyond its own end, for cells of
/// different length do not begin together: that makes it less than one message more.
///
/// `Broker/Scripts/reserve.lua` is the same in Lua, for the whole fleet, by the clock of Redis alone.
package struct ReservationCalendar: Sendable, Equatable {
    /// Cells in a row that nobody uses yet.
    struct Gap: Sendable, Equatable {
        var first: Double
        var count: Double
    }

    /// A limit as the arithmetic wants it.
    package struct Limit: Sendable, Equatable {
        /// Microseconds between two starts, above 0.
        package var interval: Double
        /// From 1.
        package var burst: Int

        package init(interval: Double, burst: Int) {
            self.interval = interval
            self.burst = burst
        }

        /// The limit, held a little below its rate: see `margin`.
        package init(_ limit: RateLimit) {
            interval = Double(limit.period) / Double(limit.count) * (1 + Self.margin)
            burst = Int(limit.burst)
        }

        /// The share of a rate that is not used. A start may come a little after its moment (`ReservationStock.tolerance`); over windows
        /// that are long against that, this makes up for it.
        package static let margin = 0.005
    }

    /// The start of cell 0, in microseconds of the time that all share.
    var base: Double
    /// The first cell behind all that are in use.
    var next: Double
    var limit: Limit
    /// Cells before `next`, in order.
    var gaps: [Gap] = []

    /// A new calendar: moments that may have been reserved before it come first.
    package init(_ limit: Limit, now: Double, horizon: Double) {
        base = now + horizon
        next = 0
        self.limit = limit
    }

    /// Takes over a changed limit and drops what is past.
    mutating func advance(to now: Double, horizon: Double, limit: Limit) {
        if limit.interval != self.limit.interval {
            // Reservations further ahead are no longer used: their owners learn of the change.
            restart(at: min(base + (next - 1) * self.limit.interval + limit.interval, now + Self.notice))
        }
        self.limit = limit
        // No reservation is so far ahead: the clock went back.
        if start(next) > now + Self.farthest + limit.interval { restart(at: now + horizon) }
        let oldest = now - Double(limit.burst - 1) * limit.interval
        if start(next) < oldest { restart(at: oldest) }
        gaps = gaps.compactMap { gap in
            let usable = max(gap.first, ((oldest - base) / limit.interval).rounded(.down))
            return usable < gap.first + gap.count ? Gap(first: usable, count: gap.first + gap.count - usable) : nil
        }
    }

    /// After so long everybody knows of a changed limit, in microseconds.
    private static let notice = 1_000_000.0
    /// No horizon is longer, in microseconds.
    private static let farthest = 20_000_000.0

    private mutating func restart(at time: Double) {
        base = time
        next = 0
        gaps = []
    }

    /// Keeps the latest gaps alone, which are worth most: what is stored of a calendar stays small.
    fileprivate mutating func forget() { gaps.removeFirst(max(0, gaps.count - Self.most)) }

    /// Gaps that are kept.
    private static let most = 512

    private func start(_ cell: Double) -> Double { base + cell * limit.interval }

    /// Until when a cell may be used.
    private func last(_ cell: Double, _ slack: Double) -> Double {
        base + (cell + Double(limit.burst - 1)) * limit.interval + slack
    }

    /// The first cell from `cell` on that is not too late at `time`.
    /// - Parameter slack: microseconds that a cell may be used later than its burst allows; 0 for a scope that is alone.
    private func first(from cell: Double, at time: Double, slack: Double) -> Double {
        func isGood(_ cell: Double) -> Bool {
            let last = last(cell, slack)
            return last > time || (slack == 0 && last == time)
        }
        if isGood(cell) { return cell }
        var cell = max(cell, ((time - base) / limit.interval).rounded(.down) - Double(limit.burst))
        while !isGood(cell) { cell += 1 }
        return cell
    }

    /// When the first message from `time` on can start.
    func usable(from time: Double, slack: Double) -> Double {
        for gap in gaps {
            let cell = first(from: gap.first, at: time, slack: slack)
            if cell < gap.first + gap.count { return max(time, start(cell)) }
        }
        return max(time, start(first(from: next, at: time, slack: slack)))
    }

    /// Uses the cell that `usable` found.
    /// - Returns: until when it may be used.
    mutating func take(at time: Double, slack: Double) -> Double {
        for index in gaps.indices {
            let gap = gaps[index]
            let cell = first(from: gap.first, at: time, slack: slack)
            guard cell < gap.first + gap.count else { continue }
            let parts = [
                Gap(first: gap.first, count: cell - gap.first), Gap(first: cell + 1, count: gap.first + gap.count - cell - 1),
            ]
            gaps.replaceSubrange(index...index, with: parts.filter { $0.count > 0 })
            return last(cell, slack)
        }
        let cell = first(from: next, at: time, slack: slack)
        if cell > next { gaps.append(Gap(first: next, count: cell - next)) }
        next = cell + 1
        return last(cell, slack)
    }
}

extension ReservationCalendar {
    /// Moments that were granted.
    package struct Grant: Sendable, Equatable {
        /// Microseconds after `now`, ascending.
        package var moments: [Double]
        /// Until when each may be used, in microseconds after `now`: later than its moment where a burst is left.
        package var latest: [Double]
        /// Microseconds after `now` at which the first that was not granted could be.
        package var next: Double
    }

    /// Where the moments of a grant may lie. Times are microseconds of the shared clock.
    package struct Window: Sendable, Equatable {
        package var now: Double
        /// From now; no moment lies further ahead.
        package var horizon: Double
        /// Nothing starts before.
        package var pausedUntil: Double
        /// From now; no moment is nearer.
        package var after: Double
        /// Between two moments at least; what lies between is left to others.
        package var spacing: Double

        package init(now: Double, horizon: Double, pausedUntil: Double = 0, after: Double = 0, spacing: Double = 0) {
            self.now = now
            self.horizon = horizon
            self.pausedUntil = pausedUntil
            self.after = after
            self.spacing = spacing
        }
    }

    /// Grants moments that conform in every scope.
    /// - Parameters:
    ///   - wanted: moments at most.
    ///   - limits: of the scopes, one for each of `calendars`.
    package static func reserve(
        _ wanted: Int, in calendars: inout [ReservationCalendar], limits: [Limit], within window: Window
    ) -> Grant {
        let now = window.now
        let horizon = window.horizon
        for index in calendars.indices { calendars[index].advance(to: now, horizon: horizon, limit: limits[index]) }
        let widest = limits.map(\.interval).min() ?? 0
        let slacks = limits.map { limits.count > 1 ? min($0.interval, 2 * widest) : 0 }
        var grant = Grant(moments: [], latest: [], next: 0)
        var time = max(now + window.after, window.pausedUntil)
        while true {
            var before: Double
            repeat {
                before = time
                for (calendar, slack) in zip(calendars, slacks) { time = calendar.usable(from: time, slack: slack) }
            } while time != before
            grant.next = time - now
            if grant.moments.count >= wanted || time >= now + horizon { break }
            grant.moments.append(time - now)
            var latest = Double.infinity
            for index in calendars.indices { latest = min(latest, calendars[index].take(at: time, slack: slacks[index])) }
            grant.latest.append(latest - now)
            time += window.spacing
        }
        for index in calendars.indices { calendars[index].forget() }
        return grant
    }
}
