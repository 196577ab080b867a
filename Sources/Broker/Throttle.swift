/// Slots of a limit that the whole fleet shares.
package struct Throttle: Sendable {
    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// A limit in a scope (`mailing:ID`, `channel:sms`).
    package struct Scope: Sendable, Equatable {
        package var name: String
        /// Microseconds between two messages; not below 1.
        package var interval: Double
        /// Messages that may start at once after a rest, from 1.
        package var burst: Int

        package init(name: String, interval: Double, burst: Int) {
            self.name = name
            self.interval = interval
            self.burst = burst
        }
    }

    /// Moments at which messages may start.
    package struct Slots: Sendable, Equatable {
        let now: Double
        let scopes: [(first: Double, interval: Double, burst: Int)]

        /// Microseconds after the reservation at which message `index` may start, not below 0.
        package func delay(_ index: Int) -> Double {
            scopes.reduce(0) { latest, scope in
                max(latest, scope.first + Double(index - scope.burst + 1) * scope.interval - now)
            }
        }

        package static func == (left: Slots, right: Slots) -> Bool {
            left.now == right.now && left.scopes.elementsEqual(right.scopes) { $0 == $1 }
        }
    }

    /// Reserves slots in all scopes at once.
    package func reserve(_ count: Int, in scopes: [Scope]) async throws(RedisError) -> Slots {
        let reply = try await broker.redis.run(
            Scripts.reserve, keys: scopes.map { broker.keys.throttle($0.name) },
            arguments: [RedisWord(count)] + scopes.flatMap { [.text(String($0.interval)), RedisWord($0.burst)] })
        let times = (reply.array ?? []).compactMap { $0.text.flatMap(Double.init) }
        guard times.count == scopes.count + 1 else { throw .unexpected("reserve: \(reply)") }
        return Slots(now: times[0], scopes: zip(times.dropFirst(), scopes).map { ($0, $1.interval, $1.burst) })
    }
}
