import Text

/// The wire form of what a worker has of one mailing: a JSON array, to which a newer release may add values at the end.
///
///     [messages that wait, nanoseconds between two starts, milliseconds of a pause, 1 for a provider that is down, "scope", "exhausted"]
extension Heartbeat.Share {
    package var wire: [UInt8] {
        var out = JSONWriter(capacity: 64)
        out.beginArray()
        out.int(Int64(waiting))
        out.int(Self.whole(interval * 1e9))
        out.int(Self.whole(pause * 1e3))
        out.int(isDown ? 1 : 0)
        out.string((scope?.description ?? "").utf8)
        out.string(exhausted.utf8)
        out.endArray()
        return out.bytes
    }

    /// - Throws: `WireError` when it is no such array, or a number in it is out of range.
    package init(wire: [UInt8]) throws(WireError) {
        self.init()
        var place = 0
        try WireReader.array(wire) { reader throws(WireError) in
            switch place {
            case 0: waiting = try Int(reader.int(in: WireLimit.count))
            case 1: interval = try Double(reader.int(in: WireLimit.time)) / 1e9
            case 2: pause = try Double(reader.int(in: WireLimit.time)) / 1e3
            case 3: isDown = try reader.int(in: 0...1) == 1
            case 4: scope = try LimitScope(reader.string(atMost: WireLimit.text))
            case 5: exhausted = try reader.string(atMost: WireLimit.text)
            default: try reader.skip()
            }
            place += 1
        }
        guard place > 5 else { throw WireError("\(place) values of a mailing in place of 6") }
    }

    /// A number that is not negative as a whole one, as large as the wire form takes.
    private static func whole(_ value: Double) -> Int64 {
        value.isFinite ? Int64(min(max(0, value.rounded()), Double(WireLimit.time.upperBound))) : 0
    }
}
