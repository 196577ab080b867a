import Text

/// What a person did with a message, beside the message's state, and that it came back.
package enum EventKind: String, Sendable, CaseIterable {
    case opened, clicked, unsubscribed, complained, bounced
}

/// One event of one recipient.
package struct RecipientEvent: Sendable, Equatable {
    package var batch: Int
    package var index: Int
    package var kind: EventKind
    /// When, in milliseconds since 1970.
    package var at: Int64
    /// The link of a click, the kind of a complaint, the words of a bounce; empty otherwise.
    package var detail: String

    package init(batch: Int, index: Int, kind: EventKind, at: Int64, detail: String = "") {
        self.batch = batch
        self.index = index
        self.kind = kind
        self.at = at
        self.detail = detail
    }
}

/// Events of one mailing that travel together: one entry of a status stream.
package struct EventGroup: Sendable, Equatable {
    package var mailing: MailingID
    package var events: [RecipientEvent]

    package init(mailing: MailingID, events: [RecipientEvent]) {
        self.mailing = mailing
        self.events = events
    }
}

extension [RecipientEvent] {
    /// The wire form: a JSON array of `[batch, index, kind, at, detail]`.
    package func encoded() -> [UInt8] {
        var out = JSONWriter(capacity: count * 48 + 2)
        out.beginArray()
        for event in self {
            out.beginArray()
            out.int(Int64(event.batch))
            out.int(Int64(event.index))
            out.string(event.kind.rawValue.utf8)
            out.int(event.at)
            out.string(event.detail.utf8)
            out.endArray()
        }
        out.endArray()
        return out.bytes
    }

    package init(decoding wire: [UInt8]) throws(WireError) {
        let (events, problem) = Self.readable(in: wire)
        if let problem { throw problem }
        self = events
    }

    /// Reads those events of the wire form that can be read.
    /// - Returns: also why others cannot; nil where there are none.
    package static func readable(in wire: [UInt8]) -> (events: [RecipientEvent], problem: WireError?) {
        var events: [RecipientEvent] = []
        let problem = WireReader.readable(wire) { reader throws(WireError) in
            try reader.beginArray()
            let batch = try Int(reader.int(in: WireLimit.count))
            try reader.next()
            let index = try Int(reader.int(in: WireLimit.index))
            try reader.next()
            let name = try reader.string()
            guard let kind = EventKind(rawValue: name) else { throw WireError("unknown event '\(name.prefix(40))'") }
            try reader.next()
            let at = try reader.int(in: WireLimit.time)
            try reader.next()
            let detail = try reader.string(atMost: WireLimit.text)
            try reader.endArray()
            events.append(RecipientEvent(batch: batch, index: index, kind: kind, at: at, detail: detail))
        }
        return (events, problem)
    }
}
