package import Model
import Policy

extension BatchQueue {
    /// What a worker wants of a lane.
    package struct Want: Sendable, Equatable {
        package var lane: Lane
        /// Batches, from 1.
        package var count: Int

        package init(lane: Lane, count: Int) {
            self.lane = lane
            self.count = count
        }
    }

    /// What a worker got of a lane.
    package struct Taken: Sendable {
        package let lane: Lane
        package let leases: [BatchLease]
        /// Batches that are left in it.
        package let waiting: Int
        /// It has batches of a newer wire version, which are left for newer workers.
        package let hasNewer: Bool
    }

    /// Takes batches for a worker, without waiting: as many of each lane as it wants, or what there is.
    /// - Returns: a reply for each want; none while Redis cannot be trusted.
    package func take(_ wants: [Want], worker: String) async throws(RedisError) -> [Taken] {
        guard !wants.isEmpty else { return [] }
        let reply = try await broker.redis.run(
            Scripts.take,
            keys: [broker.keys.epoch, broker.keys.workerLanes(worker), broker.keys.demand]
                + wants.flatMap { [broker.keys.lane($0.lane), broker.keys.newer($0.lane)] },
            arguments: [.text(Keys.workers), .text(worker), .serverRun, RedisArgument(WireVersion.current)]
                + wants.flatMap { [.text("\($0.lane)"), RedisArgument($0.count)] })
        guard let replies = reply.array, replies.count == wants.count || replies.isEmpty else { throw .unexpected("take: \(reply)") }
        var taken: [Taken] = []
        var unreadable: [UnreadableBatch] = []
        for (want, reply) in zip(wants, replies) {
            guard let parts = reply.array, parts.count == 3, let entries = parts[0].array else { throw .unexpected("take: \(reply)") }
            var leases: [BatchLease] = []
            for entry in entries {
                let entry = try StreamEntry(want.lane, entry)
                let lease = Self.lease(entry, want.lane, worker, deliveries: 1, isNew: true, from: nil, unreadable: &unreadable)
                if let lease { leases.append(lease) }
            }
            taken.append(Taken(lane: want.lane, leases: leases, waiting: parts[1].count, hasNewer: parts[2].int == 1))
        }
        try await reject(unreadable, worker: worker)
        return taken
    }

    /// Batches that were delivered to this worker in a reply that was lost.
    /// - Parameter known: the entries that it has, by lane.
    package func reclaim(worker: String, known: [Lane: Set<String>]) async throws(RedisError) -> [BatchLease] {
        let lanes = try await workerLanes(worker)
        guard !lanes.isEmpty else { return [] }
        let replies = try await broker.redis.run(
            Scripts.reclaim,
            calls: lanes.map { lane in
                (
                    [broker.keys.epoch, broker.keys.lane(lane)],
                    [.text(Keys.workers), .text(worker), .serverRun, RedisArgument(WireVersion.current)]
                        + (known[lane] ?? []).map { .text($0) }
                )
            })
        var found: [BatchLease] = []
        for (lane, reply) in zip(lanes, replies) {
            if case .error(let text) = reply { throw .command(text) }
            found += try await leases(reply, lane, worker)
        }
        return found
    }

    /// Takes over batches of a worker whose lease has expired, from the lanes that its registration names.
    /// - Parameters:
    ///   - dead: the worker's registration as it was a while ago; nothing is taken where it has changed since.
    ///   - count: batches at most.
    ///   - lease: the workers' lease; nil for the longest that there may be.
    package func takeOver(
        _ dead: WorkerRegistry.Registration, worker: String, count: Int, lease: Duration? = nil
    ) async throws(RedisError) -> [BatchLease] {
        var found: [BatchLease] = []
        for lane in try await workerLanes(dead.worker) where found.count < count {
            let reply = try await broker.redis.run(
                Scripts.takeover,
                keys: [
                    broker.keys.epoch, broker.keys.workers, broker.keys.lane(lane), broker.keys.workerLanes(dead.worker),
                    broker.keys.workerLanes(worker),
                ],
                arguments: [
                    .text(Keys.workers), .text(worker), .text(dead.worker), .text(dead.text), RedisArgument(count - found.count),
                    .serverRun, .text("\(lane)"), RedisArgument((lease ?? Timing.longestLease).milliseconds + WorkerRegistry.margin),
                    RedisArgument(WireVersion.current),
                ])
            found += try await leases(reply, lane, worker)
        }
        return found
    }

    /// The lanes that a worker has taken batches from.
    private func workerLanes(_ worker: String) async throws(RedisError) -> [Lane] {
        let reply = try await broker.redis.send(["SMEMBERS", .text(broker.keys.workerLanes(worker))])
        return (reply.array ?? []).compactMap { $0.text.flatMap { Lane($0) } }
    }

    /// Reads `[entry, fields, deliveries, worker before]` for each batch.
    private func leases(_ reply: RESPValue, _ lane: Lane, _ worker: String) async throws(RedisError) -> [BatchLease] {
        var found: [BatchLease] = []
        var unreadable: [UnreadableBatch] = []
        for item in reply.array ?? [] {
            guard let parts = item.array, parts.count == 4, parts[2].int != nil, let from = parts[3].text else {
                throw .unexpected("batches taken: \(item)")
            }
            let entry = try StreamEntry(lane, .array(Array(parts[..<2])))
            let lease = Self.lease(
                entry, lane, worker, deliveries: parts[2].count, isNew: false, from: from.isEmpty ? nil : from, unreadable: &unreadable)
            if let lease { found.append(lease) }
        }
        try await reject(unreadable, worker: worker)
        return found
    }

    private static func lease(
        _ entry: StreamEntry, _ lane: Lane, _ worker: String, deliveries: Int, isNew: Bool, from: String?,
        unreadable: inout [UnreadableBatch]
    ) -> BatchLease? {
        // An entry that was deleted while it was pending has no fields.
        guard !entry.fields.isEmpty else { return nil }
        do throws(WireError) {
            guard !entry.text("e").isEmpty else { throw WireError("no epoch") }
            return BatchLease(
                batch: try DispatchedBatch(entry), lane: lane, entry: entry.id, holder: .init(worker: worker, deliveries: deliveries),
                isNew: isNew, epoch: Epoch(text: entry.text("e")), from: from)
        } catch {
            // Other batches are not affected.
            unreadable.append(UnreadableBatch(lane: lane, entry: entry, deliveries: deliveries, why: "\(error)"))
            return nil
        }
    }
}

extension StreamEntry {
    fileprivate init(_ lane: Lane, _ value: RESPValue) throws(RedisError) {
        let stream = RESPValue.string(Array("\(lane)".utf8))
        guard let entry = try StreamEntry.list(.array([.array([stream, .array([value])])])).first else { throw .unexpected("an entry") }
        self = entry
    }
}
