import Broker
import Model
import Policy

/// When a worker asks Redis for reservations, for how many, and how it adapts to the reply.
extension ReservationPoolState {
    /// A Redis that answers sooner is near: a group is ready in time without asking earlier.
    private static let near: Int64 = 5_000_000
    /// The least time between two requests.
    private static let pause: Int64 = 60_000_000
    /// The time from a failed request to the next.
    private static let retry: Int64 = 100_000_000

    /// When more reservations are asked for. A part of the horizon is left for other workers, which ask a little later.
    func asksAt(_ now: Int64) -> Int64 {
        max(nextAsk, (stock.last ?? now) - horizon + Self.nearSpan * 6 / 5 + Self.roundTripsAhead / 2 * lag)
    }

    /// The request that is due; nil for none.
    mutating func order(_ now: Int64, _ capacity: Capacity) -> Order? {
        guard !isAsking, now >= asksAt(now) else { return nil }
        let wanted = waiting + promised - stock.count
        guard wanted > 0 else { return nil }
        adaptQuota()
        isAsking = true
        // A worker that cannot use all reservations takes them spaced out, no denser than its connections can start.
        let ownSpacing = capacity.spacing > Int64(interval * 1000) ? capacity.spacing : 0
        let spacing = max(quota * 2 <= most ? Self.nearSpan / Int64(quota) : 0, ownSpacing)
        let behind = spacing > 0 ? stock.last.map { max(0, $0 - now) + spacing } ?? 0 : 0
        // No message would be ready for a nearer moment, as a group asks for its start when the reply is here: leave it to other workers.
        let after = max(behind, lag > Self.near ? 2 * lag : 0)
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

    /// No reservation lies further ahead, so that changes take effect within that time. A send whose own limit is below a shared one
    /// reaches further ahead than the others that share it: they would leave it nothing.
    private var horizon: Int64 {
        max(2 * Self.nearSpan * Int64(1 + wider), Int64(min(interval / 4, 15_000_000) * 1000)) + Self.roundTripsAhead * lag
    }

    /// Takes the reply to a request.
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
            // A burst was granted: there may be more of it.
            nextAsk = now + min(Self.pause, max(0, (moments.last?.moment ?? now) - now) / 2)
            return
        }
        // The horizon is full: wait until there is room for all that is wanted. The more often it is full, the more workers share it.
        refusals = moments.isEmpty ? refusals + 1 : 0
        // Ask for a little less each time. The workers together still ask for everything, and one that has less gets more.
        quota -= quota / 16
        let room =
            Int64(min(next * 1000, 1e15)) + min(span, Int64(min(interval * Double(order.count) * 1000, 1e15)))
            - order.horizon.nanoseconds
        let backoff = Self.pause << Int64(min(refusals, 4))
        nextAsk = now + max(room, Int64.random(in: backoff * 3 / 4...backoff * 5 / 4))
    }
}
