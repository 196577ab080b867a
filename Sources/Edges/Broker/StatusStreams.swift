import Logging
package import Model

/// The way back: results and events from workers and trackers to the collector, packed many to an entry, in a number of
/// streams so that several collectors can share them.
package struct StatusStreams: Sendable {
    private let broker: Broker
    /// Reads the status streams and the dead letters.
    private let collectors: ConsumerGroup
    /// The number of each status stream.
    private let numbers: [String: Int]

    package init(_ broker: Broker) {
        self.broker = broker
        let streams = (0..<broker.partitions).map(broker.keys.status)
        numbers = Dictionary(uniqueKeysWithValues: zip(streams, 0...))
        collectors = ConsumerGroup(broker, Keys.collectors, of: streams + [broker.keys.deadLetters], reader: "status") {
            stream throws(RedisError) in try await Self.restore(stream, broker)
        }
    }

    package func close() async { await collectors.close() }

    /// What an entry holds.
    package enum Payload: Sendable, Equatable {
        case results(ResultGroup)
        case events(EventGroup)
        /// A worker asks that a mailing be paused, and says why (a provider refused our credentials).
        case halt(MailingID, MailingHalt)
    }

    /// An entry of a status stream, as far as it can be read.
    package struct Entry: Sendable {
        /// What can be read of it; nil for nothing.
        package let payload: Payload?
        /// The entry as it is to be kept, since it cannot be read, or not all of it; nil where it can.
        package let letter: DeadLetter?
        /// That is found here, and not by a worker.
        package let isFound: Bool
        let stream: String
        let id: String
        /// Bytes of its fields.
        package let bytes: Int

        /// Its stream and its place in it, for the log.
        package var name: String { "entry \(id) of \(stream)" }
    }

    /// Sends events; the order among them and the results does not matter.
    package func send(_ group: EventGroup) async throws(RedisError) {
        let partition = (group.events.first?.batch ?? 0) % broker.partitions
        _ = try await broker.redis.send([
            "XADD", .text(broker.keys.status(partition)), "*", "v", RedisArgument(WireVersion.current), "k", "e", "m",
            .text(group.mailing.description),
            "d", .bytes(group.events.encoded()),
        ])
    }

    /// Asks for a mailing to be paused.
    package func send(_ halt: MailingHalt, of mailing: MailingID) async throws(RedisError) {
        _ = try await broker.redis.send([
            "XADD", .text(broker.keys.status(0)), "*", "v", RedisArgument(WireVersion.current), "k", "h", "m", .text(mailing.description),
            "x", .text(halt.cause.rawValue), "d", .text(halt.text),
        ])
    }

    /// Reads entries for a collector, about `count` in all, waiting for the first at most `block`; nil does not wait.
    package func read(consumer: String, count: Int, block: Duration?) async throws(RedisError) -> [Entry] {
        try await collectors.read(consumer: consumer, count: max(1, count / broker.partitions), block: block).map(entry)
    }

    /// Makes a status stream and its consumer group where they are missing. In an epoch they are lost then, and it ends. Dead letters are
    /// copies of what has been accounted for: their loss does not end the epoch.
    private static func restore(_ stream: String, _ broker: Broker) async throws(RedisError) {
        guard stream != broker.keys.deadLetters else {
            return try await ConsumerGroup.make(stream, Keys.collectors, on: broker.redis)
        }
        let reply = try await broker.redis.run(
            Scripts.restore, keys: [broker.keys.epoch, broker.keys.workers, stream], arguments: [.text(Keys.collectors), .serverRun])
        guard reply.int == 2 else { return }
        broker.logger.notice("\(stream) was not there and is made: results that were in it are reported again by their workers")
    }

    /// The run id of the server that entries are read from: after its next start it may bring back what was confirmed.
    package func serverRun() async throws(RedisError) -> String { try await collectors.serverRun() }

    /// Entries that this consumer read and did not confirm, before it was started again.
    package func readUnconfirmed(consumer: String, count: Int) async throws(RedisError) -> [Entry] {
        try await collectors.readUnconfirmed(consumer: consumer, count: count).map(entry)
    }

    /// Takes over entries that any collector read and did not confirm for as long as `idle`: it died.
    package func claimAbandoned(by consumer: String, idle: Duration, count: Int) async throws(RedisError) -> [Entry] {
        try await collectors.claimAbandoned(by: consumer, idle: idle, count: max(1, count / broker.partitions)).map(entry)
    }

    /// Sends results again that a loss of Redis may have taken, or not: written twice they change nothing.
    package func offer(_ receipts: [Receipt]) async throws(RedisError) -> [Receipt] {
        let replies = try await broker.redis.pipeline(
            receipts.map {
                ["XADD", .text(broker.keys.status($0.partition)), "*"] + $0.fields + ["f", "", "c", "0"]
            })
        var offered: [Receipt] = []
        for (receipt, reply) in zip(receipts, replies) {
            if case .error(let text) = reply { throw .command(text) }
            guard let id = reply.text.flatMap(StreamID.init) else { throw .unexpected("XADD: \(reply)") }
            offered.append(Receipt(partition: receipt.partition, id: id, fields: receipt.fields))
        }
        return offered
    }

    /// The oldest entry of each partition that no collector has confirmed; nil where there is none. Of a stream that is not there nothing
    /// is known to be confirmed.
    package func oldest() async throws(RedisError) -> [StreamID?] {
        let streams = (0..<broker.partitions).map { RedisArgument.text(broker.keys.status($0)) }
        let replies = try await broker.redis.pipeline(
            streams.flatMap { [["EXISTS", $0], ["XRANGE", $0, "-", "+", "COUNT", "1"]] })
        for case .error(let text) in replies { throw .command(text) }
        return streams.indices.map { place in
            if replies[2 * place].int == 0 { return StreamID("0-0") }
            return replies[2 * place + 1].array?.first?.array?.first?.text.flatMap(StreamID.init)
        }
    }

    /// Takes entries off their streams, and batches whose dispatch has ended out of `dispatched`; called after the ledger's
    /// commit, which has the dead letters among them too.
    /// - Parameter replay: where the ledger stands; nil where no copies are kept.
    package func confirm(
        _ entries: [Entry], over: Set<Dispatch> = [], replay: Replay? = nil
    ) async throws(RedisError) {
        guard !entries.isEmpty else { return }
        // Batches first: should the connection break between the two, the entries come again and settle again.
        if !over.isEmpty {
            let replies = try await broker.redis.run(
                Scripts.settle,
                calls: over.map {
                    ([broker.keys.dispatched($0.batch.mailing)], [RedisArgument($0.batch.number), RedisArgument($0.dispatchNumber)])
                })
            for case .error(let text) in replies { throw .command(text) }
        }
        try await collectors.confirm(Dictionary(grouping: entries, by: \.stream).mapValues { $0.map(\.id) }, replay: replay)
    }

    private func entry(_ entry: StreamEntry) -> Entry { Entry(entry, partition: numbers[entry.stream]) }

    /// How full each partition is: what waits for a collector, and what one has read and not confirmed.
    package func depths() async throws(RedisError) -> [StreamDepth] {
        try await broker.redis.depths((0..<broker.partitions).map(broker.keys.status), group: Keys.collectors)
    }

    /// Entries that wait in each partition, and the age of the oldest of all.
    package func lag() async throws(RedisError) -> (entries: [Int], age: Duration) {
        let depths = try await depths()
        return (depths.map(\.entries), depths.map(\.age).max() ?? .zero)
    }
}
