package import Model
import Policy

/// Reservations of limits that the whole fleet shares.
package struct Throttle: Sendable {
    private let broker: Broker
    private let scripts: (reserve: RedisScript, queue: RedisScript)

    package init(_ broker: Broker) { self.init(broker, reserve: Scripts.reserve, queue: Scripts.queue) }

    /// A throttle with other scripts. Tests give it some that read a clock of theirs.
    init(_ broker: Broker, reserve: RedisScript, queue: RedisScript) {
        self.broker = broker
        scripts = (reserve, queue)
    }

    /// Microseconds since 1970, or of a wait, at most: what is later cannot be right.
    private static let farthest = 4e15

    /// The limit of a scope.
    package struct ScopeLimit: Sendable, Equatable {
        package var scope: LimitScope
        /// Microseconds between two messages; 0 where only the scope's adaptive rate limits it.
        package var interval: Double
        /// Messages that may start at once after a rest, from 1.
        package var burst: Int

        package init(_ scope: LimitScope, interval: Double, burst: Int) {
            self.scope = scope
            self.interval = interval
            self.burst = burst
        }
    }

    /// Moments at which messages may start, in microseconds of Redis's clock.
    package struct Reservations: Sendable, Equatable {
        /// When Redis was asked.
        package var now: Double
        /// Microseconds after `now`, ascending.
        package var moments: [UInt32]
        /// Microseconds after each moment until which it may be used: above 0 where a burst is left.
        package var slack: [UInt32]
        /// Microseconds after `now` at which the first that was not granted could be.
        package var next: Double
    }

    /// Queues messages of a scope whose reservations are far in the future, so that each is tried when its turn has come.
    /// - Parameter interval: microseconds from one to the next.
    /// - Returns: seconds until the first one's turn.
    package func turn(_ count: Int, in scope: LimitScope, interval: Double) async throws(RedisError) -> Double {
        let reply = try await broker.redis.run(
            scripts.queue, keys: [broker.keys.queue(scope)],
            arguments: [RedisArgument(count), .text(String(interval))])
        guard let wait = reply.number(atMost: Self.farthest) else { throw .unexpected("turn: \(reply)") }
        return wait / 1e6
    }

    /// Reserves moments that conform in all scopes at once; `reserve.lua` and `Policy/ReservationCalendar.swift` say how.
    /// - Parameters:
    ///   - count: moments at most.
    ///   - horizon: none lies further ahead.
    ///   - after: none is nearer.
    ///   - spacing: time between two of them at least.
    package func reserve(
        _ count: Int, in scopes: [ScopeLimit], horizon: Duration, after: Duration = .zero, spacing: Duration = .zero
    ) async throws(RedisError) -> Reservations {
        let reply = try await broker.redis.run(
            scripts.reserve, keys: scopes.flatMap { [broker.keys.throttle($0.scope), broker.keys.adaptiveRate($0.scope)] },
            arguments: [
                RedisArgument(count), RedisArgument(horizon.nanoseconds / 1000), RedisArgument(after.nanoseconds / 1000),
                RedisArgument(spacing.nanoseconds / 1000),
            ] + scopes.flatMap { [.text(String($0.interval)), RedisArgument($0.burst)] })
        guard let parts = reply.array, parts.count == 3, let now = parts[0].number(atMost: Self.farthest),
            let packed = parts[1].bytes, let next = parts[2].number(atMost: Self.farthest)
        else { throw .unexpected("reserve: \(reply)") }
        func number(_ place: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(packed[place + $1]) << UInt32(8 * $1) } }
        let places = stride(from: 0, to: packed.count - 7, by: 8)
        return Reservations(now: now, moments: places.map { number($0) }, slack: places.map { number($0 + 4) }, next: next)
    }

    /// How long Redis takes to answer: few replies take longer.
    package var roundTrip: Duration { broker.redis.roundTrip.bound }
}
