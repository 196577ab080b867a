package import Model
package import Policy
import Synchronization

/// The time that the fleet shares, as this process knows it.
package final class SharedTime: Sendable {
    /// The clocks of this machine.
    package let clocks: Clocks
    private let time = Mutex(AgreedTime())

    package init(_ clocks: Clocks = .system) { self.clocks = clocks }

    /// Milliseconds since 1970 that two of three clocks agree on (`AgreedTime`): this machine's may be wrong, and so may Redis's.
    package var milliseconds: Int64 {
        time.withLock { $0.likely(machine: clocks.milliseconds, at: clocks.monotonic) }
    }

    /// The earliest time that one of the clocks shows: for what is not taken back.
    package var earliest: Int64 {
        time.withLock { $0.earliest(machine: clocks.milliseconds, at: clocks.monotonic) }
    }

    /// Notes a reading of Redis's clock.
    /// - Parameter shared: microseconds since 1970.
    package func note(shared: Double, sent: Int64, received: Int64) {
        time.withLock { $0.note(shared: shared, sent: sent, received: received) }
    }

    /// Reads Redis's clock.
    package func read(from broker: Broker) async throws(RedisError) {
        let sent = clocks.monotonic
        note(shared: Double(try await broker.time()), sent: sent, received: clocks.monotonic)
    }

    /// Reads Redis's clock a few times before reservations are met by it: the first response alone may have come late, and they with it.
    package func learn(from broker: Broker) async {
        for _ in 0..<4 {
            do throws(RedisError) { try await read(from: broker) } catch { return }
        }
    }

    /// The moments of reservations in nanoseconds of CLOCK_MONOTONIC.
    package func local(_ reservations: Throttle.Reservations, sent: Int64, received: Int64) -> [ReservationStock.Reservation] {
        time.withLock { time in
            time.note(shared: reservations.now, sent: sent, received: received)
            return zip(reservations.moments, reservations.slack).compactMap { moment, slack in
                time.local(reservations.now + Double(moment), now: received).map {
                    ReservationStock.Reservation($0, latest: $0 + Int64(slack) * 1000)
                }
            }
        }
    }
}
