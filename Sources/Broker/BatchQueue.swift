package import Model

/// The way of batches: from the feeder through a stream for each channel to a worker.
package struct BatchQueue: Sendable {
    private let broker: Broker
    /// A connection of its own for reads that block.
    private let reader: RedisClient

    package init(_ broker: Broker) {
        self.broker = broker
        reader = broker.redis.forBlocking("batches")
    }

    package func close() async { await reader.close() }

    // MARK: Feeding

    /// Makes batches ready. Feeding a generation that is in Redis, or one before it, changes nothing.
    /// - Returns: how many were new.
    package func feed(_ batches: [FedBatch], channel: Channel) async throws(RedisError) -> Int {
        guard !batches.isEmpty else { return 0 }
        let stream = broker.keys.ready(channel)
        let replies = try await broker.redis.run(
            Scripts.feed,
            calls: batches.map { batch in
                (
                    [stream, broker.keys.fed(batch.id.mailing)],
                    [RedisWord(batch.id.number), RedisWord(batch.generation)] + batch.words
                )
            })
        var new = 0
        for reply in replies {
            if case .error(let text) = reply { throw .command(text) }
            new += Int(reply.int ?? 0)
        }
        return new
    }

    /// Batches of a channel that are ready or in work.
    package func depth(_ channel: Channel) async throws(RedisError) -> Int {
        Int(try await broker.redis.send(["XLEN", .text(broker.keys.ready(channel))]).int ?? 0)
    }

    /// Batches of a channel that a worker has taken and not closed.
    package func inWork(_ channel: Channel) async throws(RedisError) -> Int {
        do throws(RedisError) {
            let reply = try await broker.redis.send(["XPENDING", .text(broker.keys.ready(channel)), .text(Keys.workers)])
            return Int(reply.array?.first?.int ?? 0)
        } catch {
            guard case .command(let text) = error, text.hasPrefix("NOGROUP") else { throw error }
            return 0
        }
    }

    /// The batches of a mailing that Redis knows of, each with its generation.
    package func fed(_ mailing: MailingID) async throws(RedisError) -> [Int: Int] {
        let words = try await broker.redis.send(["HGETALL", .text(broker.keys.fed(mailing))]).array ?? []
        var known: [Int: Int] = [:]
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            if let batch = words[index].int, let generation = words[index + 1].int { known[Int(batch)] = Int(generation) }
        }
        return known
    }

    /// How many batches of a mailing Redis knows of.
    package func fedCount(_ mailing: MailingID) async throws(RedisError) -> Int {
        Int(try await broker.redis.send(["HLEN", .text(broker.keys.fed(mailing))]).int ?? 0)
    }

    // MARK: Working

    /// A batch in a worker's hands.
    package struct Lease: Sendable {
        package let batch: FedBatch
        package let channel: Channel
        /// The name of its entry in the ready stream.
        package let entry: String
    }

    /// Takes batches for a worker, waiting for the first at most `block`.
    /// - Throws: `RedisError`; an entry that is no batch is `.unexpected` and stays where it is.
    package func take(
        channels: [Channel], consumer: String, count: Int, block: Duration
    ) async throws(RedisError) -> [Lease] {
        let streams = Dictionary(uniqueKeysWithValues: channels.map { (broker.keys.ready($0), $0) })
        let entries = try await reader.readGroup(
            Keys.workers, consumer: consumer, streams: channels.map(broker.keys.ready), count: count, block: block)
        return try leases(entries, streams)
    }

    /// Batches that were given to this worker and that it does not know of: the reply that brought them was lost.
    /// - Parameter known: the entries that it has in hand.
    package func takeLost(
        channels: [Channel], consumer: String, known: Set<String>
    ) async throws(RedisError) -> [Lease] {
        var found: [Lease] = []
        for channel in channels {
            let stream = broker.keys.ready(channel)
            try await broker.redis.makeGroup(Keys.workers, of: stream)
            let reply = try await broker.redis.send([
                "XREADGROUP", "GROUP", .text(Keys.workers), .text(consumer), "COUNT", "1000", "STREAMS", .text(stream), "0",
            ])
            found += try leases(StreamEntry.list(reply).filter { !known.contains($0.id) }, [stream: channel])
        }
        return found
    }

    private func leases(_ entries: [StreamEntry], _ streams: [String: Channel]) throws(RedisError) -> [Lease] {
        var leases: [Lease] = []
        for entry in entries {
            guard let channel = streams[entry.stream], !entry.fields.isEmpty else { continue }
            do throws(WireError) {
                leases.append(Lease(batch: try FedBatch(entry), channel: channel, entry: entry.id))
            } catch {
                throw .unexpected("entry \(entry.id) of \(entry.stream): \(error)")
            }
        }
        return leases
    }

    /// Whether the next group of a batch may begin.
    package enum Permission: Sendable, Equatable {
        case go
        /// The mailing does not send now: give the rest back.
        case halted(MailingState)
        /// The batch is another's now: send nothing more of it, report nothing.
        case lost
    }

    package func begin(_ lease: Lease) async throws(RedisError) -> Permission {
        let id = lease.batch.id
        let reply = try await broker.redis.run(
            Scripts.begin, keys: [broker.keys.fed(id.mailing), broker.keys.mailing(id.mailing)],
            arguments: [RedisWord(id.number), RedisWord(lease.batch.generation)])
        guard let text = reply.text else { throw .unexpected("begin: \(reply)") }
        guard text != "lost", let state = MailingState(rawValue: text) else { return .lost }
        return state == .sending ? .go : .halted(state)
    }

    /// Takes a batch off our hands that is no longer ours.
    package func drop(_ lease: Lease) async throws(RedisError) {
        let stream = RedisWord(broker.keys.ready(lease.channel))
        _ = try await broker.redis.pipeline([
            ["XACK", stream, .text(Keys.workers), .text(lease.entry)], ["XDEL", stream, .text(lease.entry)],
        ])
    }

    /// Sends results of a batch to the collector; a closing group also takes the batch off the worker's hands.
    package func report(_ group: ResultGroup, of lease: Lease) async throws(RedisError) {
        let partition = group.batch.number % broker.partitions
        _ = try await broker.redis.run(
            Scripts.report, keys: [broker.keys.status(partition), broker.keys.ready(lease.channel)],
            arguments: [.text(Keys.workers), .text(group.closing == .open ? "" : lease.entry)] + group.words)
    }
}

extension FedBatch {
    fileprivate var words: [RedisWord] {
        [
            "m", .text(id.mailing.description), "b", RedisWord(id.number), "g", RedisWord(generation),
            "n", RedisWord(count), "o", .bytes(open?.encoded() ?? []), "x", RedisWord(expires), "t", RedisWord(fed),
            "r", .bytes(recipients),
        ]
    }

    fileprivate init(_ entry: StreamEntry) throws(WireError) {
        guard let mailing = MailingID(entry.text("m")) else { throw WireError("no mailing id") }
        let open = entry.fields["o"] ?? []
        self.init(
            id: BatchID(mailing: mailing, number: Int(try entry.int("b"))), generation: Int(try entry.int("g")),
            recipients: entry.fields["r"] ?? [], count: Int(try entry.int("n")),
            open: open.isEmpty ? nil : try [OpenRecipient](decoding: open), expires: try entry.int("x"),
            fed: try entry.int("t"))
    }
}
