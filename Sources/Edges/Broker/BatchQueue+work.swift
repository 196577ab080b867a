package import Model

extension BatchQueue {
    /// Whether the next group of a batch may start.
    package enum Permission: Sendable, Equatable {
        case go
        /// The mailing does not send now: the rest goes back.
        case halted(MailingState)
        /// The batch is another worker's now: nothing more of it is sent, and only what was sent is reported.
        case lost
        /// Somebody was suppressed whom the worker does not know of: it reads `RecentSuppressions`, and asks again.
        case suppressed
    }

    /// Asks whether a group of a batch may start, and if so marks its recipients as started.
    /// - Parameter position: up to where the worker has read `RecentSuppressions`; nil starts the group all the same.
    package func start(_ lease: BatchLease, _ recipients: [OpenRecipient], position: String? = "") async throws(RedisError) -> Permission {
        let id = lease.batch.id
        let reply = try await broker.redis.run(
            Scripts.start,
            keys: [
                broker.keys.epoch, broker.keys.lane(lease.lane), broker.keys.dispatched(id.mailing),
                broker.keys.mailing(id.mailing), broker.keys.marks(id, lease.batch.dispatchNumber), broker.keys.workers,
                broker.keys.suppressed,
            ],
            arguments: token(lease)
                + [
                    RedisArgument(id.number), RedisArgument(lease.batch.dispatchNumber), RedisArgument(lease.batch.count),
                    .text(position ?? "*"),
                ]
                + IndexRange.words(recipients.lazy.map(\.index)))
        guard let text = reply.text else { throw .unexpected("start: \(reply)") }
        if text == "suppressed" { return .suppressed }
        guard text != "lost", let state = MailingState(rawValue: text) else { return .lost }
        return state == .sending ? .go : .halted(state)
    }

    /// Asks how many recipients may fail though nobody of their mailing was accepted yet; the whole fleet shares `most` of them, which are
    /// counted from the mailing's start, or since it was resumed.
    /// - Parameter count: how many are to fail, from 1.
    package func mayFail(_ count: Int, of mailing: MailingID, most: Int) async throws(RedisError) -> Int {
        let reply = try await broker.redis.run(
            Scripts.fail, keys: [broker.keys.mailing(mailing)], arguments: [RedisArgument(count), RedisArgument(most)])
        guard let granted = reply.int, (0...Int64(count)).contains(granted) else { throw .unexpected("fail: \(reply)") }
        return Int(granted)
    }

    /// Takes back the marks of started recipients whose messages were not in flight, or not taken by the provider.
    /// - Parameter indexes: ascending.
    package func unmark(_ lease: BatchLease, _ indexes: [Int]) async throws(RedisError) {
        _ = try await broker.redis.run(
            Scripts.unmark,
            keys: [
                broker.keys.epoch, broker.keys.lane(lease.lane), broker.keys.marks(lease.batch.id, lease.batch.dispatchNumber),
            ],
            arguments: token(lease) + [RedisArgument(lease.batch.count)] + IndexRange.words(indexes))
    }

    /// The marks that earlier workers left on a batch that was taken over; nil when it is no longer this worker's.
    package func marks(_ lease: BatchLease) async throws(RedisError) -> Marks? {
        let reply = try await broker.redis.run(
            Scripts.marks,
            keys: [
                broker.keys.epoch, broker.keys.lane(lease.lane), broker.keys.marks(lease.batch.id, lease.batch.dispatchNumber),
            ],
            arguments: token(lease) + [RedisArgument(lease.batch.count)])
        return reply.bytes.map { Marks(bytes: $0) }
    }

    /// Sends results of a batch to the collector; a closing group also ends the worker's lease of the batch, if it
    /// has one. A group that was sent before is not sent again.
    /// - Returns: nil when there was nothing to send.
    package func report(_ group: ResultGroup, of lease: BatchLease) async throws(RedisError) -> Receipt? {
        let partition = group.batch.number % broker.partitions
        // A recipient that is only listed as uncertain is sent to again, by us or by the next worker: it is not done.
        let done = group.results.lazy.filter { $0.state != .uncertain || $0.due == 0 }.map(\.index)
        let ranges = IndexRange.words(done.sorted())
        let fields = group.fields
        let reply = try await broker.redis.run(
            Scripts.report,
            keys: [
                broker.keys.epoch, broker.keys.status(partition), broker.keys.lane(lease.lane),
                broker.keys.marks(group.batch, group.dispatchNumber), broker.keys.groups(group.batch, group.dispatchNumber),
                broker.keys.lanes, broker.keys.workers,
            ],
            arguments: token(lease) + [
                .text("\(group.worker):\(group.sequence)"), .text(group.closing.rawValue), .text("\(lease.lane)"),
                RedisArgument(group.results.count), RedisArgument(lease.batch.count), RedisArgument(ranges.count / 2),
            ] + ranges + fields)
        if reply.text == "" { return nil }
        guard let id = reply.text.flatMap(StreamID.init) else { throw .unexpected("report: \(reply)") }
        return Receipt(partition: partition, id: id, fields: fields)
    }

    private func token(_ lease: BatchLease) -> [RedisArgument] {
        [
            .text(Keys.workers), .text(lease.holder.worker), .text(lease.entry), RedisArgument(lease.holder.deliveries),
            .text(lease.epoch.text), .serverRun,
        ]
    }
}
