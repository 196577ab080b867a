import Broker
import Model
import Policy

/// When a worker asks Redis for reservations, for how many, and what it learns from the answer.
extension ReservationPoolState {
    /// A Redis that answers sooner is near: a group is ready in time without asking earlier.
    private static let near: Int64 = 5_000_000
    /// Between two questions at least.
    private static let pause: Int64 = 60_000_000
    /// Between a question that failed and the next.
    private static let retry: Int64 = 100_000_000

    /// When more reservations are asked for, by what is known now. A part of the horizon is kept for others, who ask a little later.
    func asksAt(_ now: Int64) -> Int64 {
        max(nextAsk, (stock.last ?? now) - horizon + Self.nearSpan * 6 / 5 + 2 * lag)
    }

    /// The question that is due; nil for none.
    mutating func order(_ now: Int64, _ capacity: Capacity) -> Order? {
        guard !isAsking, now >= asksAt(now) else { return nil }
        let wanted = waiting + promised - stock.count
        guard wanted > 0 else { return nil }
        adaptQuota()
        isAsking = true
        // Who cannot use all that there is takes it spread out, no denser than its connections can start, and leaves the rest to others.
        let pace = capacity.pace > Int64(interval * 1000) ? capacity.pace : 0
        let spacing = max(quota * 2 <= most ? Self.nearSpan / Int64(quota) : 0, pace)
        let behind = spacing > 0 ? stock.last.map { max(0, $0 - now) + spacing } ?? 0 : 0
        // Nobody would be ready for what is nearer, and it is left to others.
        let after = max(behind, lag > Self.near ? lag : 0)
        return Order(
            count: min(quota, wanted), scopes: scopes, horizon: .nanoseconds(horizon), after: .nanoseconds(after),
            spacing: .nanoseconds(spacing))
    }

    private mutating func adaptQuota() {
        if isContended, dropped > max(1, used / 8) {
            quota = max(1, quota * 3 / 4, min(quota, used + used / 4 + 1))
        } else if used >= quota * 3 / 4 {
            quota = min(most, quota + max(2, quota / 4))
        }
        used = 0
        dropped = 0
    }

    /// No reservation lies further ahead: what is changed takes effect within that time. A send with a limit of its own below one that it
    /// shares looks further than those that share it, who would otherwise leave it nothing.
    private var horizon: Int64 {
        max(2 * Self.nearSpan * Int64(1 + wider), Int64(min(interval / 4, 15_000_000) * 1000)) + 4 * lag
    }

    /// Takes the answer to a question.
    /// - Parameters:
    ///   - moments: the reservations.
    ///   - next: microseconds after which the first that was not granted could be; nil where Redis did not answer.
    mutating func answered(_ order: Order, _ moments: [ReservationStock.Reservation], next: Double?, now: Int64) {
        isAsking = false
        guard let next else {
            nextAsk = now + Self.retry
            return
        }
        if scopes == order.scopes { stock.add(moments) }
        isContended = moments.count < order.count
        guard isContended else {
            refusals = 0
            // What was saved up is there at once, and more of it perhaps.
            nextAsk = now + min(Self.pause, max(0, (moments.last?.moment ?? now) - now) / 2)
            return
        }
        // All that may be handed out is: more is asked for when there is room for all that is wanted. The more often nothing is
        // left, the more others there are who want it too.
        refusals = moments.isEmpty ? refusals + 1 : 0
        // A little less each time. Together the workers still ask for all that there is, and a worker that has less gets more.
        quota -= quota / 16
        let room =
            Int64(min(next * 1000, 1e15)) + min(span, Int64(min(interval * Double(order.count) * 1000, 1e15)))
            - order.horizon.nanoseconds
        let backoff = Self.pause << Int64(min(refusals, 4))
        nextAsk = now + max(room, Int64.random(in: backoff * 3 / 4...backoff * 5 / 4))
    }
}
