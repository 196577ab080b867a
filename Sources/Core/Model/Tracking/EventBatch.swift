/// A packed entry of an events stream: events of one tracker, in order. `(source, sequence)` makes each event unique, so that an entry that
/// is read twice counts once.
package struct EventBatch: Sendable, Equatable {
    /// Random for each stream and each life of a tracker.
    package var source: UInt64
    /// The number of the first event, from 0; the source's next batch begins behind the last.
    package var sequence: UInt64
    package var events: [TrackedEvent]

    /// Events of a batch at most.
    package static let mostEvents = 1000
    /// The highest sequence number that a batch may begin with.
    package static let mostSequence: UInt64 = 1 << 53

    package init(source: UInt64, sequence: UInt64, events: [TrackedEvent]) {
        (self.source, self.sequence, self.events) = (source, sequence, events)
    }
}

/// The wire form: the version; the source in 8 bytes; the sequence, the earliest time and the three tables of texts; the events, behind
/// one of the page of preferences what was saved. Numbers are varints (`PackedWriter`). Text 0 of a table is the empty one, and is not in
/// it.
extension EventBatch {
    /// The version of the wire form, its first byte.
    package static let version: UInt8 = 1

    /// The wire form. Texts are cut, and numbers clamped, to what the decoder takes.
    package func encoded() -> [UInt8] {
        var (agents, networks, addresses) = (TextTable(), TextTable(), TextTable())
        let base = events.map(\.time).min().map { min(max($0, 0), WireLimit.time.upperBound) } ?? 0
        var rows = PackedWriter(capacity: events.count * 28)
        for event in events {
            rows.byte(event.action.rawValue | event.method.rawValue << 4 | (event.damaged ? 1 << 6 : 0))
            rows.number(UInt64(event.mailing))
            rows.number(UInt64(min(event.batch, TrackedEvent.batches - 1)))
            rows.number(UInt64(min(event.index, TrackedEvent.indexes - 1)))
            rows.number(UInt64(event.link))
            rows.number(UInt64(min(max(event.time, base), WireLimit.time.upperBound) - base))
            rows.number(agents.place(of: event.agent, atMost: TrackedEvent.agentBytes))
            rows.number(networks.place(of: event.network, atMost: TrackedEvent.networkBytes))
            rows.number(addresses.place(of: event.address, atMost: TrackedEvent.addressBytes))
            rows.fixed(event.visitor)
            if event.action == .preferences { rows.text(event.change?.text ?? "") }
        }
        var out = PackedWriter(capacity: rows.bytes.count + 256)
        out.byte(Self.version)
        out.fixed(source)
        out.number(sequence)
        out.number(UInt64(base))
        for table in [agents, networks, addresses] { table.write(to: &out) }
        out.number(UInt64(events.count))
        out.append(rows.bytes)
        return out.bytes
    }

    /// Reads a wire form, which anybody may have written.
    package init(decoding wire: [UInt8]) throws(WireError) {
        var reader = PackedReader(wire)
        let version = try reader.byte()
        guard version == Self.version else {
            throw WireError("its version \(version) is not \(Self.version), which this release reads", isNewer: version > Self.version)
        }
        source = try reader.fixed()
        sequence = try reader.number(atMost: Self.mostSequence)
        let base = Int64(try reader.number(atMost: UInt64(WireLimit.time.upperBound)))
        let agents = try TextTable.read(from: &reader, atMost: TrackedEvent.agentBytes)
        let networks = try TextTable.read(from: &reader, atMost: TrackedEvent.networkBytes)
        let addresses = try TextTable.read(from: &reader, atMost: TrackedEvent.addressBytes)
        let count = Int(try reader.number(atMost: UInt64(Self.mostEvents)))
        events = []
        events.reserveCapacity(count)
        for _ in 0..<count {
            let head = try reader.byte()
            guard let action = TrackedAction(rawValue: head & 0x0f), let method = TrackedMethod(rawValue: head >> 4 & 3), head < 0x80 else {
                throw WireError("unknown action or method \(head)")
            }
            var event = TrackedEvent(
                action, by: method, mailing: UInt32(try reader.number(atMost: UInt64(UInt32.max))),
                batch: UInt32(try reader.number(atMost: UInt64(TrackedEvent.batches - 1))),
                index: UInt32(try reader.number(atMost: UInt64(TrackedEvent.indexes - 1))),
                link: UInt16(try reader.number(atMost: UInt64(UInt16.max))),
                time: base + Int64(try reader.number(atMost: UInt64(WireLimit.time.upperBound - base))))
            event.damaged = head & 1 << 6 != 0
            event.agent = agents[Int(try reader.number(atMost: UInt64(agents.count - 1)))]
            event.network = networks[Int(try reader.number(atMost: UInt64(networks.count - 1)))]
            event.address = addresses[Int(try reader.number(atMost: UInt64(addresses.count - 1)))]
            event.visitor = try reader.fixed()
            if action == .preferences {
                guard let change = PreferenceChange(try reader.text(atMost: PreferenceChange.bytes)) else {
                    throw WireError("a change of preferences that is none")
                }
                event.change = change.isEmpty ? nil : change
            }
            events.append(event)
        }
        try reader.end()
    }
}

/// Texts that many events of a batch share.
private struct TextTable {
    private var texts: [String] = []
    private var places: [String: UInt64] = [:]

    /// The place of a text, which is cut to `most` bytes and added where it is new; 0 for an empty one.
    mutating func place(of text: String, atMost most: Int) -> UInt64 {
        if text.isEmpty { return 0 }
        if let place = places[text] { return place }
        texts.append(text.prefix(utf8Bytes: most))
        places[text] = UInt64(texts.count)
        return UInt64(texts.count)
    }

    func write(to out: inout PackedWriter) {
        out.number(UInt64(texts.count))
        for text in texts {
            out.number(UInt64(text.utf8.count))
            out.append(Array(text.utf8))
        }
    }

    /// The texts by their places, the empty one first.
    static func read(from reader: inout PackedReader, atMost most: Int) throws(WireError) -> [String] {
        var texts = [""]
        for _ in 0..<(try reader.number(atMost: UInt64(EventBatch.mostEvents))) {
            let length = Int(try reader.number(atMost: UInt64(most)))
            guard let text = String(validating: try reader.bytes(length), as: UTF8.self) else { throw WireError("a text that is no UTF-8") }
            texts.append(text)
        }
        return texts
    }
}

extension String {
    /// The longest beginning of whole scalars that takes `most` bytes.
    package func prefix(utf8Bytes most: Int) -> String {
        guard utf8.count > most else { return self }
        var end = utf8.index(startIndex, offsetBy: most)
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
