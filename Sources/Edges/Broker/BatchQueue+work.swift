import Logging
package import Model

extension BatchQueue {
    /// A batch in a worker's hands. Worker and deliveries together are the token by which Redis tells whether it still is.
    package struct Lease: Sendable {
        package let batch: DispatchedBatch
        package let channel: Channel
        /// The name of its entry in the ready stream.
        package let entry: String
        /// The worker that has it.
        package let worker: String
        /// How often it was handed out, from 1.
        package let deliveries: Int
        /// It was handed out for the first time, and nobody can have begun anything of it.
        package let isNew: Bool
        /// The epoch that it was fed in.
        package let epoch: Epoch
        /// The worker that had it before and whose lease is over; nil at the first time.
        package let from: String?
    }

    /// Takes batches for a worker, waiting for the first at most `block`.
    package func take(
        channels: [Channel], consumer: String, count: Int, block: Duration
    ) async throws(RedisError) -> [Lease] {
        let streams = Dictionary(uniqueKeysWithValues: channels.map { (broker.keys.ready($0), $0) })
        let entries = try await reader.readGroup(
            Keys.workers, consumer: consumer, streams: channels.map(broker.keys.ready), count: count, block: block)
        return entries.compactMap { entry in
            streams[entry.stream].flatMap { lease(entry, $0, consumer, deliveries: 1, isNew: true, from: nil) }
        }
    }

    /// Batches that were given to this worker and that it does not know of: the reply that brought them was lost.
    /// - Parameter known: the entries that it has in hand.
    package func takeLost(
        channels: [Channel], consumer: String, known: [Channel: Set<String>]
    ) async throws(RedisError) -> [Lease] {
        var found: [Lease] = []
        for channel in channels {
            let reply = try await broker.redis.run(
                Scripts.reclaim, keys: [broker.keys.ready(channel)],
                arguments: [.text(Keys.workers), .text(consumer)] + (known[channel] ?? []).map { .text($0) })
            found += try leases(reply, channel, consumer)
        }
        return found
    }

    /// Takes over batches of workers whose lease is over.
    package func takeOver(
        channels: [Channel], consumer: String, count: Int
    ) async throws(RedisError) -> [Lease] {
        var found: [Lease] = []
        for channel in channels where found.count < count {
            let reply = try await broker.redis.run(
                Scripts.takeover, keys: [broker.keys.ready(channel), broker.keys.workers, broker.keys.epoch],
                arguments: [
                    .text(Keys.workers), .text(consumer), RedisArgument(count - found.count),
                    RedisArgument(Self.forgetAfter.nanoseconds / 1_000_000), .serverRun,
                ])
            found += try leases(reply, channel, consumer)
        }
        return found
    }

    /// Reads `[entry, fields, deliveries, worker before]` for each batch.
    private func leases(_ reply: RESPValue, _ channel: Channel, _ worker: String) throws(RedisError) -> [Lease] {
        var found: [Lease] = []
        for item in reply.array ?? [] {
            guard let parts = item.array, parts.count == 4, let deliveries = parts[2].int, let from = parts[3].text else {
                throw .unexpected("batches taken: \(item)")
            }
            let stream = RESPValue.string(Array(broker.keys.ready(channel).utf8))
            let entries = try StreamEntry.list(.array([.array([stream, .array([.array(Array(parts[..<2]))])])]))
            found += entries.compactMap {
                lease($0, channel, worker, deliveries: Int(deliveries), isNew: false, from: from.isEmpty ? nil : from)
            }
        }
        return found
    }

    /// How long a worker without a batch is remembered after its lease.
    private static let forgetAfter = Duration.seconds(60)

    private func lease(
        _ entry: StreamEntry, _ channel: Channel, _ worker: String, deliveries: Int, isNew: Bool, from: String?
    ) -> Lease? {
        // An entry that was deleted while it was pending has no fields.
        guard !entry.fields.isEmpty else { return nil }
        do throws(WireError) {
            return Lease(
                batch: try DispatchedBatch(entry), channel: channel, entry: entry.id, worker: worker, deliveries: deliveries,
                isNew: isNew, epoch: Epoch(text: entry.text("e")), from: from)
        } catch {
            // It stays pending: work goes on around it.
            broker.logger.error(
                "entry \(entry.id) of \(entry.stream) is no batch that this release can read (\(error)); it is left where it is")
            return nil
        }
    }

    /// Whether the next group of a batch may begin.
    package enum Permission: Sendable, Equatable {
        case go
        /// The mailing does not send now: give the rest back.
        case halted(MailingState)
        /// The batch is another's now: send nothing more of it, report but what was sent.
        case lost
    }

    /// Asks whether a group of a batch may begin, and if so marks its recipients as begun.
    package func begin(_ lease: Lease, _ recipients: [OpenRecipient]) async throws(RedisError) -> Permission {
        let id = lease.batch.id
        let reply = try await broker.redis.run(
            Scripts.begin,
            keys: [
                broker.keys.epoch, broker.keys.ready(lease.channel), broker.keys.fed(id.mailing),
                broker.keys.mailing(id.mailing), broker.keys.marks(id, lease.batch.dispatchNumber),
            ],
            arguments: token(lease) + [RedisArgument(id.number), RedisArgument(lease.batch.dispatchNumber)]
                + IndexRange.words(recipients.lazy.map(\.index)))
        guard let text = reply.text else { throw .unexpected("begin: \(reply)") }
        guard text != "lost", let state = MailingState(rawValue: text) else { return .lost }
        return state == .sending ? .go : .halted(state)
    }

    /// Takes back the marks of recipients that were begun and of whom nothing was on the wire, or nothing was taken.
    /// - Parameter indexes: ascending.
    package func untouch(_ lease: Lease, _ indexes: [Int]) async throws(RedisError) {
        _ = try await broker.redis.run(
            Scripts.untouch,
            keys: [
                broker.keys.epoch, broker.keys.ready(lease.channel),
                broker.keys.marks(lease.batch.id, lease.batch.dispatchNumber),
            ],
            arguments: token(lease) + IndexRange.words(indexes))
    }

    /// How far the workers before came with a batch that was taken over; nil when it is not this worker's any more.
    package func marks(_ lease: Lease) async throws(RedisError) -> Marks? {
        let reply = try await broker.redis.run(
            Scripts.marks,
            keys: [
                broker.keys.epoch, broker.keys.ready(lease.channel),
                broker.keys.marks(lease.batch.id, lease.batch.dispatchNumber),
            ],
            arguments: token(lease))
        return reply.bytes.map { Marks(bytes: $0) }
    }

    /// Sends results of a batch to the collector; a closing group also takes the batch off the worker's hands, if it is in
    /// them. A group that was sent before is not sent again.
    /// - Returns: nil when there was nothing to send.
    package func report(_ group: ResultGroup, of lease: Lease) async throws(RedisError) -> Receipt? {
        let partition = group.batch.number % broker.partitions
        // Who is only listed as uncertain is sent to once more, by us or by the next: not done.
        let done = group.results.lazy.filter { $0.state != .uncertain || $0.due == 0 }.map(\.index)
        let stretches = IndexRange.words(done.sorted())
        let words = group.words
        let reply = try await broker.redis.run(
            Scripts.report,
            keys: [
                broker.keys.epoch, broker.keys.status(partition), broker.keys.ready(lease.channel),
                broker.keys.marks(group.batch, group.dispatchNumber), broker.keys.groups(group.batch, group.dispatchNumber),
            ],
            arguments: token(lease) + [
                .text("\(group.worker):\(group.sequence)"), .text(group.closing.rawValue), RedisArgument(group.results.count),
                RedisArgument(stretches.count / 2),
            ] + stretches + words)
        if reply.text == "" { return nil }
        guard let id = reply.text.flatMap(StreamID.init) else { throw .unexpected("report: \(reply)") }
        return Receipt(partition: partition, id: id, words: words)
    }

    private func token(_ lease: Lease) -> [RedisArgument] {
        [
            .text(Keys.workers), .text(lease.worker), .text(lease.entry), RedisArgument(lease.deliveries),
            .text(lease.epoch.text), .serverRun,
        ]
    }
}

/// How far a dispatch of a batch has come, recipient by recipient.
package struct Marks: Sendable, Equatable {
    package enum Mark: Sendable { case untouched, begun, done }

    let bytes: [UInt8]

    package subscript(index: Int) -> Mark {
        guard bytes.indices.contains(index) else { return .untouched }
        return switch bytes[index] {
        case UInt8(ascii: "b"): .begun
        case UInt8(ascii: "d"): .done
        default: .untouched
        }
    }
}

/// Recipients that stand one behind the other in a batch: most groups are one stretch.
enum IndexRange {
    /// First recipient and number of recipients of each stretch.
    /// - Parameter indexes: ascending; repeated ones count once.
    static func words(_ indexes: some Sequence<Int>) -> [RedisArgument] {
        var words: [RedisArgument] = []
        var start = 0
        var end = 0
        for index in indexes where index != end - 1 || start == end {
            if index != end || start == end {
                if start < end { words += [RedisArgument(start), RedisArgument(end - start)] }
                start = index
            }
            end = index + 1
        }
        if start < end { words += [RedisArgument(start), RedisArgument(end - start)] }
        return words
    }
}
