package import Model
package import Policy

/// What happened to a recipient or a mailing, as the ledger keeps it for webhooks. It holds no value of a person but what a provider's
/// message id may have: id and address are looked up when it is told.
package struct WebhookEvent: Sendable, Equatable {
    package var type: WebhookType
    /// The recipient's batch and place there; 0 for a mailing's.
    package var batch: Int
    package var index: Int
    /// When, in milliseconds since 1970.
    package var at: Int64
    /// Attempts spent; 0 for none, and for events.
    package var attempt = 0
    /// The response's code and reason; 0 and empty for none.
    package var code = 0
    package var reason = ""
    /// The provider that the attempt went to; empty where there was none.
    package var provider = ""
    /// The provider's own name for the message.
    package var messageID = ""
    /// The link's place in the message; 0 unless a click.
    package var link = 0
    /// Who the visitor was; nil for what no visitor made.
    package var visitor: VisitorClass?

    package init(_ type: WebhookType, batch: Int = 0, index: Int = 0, at: Int64) {
        (self.type, self.batch, self.index, self.at) = (type, batch, index, at)
    }
}

/// What an event has in its packed form.
private struct Flags: OptionSet {
    let rawValue: UInt8
    static let response = Flags(rawValue: 1)
    static let messageID = Flags(rawValue: 2)
    static let provider = Flags(rawValue: 4)
    static let link = Flags(rawValue: 8)
    static let visitor = Flags(rawValue: 16)
}

/// The packed form of the outbox: a version byte, the earliest time, then for each event its type, flags, batch, place, time and attempts,
/// and what the flags say there is. A provider stands only where it is another than before.
extension [WebhookEvent] {
    private static var version: UInt8 { 1 }
    private static var longest: UInt64 { UInt64(WireLimit.text) }

    func packed() -> [UInt8] {
        var out = PackedWriter(capacity: count * 24 + 16)
        let base = Swift.max(0, self.map(\.at).min() ?? 0)
        out.byte(Self.version)
        out.number(UInt64(base))
        var provider = ""
        for event in self {
            var flags: Flags = []
            if event.code != 0 || !event.reason.isEmpty { flags.insert(.response) }
            if !event.messageID.isEmpty { flags.insert(.messageID) }
            if event.provider != provider { flags.insert(.provider) }
            if event.link != 0 { flags.insert(.link) }
            if event.visitor != nil { flags.insert(.visitor) }
            out.byte(event.type.rawValue)
            out.byte(flags.rawValue)
            for number in [event.batch, event.index] { out.number(UInt64(Swift.max(0, number))) }
            out.number(UInt64(Swift.max(0, event.at - base)))
            out.number(UInt64(Swift.max(0, event.attempt)))
            if flags.contains(.response) {
                out.number(UInt64(Swift.max(0, event.code)))
                out.text(event.reason)
            }
            if flags.contains(.messageID) { out.text(event.messageID) }
            if flags.contains(.provider) { out.text(event.provider) }
            if flags.contains(.link) { out.number(UInt64(Swift.max(0, event.link))) }
            if let visitor = event.visitor { out.byte(visitor.rawValue) }
            provider = event.provider
        }
        return out.bytes
    }

    /// The events by their places; nil for one of a type that this release does not know.
    static func read(_ bytes: [UInt8]) throws(WireError) -> [WebhookEvent?] {
        var reader = PackedReader(bytes)
        let version = try reader.byte()
        guard version == Self.version else { throw WireError("its version is \(version)", isNewer: version > Self.version) }
        let base = Int64(try reader.number(atMost: UInt64(WireLimit.time.upperBound)))
        var events: [WebhookEvent?] = []
        var provider = ""
        while !reader.isAtEnd {
            let code = try reader.byte()
            let type = WebhookType(rawValue: code)
            let flags = Flags(rawValue: try reader.byte())
            let batch = Int(try reader.number(atMost: UInt64(WireLimit.count.upperBound)))
            let index = Int(try reader.number(atMost: UInt64(WireLimit.count.upperBound)))
            let at = base + Int64(try reader.number(atMost: UInt64(WireLimit.time.upperBound - base)))
            var event = WebhookEvent(type ?? .sent, batch: batch, index: index, at: at)
            event.attempt = Int(try reader.number(atMost: UInt64(WireLimit.count.upperBound)))
            if flags.contains(.response) {
                event.code = Int(try reader.number(atMost: 1 << 31))
                event.reason = try reader.text(atMost: Self.longest)
            }
            if flags.contains(.messageID) { event.messageID = try reader.text(atMost: Self.longest) }
            if flags.contains(.provider) { provider = try reader.text(atMost: Self.longest) }
            if flags.contains(.link) { event.link = Int(try reader.number(atMost: UInt64(UInt16.max))) }
            if flags.contains(.visitor) { event.visitor = VisitorClass(rawValue: try reader.byte()) }
            event.provider = provider
            events.append(type == nil ? nil : event)
        }
        return events
    }
}

extension PackedWriter {
    fileprivate mutating func text(_ text: String) {
        let bytes = [UInt8](text.utf8.prefix(Int(WireLimit.text)))
        number(UInt64(bytes.count))
        append(bytes)
    }
}

extension PackedReader {
    fileprivate mutating func text(atMost most: UInt64) throws(WireError) -> String {
        String(decoding: try bytes(Int(try number(atMost: most))), as: UTF8.self)
    }
}
