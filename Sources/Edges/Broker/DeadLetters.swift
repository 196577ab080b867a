import Metrics
package import Model

/// The entries of streams that nobody can read, kept until a collector has copied them into the ledger: what a newer process wrote can be
/// put back after an upgrade.
package struct DeadLetters: Sendable {
    /// Where something unreadable was found.
    package enum Source: String, Sendable, CaseIterable {
        case status, lane, heartbeat, mailing
    }

    /// Entries that are kept at most, the newest.
    static let most = 1_000
    /// Bytes of a field that are kept at most.
    static let fieldBytes = 1 << 20
    /// The same of a batch, which the ledger has whole.
    static let batchFieldBytes = 4_096

    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// Counts something that cannot be read.
    package static func count(_ source: Source) {
        Counter(label: "flotilla_entries_unreadable_total", dimensions: [("source", source.rawValue)]).increment()
    }

    /// Puts a dead letter back to the status stream it came from.
    /// - Parameter stream: the stream's name, as in `DeadLetter.stream`.
    /// - Returns: false when it came from another kind of stream: batches are dispatched again from the ledger.
    package func putBack(_ fields: [DeadLetter.Field], to stream: String) async throws(RedisError) -> Bool {
        guard let number = DeadLetter.partition(stream), !fields.isEmpty else { return false }
        _ = try await broker.redis.send(
            ["XADD", .text(broker.keys.status(number % broker.partitions)), "*"]
                + fields.flatMap { [RedisArgument.text($0.name), .bytes($0.value)] })
        return true
    }

    /// Moves entries of a stream to the dead letters.
    /// - Parameters:
    ///   - name: of the stream, without the prefix.
    ///   - isRemoved: false copies it only.
    func bury(
        _ entries: [(id: String, why: String)], of stream: String, named name: String, group: String, isRemoved: Bool = true
    ) async throws(RedisError) {
        let bytes = group == Keys.workers ? Self.batchFieldBytes : Self.fieldBytes
        let replies = try await broker.redis.run(
            Scripts.bury,
            calls: entries.map { entry in
                (
                    [stream, broker.keys.deadLetters],
                    [
                        .text(group), .text(entry.id), .text(name), .text(String(entry.why.prefix(300))), RedisArgument(Self.most),
                        RedisArgument(bytes), isRemoved ? "1" : "0",
                    ]
                )
            })
        for case .error(let text) in replies { throw .command(text) }
    }
}

extension DeadLetter {
    /// The number of the status stream that a name means.
    static func partition(_ name: String) -> Int? {
        guard name.hasPrefix("status:"), let number = Int(name.dropFirst(7)), WireLimit.count.contains(Int64(number)) else { return nil }
        return number
    }

    /// Reads an entry of the dead letters.
    init(_ entry: StreamEntry) {
        let fields = entry.fields.filter { $0.key.hasPrefix("=") }
            .map { Field(name: String($0.key.dropFirst()), value: $0.value) }.sorted { $0.name < $1.name }
        let envelope = Dictionary(fields.map { ($0.name, $0.value) }) { first, _ in first }
        let inner = StreamEntry(stream: "", id: "", fields: envelope)
        self.init(stream: entry.text("s"), entry: entry.text("i"), reason: entry.text("y"), fields: fields)
        at = Int64(clamping: StreamID(entry.id)?.milliseconds ?? 0)
        isWhole = entry.text("a") == "1"
        mailing = MailingID(inner.text("m"))
        batch = (try? inner.int("b", in: WireLimit.count)).map { Int($0) }
        dispatchNumber = (try? inner.int("g", in: WireLimit.count)).map { Int($0) }
    }
}
