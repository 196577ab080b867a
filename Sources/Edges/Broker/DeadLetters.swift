import Metrics
package import Model

/// Entries of streams that could not be read, on their way to the ledger. An entry of a newer process can be put back after an upgrade.
/// A collector writes those of status streams into the ledger by itself. Those of lanes, which workers find, wait for it in a stream.
package struct DeadLetters: Sendable {
    /// Where something unreadable was found.
    package enum Source: String, Sendable, CaseIterable {
        case status, lane, events, receipts, heartbeat, mailing, key
    }

    /// Bytes of a field of a batch that are kept at most: the ledger has it whole.
    static let batchFieldBytes = 4_096

    private let broker: Broker

    package init(_ broker: Broker) { self.broker = broker }

    /// Counts an entry that cannot be read.
    package static func count(_ source: Source) {
        Counter(label: "flotilla_entries_unreadable_total", dimensions: [("source", source.rawValue)]).increment()
    }

    /// Puts a dead letter back to the status, events or receipts stream it came from.
    /// - Returns: false when it came from another kind of stream, or is not here in full: batches are dispatched again from the ledger.
    package func putBack(_ letter: DeadLetter) async throws(RedisError) -> Bool {
        let stream: String
        switch letter.source {
        case .status(let number): stream = broker.keys.status(number % broker.partitions)
        case .events(let number): stream = broker.keys.events(number % EventStreams.count)
        case .receipts: stream = broker.keys.receipts
        case .lane, .foreign: return false
        }
        guard letter.isWhole, !letter.fields.isEmpty else { return false }
        _ = try await broker.redis.send(
            ["XADD", .text(stream), "*"]
                + letter.fields.flatMap { [RedisArgument.text($0.name), .bytes($0.value)] })
        return true
    }

    /// Copies an entry of a lane to the dead letters.
    /// - Parameter isRemoved: it is taken off the lane too.
    func keep(_ entry: String, of lane: Lane, why: String, isRemoved: Bool) async throws(RedisError) {
        _ = try await broker.redis.run(
            Scripts.deadLetter, keys: [broker.keys.lane(lane), broker.keys.deadLetters],
            arguments: [
                .text(Keys.workers), .text(entry), .text("\(lane)"), .text(String(why.prefix(300))),
                RedisArgument(Self.batchFieldBytes), RedisArgument(DeadLetter.mostFields), isRemoved ? "1" : "0",
            ])
    }
}

extension DeadLetter {
    /// Keeps an entry that this process cannot read.
    init(_ entry: StreamEntry, from source: Source, reason: String) {
        let all = entry.fields.sorted { $0.key < $1.key }
        let kept = all.prefix(Self.mostFields).map { Field(name: $0.key, value: Array($0.value.prefix(Self.fieldBytes))) }
        self.init(source: source, entry: entry.id, reason: reason, fields: kept)
        // A name that is no text was replaced when it was read.
        isWhole =
            kept.count == all.count && all.allSatisfy { $0.value.count <= Self.fieldBytes && !$0.key.unicodeScalars.contains("\u{FFFD}") }
        at = Int64(clamping: StreamID(entry.id)?.milliseconds ?? 0)
        read(entry.fields)
    }

    /// Reads an entry of the dead letters (`dead_letter.lua`).
    init(dead entry: StreamEntry) {
        guard let lane = Lane(entry.text("l")), let fields = Self.unpacked(entry.fields["d"] ?? []), !fields.isEmpty else {
            self.init(entry, from: .foreign, reason: "it is no dead letter that this release can read")
            return
        }
        self.init(source: .lane(lane), entry: entry.text("i"), reason: entry.text("y"), fields: fields)
        isWhole = entry.text("a") == "1"
        at = Int64(clamping: StreamID(entry.id)?.milliseconds ?? 0)
        read(Dictionary(fields.map { ($0.name, $0.value) }) { first, _ in first })
    }

    /// Takes over what the fields say of the batch.
    private mutating func read(_ fields: [String: [UInt8]]) {
        let inner = StreamEntry(stream: "", id: "", fields: fields)
        mailing = MailingID(inner.text("m"))
        batch = (try? inner.int("b", in: WireLimit.count)).map { Int($0) }
        dispatchNumber = (try? inner.int("g", in: WireLimit.count)).map { Int($0) }
    }

    /// Names and values by turns, each behind its length in four bytes, the least first.
    private static func unpacked(_ bytes: [UInt8]) -> [Field]? {
        var rest = bytes[...]
        func text() -> [UInt8]? {
            guard rest.count >= 4 else { return nil }
            let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard length <= rest.count else { return nil }
            defer { rest = rest.dropFirst(length) }
            return Array(rest.prefix(length))
        }
        var fields: [Field] = []
        while !rest.isEmpty {
            guard fields.count < mostFields, let name = text(), let value = text() else { return nil }
            fields.append(Field(name: String(decoding: name, as: UTF8.self), value: value))
        }
        return fields
    }
}
