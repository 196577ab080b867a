package import Model

/// The way of tracked events from trackers to the collector.
package typealias EventStreams = PackedStreams<EventBatch>

/// The way of providers' receipts from trackers to the collector.
package typealias ReceiptStreams = PackedStreams<ReceiptBatch>

/// What travels in streams of its own from trackers to the collector.
package protocol StreamedBatch: Sendable {
    /// How many streams there are.
    static var streams: Int { get }
    /// Names the collector's connection that reads them.
    static var reader: String { get }
    static func key(_ number: Int, in keys: Keys) -> String
    /// Where a stream is made anew that takes no entry any more.
    static func anew(_ number: Int, in keys: Keys) -> String
    /// Where an entry of a stream is said to come from that cannot be read.
    static func source(_ number: Int) -> DeadLetter.Source

    init(decoding wire: [UInt8]) throws(WireError)
}

extension EventBatch: StreamedBatch {
    /// A mailing's events are all in one.
    package static var streams: Int { 2 }
    package static var reader: String { "events" }
    package static func key(_ number: Int, in keys: Keys) -> String { keys.events(number) }
    package static func anew(_ number: Int, in keys: Keys) -> String { keys.eventsAnew(number) }
    package static func source(_ number: Int) -> DeadLetter.Source { .events(number) }
}

extension ReceiptBatch: StreamedBatch {
    package static var streams: Int { 1 }
    package static var reader: String { "receipts" }
    package static func key(_ number: Int, in keys: Keys) -> String { keys.receipts }
    package static func anew(_ number: Int, in keys: Keys) -> String { keys.receiptsAnew }
    package static func source(_ number: Int) -> DeadLetter.Source { .receipts }
}

extension PackedStreams<EventBatch> {
    /// The stream that a mailing's events go to.
    package static func number(of mailing: UInt32) -> Int { Int(mailing % UInt32(count)) }
}

/// Streams from trackers to the collector, apart from the results: whatever the public sends cannot delay those. Each entry is one batch,
/// written at least once. Streams are bounded: a tracker keeps what they do not take.
package struct PackedStreams<Batch: StreamedBatch>: Sendable {
    /// How many streams there are.
    package static var count: Int { Batch.streams }

    /// What a stream takes, so that it never fills the Redis that the results need.
    package struct Bounds: Sendable {
        package var entries = 200_000
        package var bytes = 128 << 20

        package init() {}
    }

    private let broker: Broker
    private let bounds: Bounds
    private let collectors: ConsumerGroup
    /// The number of each stream.
    private let numbers: [String: Int]

    package init(_ broker: Broker, bounds: Bounds = Bounds()) {
        self.broker = broker
        self.bounds = bounds
        let streams = (0..<Self.count).map { Batch.key($0, in: broker.keys) }
        numbers = Dictionary(uniqueKeysWithValues: zip(streams, 0...))
        collectors = ConsumerGroup(broker, Keys.collectors, of: streams, reader: Batch.reader) { stream throws(RedisError) in
            try await ConsumerGroup.make(stream, Keys.collectors, on: broker.redis)
        }
    }

    package func close() async { await collectors.close() }

    package struct Entry: Sendable {
        /// Nil where it cannot be read.
        package let batch: Batch?
        /// The entry as it is to be kept, since it cannot be read; nil where it can.
        package let letter: DeadLetter?
        let stream: String
        let id: String
        /// Bytes of its fields.
        package let bytes: Int

        /// Its stream and its place in it, for the log.
        package var name: String { "entry \(id) of \(stream)" }
    }

    /// Adds batches of one stream, in the order in which they are given.
    /// - Parameter batches: in their wire form.
    /// - Returns: false where the stream is full; then it has none of them.
    package func append(_ batches: [[UInt8]], to stream: Int) async throws(RedisError) -> Bool {
        guard !batches.isEmpty else { return true }
        do throws(RedisError) { return try await add(batches, to: stream) } catch {
            guard case .command(let text) = error, Broker.isExhausted(text) else { throw error }
        }
        try await broker.renumber(Batch.key(stream, in: broker.keys), by: Batch.anew(stream, in: broker.keys))
        return try await add(batches, to: stream)
    }

    private func add(_ batches: [[UInt8]], to stream: Int) async throws(RedisError) -> Bool {
        let reply = try await broker.redis.run(
            Scripts.append, keys: [Batch.key(stream, in: broker.keys)],
            arguments: [RedisArgument(bounds.entries), RedisArgument(bounds.bytes), RedisArgument(WireVersion.current)]
                + batches.map { .bytes($0) })
        return reply.int != 0
    }

    /// Reads entries for a collector, about `count` in all, waiting for the first at most `block`; nil does not wait. Several collectors
    /// may read at a time: the ledger counts once what is written twice, in whatever order.
    package func read(consumer: String, count: Int, block: Duration?) async throws(RedisError) -> [Entry] {
        try await collectors.read(consumer: consumer, count: max(1, count / Self.count), block: block).map(entry)
    }

    /// The run id of the server that entries are read from: after its next start it may bring back what was confirmed.
    package func serverRun() async throws(RedisError) -> String { try await collectors.serverRun() }

    /// Entries that this consumer read and did not confirm, before it was started again.
    package func readUnconfirmed(consumer: String, count: Int) async throws(RedisError) -> [Entry] {
        try await collectors.readUnconfirmed(consumer: consumer, count: count).map(entry)
    }

    /// Takes over entries that any collector read and did not confirm for as long as `idle`: it died.
    package func claimAbandoned(by consumer: String, idle: Duration, count: Int) async throws(RedisError) -> [Entry] {
        try await collectors.claimAbandoned(by: consumer, idle: idle, count: max(1, count / Self.count)).map(entry)
    }

    /// Takes entries off their streams; called after the ledger's commit, which has the dead letters among them too.
    /// - Parameter replay: where the ledger stands; nil where no copies are kept.
    package func confirm(_ entries: [Entry], replay: Replay? = nil) async throws(RedisError) {
        guard !entries.isEmpty else { return }
        try await collectors.confirm(Dictionary(grouping: entries, by: \.stream).mapValues { $0.map(\.id) }, replay: replay)
    }

    /// How full each stream is: what waits for a collector, and what one has read and not confirmed.
    package func depths() async throws(RedisError) -> [StreamDepth] {
        try await broker.redis.depths((0..<Self.count).map { Batch.key($0, in: broker.keys) }, group: Keys.collectors)
    }

    private func entry(_ entry: StreamEntry) -> Entry {
        let bytes = entry.fields.reduce(0) { $0 + $1.value.count }
        do throws(WireError) {
            try WireVersion.check(entry.text("v"))
            let batch = try Batch(decoding: entry.fields["d"] ?? [])
            return Entry(batch: batch, letter: nil, stream: entry.stream, id: entry.id, bytes: bytes)
        } catch {
            let letter = DeadLetter(entry, from: Batch.source(numbers[entry.stream] ?? 0), reason: "\(error)")
            return Entry(batch: nil, letter: letter, stream: entry.stream, id: entry.id, bytes: bytes)
        }
    }
}
