import Model

/// The workers of the fleet, each under a lease that it renews: what a worker whose lease is over had in hand is others'.
package struct WorkerRegister: Sendable {
    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// What Redis said to a renewal.
    package struct Renewal: Sendable, Equatable {
        /// The lease before was known: Redis is the one that the worker's batches came from.
        package let isKept: Bool
        /// The epoch now; nil while there is none.
        package let epoch: Epoch?
    }

    /// Renews a worker's lease.
    /// - Parameters:
    ///   - isClean: it has no batch in hand that a loss of Redis took from it, and offered all its results again.
    ///   - isKnown: it had a lease before. Where Redis does not know of it then, the worker is noted as not clean.
    package func renew(
        _ worker: String, lease: Duration, isClean: Bool, isKnown: Bool
    ) async throws(RedisError) -> Renewal {
        let reply = try await broker.redis.run(
            Scripts.renew, keys: [broker.keys.workers, broker.keys.epoch],
            arguments: [
                .text(worker), RedisWord(lease.nanoseconds / 1_000_000), .serverRun, isClean ? "clean" : "busy",
                isKnown ? "1" : "0",
            ])
        guard let values = reply.array, values.count == 2 else { throw .unexpected("renew: \(reply)") }
        let epoch = values[1].text ?? ""
        return Renewal(isKept: values[0].int == 1, epoch: epoch.isEmpty ? nil : Epoch(text: epoch))
    }

    /// Ends a lease, of a worker that has nothing in hand: nobody waits for it.
    package func leave(_ worker: String) async throws(RedisError) {
        _ = try await broker.redis.run(
            Scripts.renew, keys: [broker.keys.workers, broker.keys.epoch],
            arguments: [.text(worker), 0, .serverRun, "clean", "0"])
    }

    /// A worker as it is registered.
    package struct Registration: Sendable, Equatable {
        package let worker: String
        /// Its lease is not over.
        package let isAlive: Bool
        /// It is registered in this run of the server, and nothing of before a loss is in its hands.
        package let isClean: Bool
    }

    /// All workers, and the time of the answer in milliseconds of Redis time.
    package func all() async throws(RedisError) -> (workers: [Registration], now: UInt64) {
        let replies = try await broker.redis.pipeline([
            ["HGETALL", .text(broker.keys.workers)], ["TIME"], ["ECHO", .serverRun],
        ])
        for case .error(let text) in replies { throw .command(text) }
        let words = replies[0].array ?? []
        let clock = (replies[1].array ?? []).compactMap(\.int)
        guard clock.count == 2 else { throw .unexpected("TIME: \(replies[1])") }
        let now = clock[0] * 1000 + clock[1] / 1000
        let run = replies[2].text ?? ""
        var found: [Registration] = []
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            guard let worker = words[index].text, let value = words[index + 1].text else { continue }
            let parts = value.split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 3, let expiry = Int64(parts[0]) else { continue }
            found.append(
                Registration(worker: worker, isAlive: expiry > now, isClean: parts[1] == run && parts[2] == "clean"))
        }
        return (found, UInt64(now))
    }
}
