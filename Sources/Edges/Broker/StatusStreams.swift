import Logging
package import Model

/// The way back: results and events from workers and trackers to the collector, packed many to an entry, in a number of
/// streams so that several collectors can share them.
package struct StatusStreams: Sendable {
    private let broker: Broker
    private let reader: RedisClient
    /// The number of each status stream.
    private let numbers: [String: Int]

    package init(_ broker: Broker) {
        self.broker = broker
        numbers = Dictionary(uniqueKeysWithValues: (0..<broker.partitions).map { (broker.keys.status($0), $0) })
        reader = broker.redis.forBlocking("status")
    }

    package func close() async { await reader.close() }

    /// What an entry holds.
    package enum Payload: Sendable, Equatable {
        case results(ResultGroup)
        case events(EventGroup)
        /// A worker asks that a mailing be paused, and says why (a provider refused our credentials).
        case halt(MailingID, MailingHalt)
    }

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

    /// The streams that collectors read.
    private var streams: [String] { (0..<broker.partitions).map(broker.keys.status) + [broker.keys.deadLetters] }

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
        func read() async throws(RedisError) -> [Entry] {
            try await reader.readGroup(
                Keys.collectors, consumer: consumer, streams: streams, count: max(1, count / broker.partitions), block: block
            ).map(entry)
        }
        do throws(RedisError) {
            return try await read()
        } catch {
            // UNBLOCKED: the stream went while we waited for it.
            guard case .command(let text) = error, text.hasPrefix("NOGROUP") || text.hasPrefix("UNBLOCKED") else { throw error }
            for stream in streams { try await restore(stream) }
            return try await read()
        }
    }

    /// Makes a status stream and its consumer group where they are missing. In an epoch they are lost then, and it ends. Dead letters are
    /// copies of what has been accounted for: their loss does not end the epoch.
    private func restore(_ stream: String) async throws(RedisError) {
        guard stream != broker.keys.deadLetters else {
            let pending: [RedisArgument] = ["XPENDING", .text(stream), .text(Keys.collectors)]
            if case .array = try await broker.redis.pipeline([pending])[0] { return }
            do throws(RedisError) {
                _ = try await broker.redis.send(["XGROUP", "CREATE", .text(stream), .text(Keys.collectors), "0", "MKSTREAM"])
            } catch {
                guard case .command(let text) = error, text.hasPrefix("BUSYGROUP") else { throw error }
            }
            return
        }
        let reply = try await broker.redis.run(
            Scripts.restore, keys: [broker.keys.epoch, broker.keys.workers, stream], arguments: [.text(Keys.collectors), .serverRun])
        guard reply.int == 2 else { return }
        broker.logger.notice("\(stream) was not there and is made: results that were in it are reported again by their workers")
    }

    /// The run id of the server that entries are read from: after its next start it may bring back what was confirmed.
    package func serverRun() async throws(RedisError) -> String { try await reader.serverRun() }

    /// Entries that this consumer read and did not confirm, before it was started again.
    package func readUnconfirmed(consumer: String, count: Int) async throws(RedisError) -> [Entry] {
        var entries: [Entry] = []
        for stream in streams {
            try await restore(stream)
            let reply = try await broker.redis.send([
                "XREADGROUP", "GROUP", .text(Keys.collectors), .text(consumer), "COUNT", RedisArgument(count),
                "STREAMS", .text(stream), "0",
            ])
            entries += try StreamEntry.list(reply).map(entry)
        }
        return entries
    }

    /// Takes over entries that any collector read and did not confirm for as long as `idle`: it died.
    package func claimAbandoned(by consumer: String, idle: Duration, count: Int) async throws(RedisError) -> [Entry] {
        var entries: [Entry] = []
        for stream in streams {
            try await restore(stream)
            let reply = try await broker.redis.send([
                "XAUTOCLAIM", .text(stream), .text(Keys.collectors), .text(consumer),
                RedisArgument(idle.nanoseconds / 1_000_000), "0-0", "COUNT", RedisArgument(max(1, count / broker.partitions)),
            ])
            guard let parts = reply.array, parts.count >= 2 else { throw .unexpected("XAUTOCLAIM: \(reply)") }
            entries += try StreamEntry.list(.array([.array([.string(Array(stream.utf8)), parts[1]])])).map(entry)
        }
        return entries
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
    package func confirm(
        _ entries: [Entry], over: Set<Dispatch> = []
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
        let replies = try await broker.redis.run(
            Scripts.confirm,
            calls: Dictionary(grouping: entries, by: \.stream).map { stream, all in
                ([stream], [.text(Keys.collectors)] + all.map { RedisArgument.text($0.id) })
            })
        for case .error(let text) in replies { throw .command(text) }
    }

    private func entry(_ entry: StreamEntry) -> Entry { Entry(entry, partition: numbers[entry.stream]) }

    /// How full each partition is: what waits for a collector, and what one has read and not confirmed.
    package func depths() async throws(RedisError) -> [StreamDepth] {
        try await broker.redis.depths((0..<broker.partitions).map(broker.keys.status), group: Keys.collectors)
    }

    /// Entries that wait in each partition, and the age of the oldest of all in seconds.
    package func lag() async throws(RedisError) -> (entries: [Int], seconds: Double) {
        let depths = try await depths()
        return (depths.map(\.entries), depths.map(\.seconds).max() ?? 0)
    }
}
