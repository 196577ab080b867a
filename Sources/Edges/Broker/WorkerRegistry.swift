import Model

/// The workers of the fleet, each under a lease that it renews: what a worker whose lease is over had in hand is others'.
package struct WorkerRegistry: Sendable {
    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// What Redis said to a renewal.
    package struct Renewal: Sendable, Equatable {
        /// The lease before was known: Redis is the one that the worker's batches came from.
        package let isKept: Bool
        /// The epoch now; nil while there is none.
        package let epoch: Epoch?
        /// The dispatcher knows of the worker: it may take batches.
        package let isNoted: Bool
    }

    /// What a worker says of itself.
    package enum Condition: String, Sendable {
        /// It has no batch in hand that a loss of Redis took from it, and offered all its results again.
        case clean
        case busy
        /// It cannot tell what was on the wire of a batch that it took over, for the marks went with Redis.
        case doubt
        /// Not said by the worker: Redis lost its lease, and it has not noticed yet.
        case lost
    }

    /// Renews a worker's lease.
    /// - Parameters:
    ///   - losses: how many losses of Redis the worker has noticed.
    ///   - isKnown: it had a lease before. Where Redis does not know of it then, the renewal says so until `losses` grows.
    package func renew(
        _ worker: String, lease: Duration, condition: Condition, losses: Int, isKnown: Bool
    ) async throws(RedisError) -> Renewal {
        let reply = try await broker.redis.run(
            Scripts.renew, keys: [broker.keys.workers, broker.keys.epoch, broker.keys.noted],
            arguments: [
                .text(worker), RedisArgument(lease.nanoseconds / 1_000_000), .serverRun, .text(condition.rawValue),
                RedisArgument(losses), isKnown ? "1" : "0",
            ])
        guard let values = reply.array, values.count == 3 else { throw .unexpected("renew: \(reply)") }
        let epoch = values[1].text ?? ""
        return Renewal(
            isKept: values[0].int == 1, epoch: epoch.isEmpty ? nil : Epoch(text: epoch), isNoted: values[2].int == 1)
    }

    /// A worker as it is registered.
    package struct Registration: Sendable, Equatable {
        package let worker: String
        /// Its lease is not over.
        package let isAlive: Bool
        /// Nil when it is of another run of the server.
        package let condition: Condition?
    }

    /// Tells workers that the dispatcher knows of them.
    package func note(_ workers: [String]) async throws(RedisError) {
        guard !workers.isEmpty else { return }
        _ = try await broker.redis.send(["SADD", .text(broker.keys.noted)] + workers.map { .text($0) })
    }

    /// Workers that have batches in hand, alive or not, by channel's ready streams.
    package func holders() async throws(RedisError) -> Set<String> {
        let replies = try await broker.redis.pipeline(
            Channel.allCases.map { ["XINFO", "CONSUMERS", .text(broker.keys.ready($0)), .text(Keys.workers)] })
        var holders: Set<String> = []
        for consumer in replies.compactMap(\.array).joined() {
            guard let words = consumer.array, words.count >= 4, let name = words[1].text, let pending = words[3].int else {
                continue
            }
            if pending > 0 { holders.insert(name) }
        }
        return holders
    }

    /// All workers, and the time of the response in milliseconds of Redis time.
    package func all() async throws(RedisError) -> (workers: [Registration], now: UInt64) {
        let replies = try await broker.redis.pipeline([
            ["HGETALL", .text(broker.keys.workers)], ["TIME"], ["ECHO", .serverRun],
        ])
        for case .error(let text) in replies { throw .command(text) }
        let words = replies[0].array ?? []
        guard let now = replies[1].time.map({ $0 / 1000 }) else { throw .unexpected("TIME: \(replies[1])") }
        let run = replies[2].text ?? ""
        var found: [Registration] = []
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            guard let worker = words[index].text, let value = words[index + 1].text else { continue }
            let parts = value.split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 4, let expiry = Int64(parts[0]) else { continue }
            found.append(
                Registration(
                    worker: worker, isAlive: expiry > now,
                    condition: parts[1] == run ? Condition(rawValue: String(parts[2])) : nil))
        }
        return (found, UInt64(now))
    }
}
