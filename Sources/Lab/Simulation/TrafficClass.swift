import Policy

/// A kind of send: the recipients of a mailing that the same limits hold for.
struct TrafficClass: Sendable {
    /// A limit of ours that holds for it.
    struct Scope: Sendable {
        var name: String
        var limit: ReservationCalendar.Limit

        /// Messages a second.
        var perSecond: Double { 1e6 / limit.interval }
    }

    /// By their places.
    let mailing: Int
    let provider: Int
    /// The provider's scope, which may have an adaptive rate without a limit.
    let providerScope: String
    /// The narrowest first.
    let scopes: [Scope]
    /// Its part, compared with others'.
    let weight: Double
    var backlog: Backlog
    /// Parts of messages that are still to begin.
    var remainder = 0.0
    /// Messages that began lately, a second (as `Planning/DrainRate` counts).
    var lately = 0.0
    /// How many may still begin, by the role that is not at work.
    var left: [SharedRole: Int] = [:]
    /// While each message is simulated by itself: no reservation is to be had before that moment.
    var blockedUntil = 0.0
    /// Its bottleneck now.
    var bottleneck = Bottleneck.nothing
    /// Messages in flight, while each is simulated by itself.
    var flying = 0

    /// Who may start now.
    var available: Int { left.values.reduce(backlog.available) { max(0, min($0, $1)) } }

    /// What blocks all due messages; nil if one may start, or none is due.
    var missing: SharedRole? {
        guard available == 0, backlog.available > 0 else { return nil }
        return left.filter { $0.value <= 0 }.keys.min { $0.rawValue < $1.rawValue }
    }

    /// Takes some who may start, by attempts spent.
    mutating func take(_ count: Int) -> [(spent: Int, count: Int)] {
        let taken = backlog.take(count)
        if !left.isEmpty {
            let sum = taken.reduce(0) { $0 + $1.count }
            left = left.mapValues { $0 - sum }
        }
        return taken
    }

    mutating func note(started: Int, for seconds: Double) {
        guard seconds > 0 else { return }
        lately += (Double(started) / seconds - lately) * min(1, seconds)
    }

    /// How long its narrowest limit makes it, for comparison with others.
    var effort: Double { Double(backlog.available) * (scopes.first?.limit.interval ?? 1) }
}
