import Model
import Policy

/// The workers of the fleet, each under a lease that it renews: others take over the batches of a worker whose lease has expired.
package struct WorkerRegistry: Sendable {
    let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// What a worker says of itself.
    package enum Condition: String, Sendable {
        /// It has no batch that a loss of Redis took from it, and offered all its results again.
        case clean
        /// It still has such a batch, or results to offer.
        case busy
        /// It cannot tell which messages of a batch were in flight that it took over, for the marks went with Redis.
        case doubt
        /// Not said by the worker: Redis lost its lease, and it has not noticed yet.
        case lost
    }

    /// What Redis said to a renewal.
    package struct Renewal: Sendable, Equatable {
        /// The lease before was known: Redis is the one that the worker's batches came from.
        package let isKept: Bool
        /// The epoch now; nil while there is none.
        package let epoch: Epoch?
        /// The dispatcher knows of the worker: it may take batches.
        package let isAdmitted: Bool

        package init(isKept: Bool, epoch: Epoch?, isAdmitted: Bool) {
            self.isKept = isKept
            self.epoch = epoch
            self.isAdmitted = isAdmitted
        }
    }

    /// Renews a worker's lease, and asks the dispatcher to admit the worker where it is not.
    /// - Parameters:
    ///   - losses: how many losses of Redis the worker has noticed.
    ///   - isKnown: it had a lease before. Where Redis does not know of it then, the renewal says so until `losses` grows.
    /// - Throws: also `RedisError.otherPartitions`.
    package func renew(
        _ worker: String, lease: Duration, condition: Condition, losses: Int, isKnown: Bool
    ) async throws(RedisError) -> Renewal {
        let reply = try await broker.redis.run(
            Scripts.renew,
            keys: [broker.keys.workers, broker.keys.epoch, broker.keys.admitted, broker.keys.demand, broker.keys.partitions],
            arguments: [
                .text(worker), RedisArgument(lease.nanoseconds / 1_000_000), .serverRun, .text(condition.rawValue),
                RedisArgument(losses), isKnown ? "1" : "0",
            ])
        guard let values = reply.array, values.count == 4 else { throw .unexpected("renew: \(reply)") }
        try broker.check(partitions: values[3].text)
        let epoch = values[1].text ?? ""
        return Renewal(
            isKept: values[0].int == 1, epoch: epoch.isEmpty ? nil : Epoch(text: epoch), isAdmitted: values[2].int == 1)
    }

    /// A worker that ends has no batch in any lane, but for such as it does not know of because a reply was lost: these are taken over.
    package func clearLanes(of worker: String) async throws(RedisError) {
        let names = try await broker.redis.send(["SMEMBERS", .text(broker.keys.workerLanes(worker))]).array ?? []
        let lanes = names.compactMap { $0.text.flatMap { Lane($0) } }
        guard !lanes.isEmpty else { return }
        _ = try await broker.redis.run(
            Scripts.leave, keys: [broker.keys.workerLanes(worker)] + lanes.map(broker.keys.lane),
            arguments: [.text(Keys.workers), .text(worker)] + lanes.map { .text("\($0)") })
    }

    /// A worker as it is registered.
    package struct Registration: Sendable, Hashable {
        package let worker: String
        /// Its lease has not expired.
        package let isAlive: Bool
        /// Nil when it is of another run of the server.
        package let condition: Condition?
        /// The registration as Redis holds it: it changes with each renewal.
        package let text: String

        /// How many losses of Redis the worker has noticed.
        package var losses: Int { text.split(separator: " ").last.flatMap { Int($0) } ?? 0 }

        package init(worker: String, isAlive: Bool, condition: Condition?, text: String = "") {
            self.worker = worker
            self.isAlive = isAlive
            self.condition = condition
            self.text = text
        }
    }

    /// Admits workers: the dispatcher knows of them.
    package func admit(_ workers: [String]) async throws(RedisError) {
        guard !workers.isEmpty else { return }
        _ = try await broker.redis.run(
            Scripts.admit, keys: [broker.keys.admitted, broker.keys.wake], arguments: workers.map { .text($0) })
    }

    /// Those of some workers, none of them alive, whose batches nobody has taken over yet.
    package func holders(of workers: [String]) async throws(RedisError) -> Set<String> {
        let replies = try await broker.redis.pipeline(workers.map { ["SMEMBERS", .text(broker.keys.workerLanes($0))] })
        for case .error(let text) in replies { throw .command(text) }
        let places = zip(workers, replies).flatMap { worker, reply in
            (reply.array ?? []).compactMap { $0.text.flatMap { Lane($0) } }.map { (worker: worker, lane: $0) }
        }
        // A lane may be named of which the worker has nothing any more.
        let pending = try await broker.redis.pipeline(
            places.map { ["XPENDING", .text(broker.keys.lane($0.lane)), .text(Keys.workers), "-", "+", "1", .text($0.worker)] })
        for case .error(let text) in pending where !text.hasPrefix("NOGROUP") { throw .command(text) }
        return Set(zip(places, pending).filter { $1.array?.isEmpty == false }.map(\.0.worker))
    }

    /// Forgets a worker whose lease expired a minute ago, once it has no batch in any lane.
    package func forget(_ worker: String) async throws(RedisError) {
        _ = try await broker.redis.run(
            Scripts.forget, keys: [broker.keys.workers, broker.keys.workerLanes(worker)],
            arguments: [.text(worker), RedisArgument(Self.memory.nanoseconds / 1_000_000)])
    }

    /// How long a worker without a batch is remembered after its lease.
    private static let memory = Duration.seconds(60)

    /// How many are registered, from 1.
    package func count() async throws(RedisError) -> Int {
        max(1, try await broker.redis.send(["HLEN", .text(broker.keys.workers)]).int.map(Int.init) ?? 1)
    }

    /// A lease may be seen so much longer than it is, in milliseconds.
    static let margin: Int64 = 1_000

    /// All workers, and the time of the reply in milliseconds of Redis time.
    /// - Parameter lease: of a worker, nil for the longest that there may be; one that lasts longer is from before Redis's clock went back,
    ///   and counts as expired.
    package func all(lease: Duration? = nil) async throws(RedisError) -> (workers: [Registration], now: UInt64) {
        let replies = try await broker.redis.pipeline([
            ["HGETALL", .text(broker.keys.workers)], ["TIME"], ["ECHO", .serverRun],
        ])
        for case .error(let text) in replies { throw .command(text) }
        let words = replies[0].array ?? []
        guard let now = replies[1].time.map({ $0 / 1000 }) else { throw .unexpected("TIME: \(replies[1])") }
        let run = replies[2].text ?? ""
        let longest = (lease ?? Timing.longestLease).milliseconds + Self.margin
        var found: [Registration] = []
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            guard let worker = words[index].text, let text = words[index + 1].text else { continue }
            let parts = text.split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 4, let expiry = Int64(parts[0]) else {
                // It counts as missing: one that lives registers anew.
                found.append(Registration(worker: worker, isAlive: false, condition: nil, text: text))
                continue
            }
            found.append(
                Registration(
                    worker: worker, isAlive: expiry > now && expiry - now <= longest,
                    condition: parts[1] == run ? Condition(rawValue: String(parts[2])) : nil, text: text))
        }
        return (found, UInt64(clamping: now))
    }
}
