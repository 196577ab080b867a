import Model
import Policy

/// One visit of a recipient, as the ledger keeps it.
struct StoredEvent: Equatable {
    var action: TrackedAction
    var method: TrackedMethod
    /// What the counters count it as.
    var visitor: VisitorClass
    /// The link's place in the message; 0 unless a click.
    var link: UInt16
    /// By the tracker's clock, in milliseconds since 1970.
    var time: Int64
    /// The number of its agent and network (`EventClients`).
    var client: Int64
    /// A keyed hash of the visitor's address; 0 for none.
    var visitorHash: UInt64
    /// Empty unless addresses are kept.
    var address: String
    /// As `TrackedEvent.damaged`.
    var damaged: Bool

    init(_ event: TrackedEvent, client: Int64) {
        (action, method, visitor) = (event.action, event.method, .human)
        (link, time, self.client) = (event.action == .click ? event.link : 0, event.time, client)
        (visitorHash, address, damaged) = (event.visitor, event.address, event.damaged)
    }

    /// A page that asks whether somebody wants to unsubscribe was only looked at: that is kept, and not counted.
    var isCounted: Bool { !isChoice || method == .post }

    /// It says whether the recipient wants to be sent to.
    var isChoice: Bool { action.isChoice }

    /// Takes out from where the visitor came.
    mutating func eraseVisitor() {
        visitorHash = 0
        address = ""
    }

    /// The event as the tracker told it, but for whose it is.
    func event(_ client: EventClient) -> TrackedEvent {
        var event = TrackedEvent(action, by: method, mailing: 0, batch: 0, index: 0, link: link, time: time)
        (event.agent, event.network) = (client.agent, client.network)
        (event.visitor, event.address, event.damaged) = (visitorHash, address, damaged)
        return event
    }
}

/// The packed form of a recipient's events, in the order of their times: a version byte; for each event its head, the time since the event
/// before it, the link of a click, the client, the hash and the address. Numbers are varints (`PackedWriter`).
extension [StoredEvent] {
    private static var version: UInt8 { 1 }

    /// Events of one recipient that are kept and counted at most, and those with what else a recipient has chosen.
    static var most: Int { 500 }
    static var mostWithChoices: Int { 600 }

    func packed() -> [UInt8] {
        var out = PackedWriter(capacity: count * 20 + 1)
        out.byte(Self.version)
        var last: Int64 = 0
        for event in self {
            out.byte(event.action.rawValue | event.method.rawValue << 3 | event.visitor.rawValue << 5 | (event.damaged ? 0x80 : 0))
            out.number(UInt64(Swift.max(0, event.time - last)))
            last = Swift.max(last, event.time)
            if event.action == .click { out.number(UInt64(event.link)) }
            out.number(UInt64(Swift.max(0, event.client)))
            out.fixed(event.visitorHash)
            out.number(UInt64(event.address.utf8.count))
            if !event.address.isEmpty { out.append([UInt8](event.address.utf8)) }
        }
        return out.bytes
    }

    /// - Throws: `SQLDamage` for what no ledger writes.
    init(packed bytes: [UInt8]) throws {
        do throws(WireError) {
            self = try Self.read(bytes)
        } catch {
            throw SQLDamage("the events of a recipient cannot be read: \(error)")
        }
    }

    private static func read(_ bytes: [UInt8]) throws(WireError) -> [StoredEvent] {
        var reader = PackedReader(bytes)
        let version = try reader.byte()
        guard version == Self.version else { throw WireError("their version is \(version)", isNewer: version > Self.version) }
        var events: [StoredEvent] = []
        var time: Int64 = 0
        while !reader.isAtEnd {
            let head = try reader.byte()
            guard let action = TrackedAction(rawValue: head & 7), let method = TrackedMethod(rawValue: head >> 3 & 3),
                let visitor = VisitorClass(rawValue: head >> 5 & 3)
            else { throw WireError("no event begins with \(head)") }
            time += Int64(try reader.number(atMost: UInt64(WireLimit.time.upperBound - time)))
            let link = action == .click ? UInt16(try reader.number(atMost: UInt64(UInt16.max))) : 0
            let client = Int64(try reader.number(atMost: 1 << 50))
            var event = TrackedEvent(action, by: method, mailing: 0, batch: 0, index: 0, link: link, time: time)
            event.visitor = try reader.fixed()
            let length = Int(try reader.number(atMost: UInt64(TrackedEvent.addressBytes)))
            if length > 0 { event.address = String(decoding: try reader.bytes(length), as: UTF8.self) }
            event.damaged = head & 0x80 != 0
            var stored = StoredEvent(event, client: client)
            stored.visitor = visitor
            events.append(stored)
        }
        return events
    }

    /// What the recipient chose last for mailings like this one, and when; nil for nothing. What was saved on the page of preferences is
    /// not kept here. Of two choices at one moment the one not to be sent to holds.
    var choice: (isUnsubscribed: Bool, at: Int64)? {
        let last = filter { $0.isChoice && $0.action != .preferences && $0.isCounted }.max {
            ($0.time, $0.action == .unsubscribe ? 1 : 0) < ($1.time, $1.action == .unsubscribe ? 1 : 0)
        }
        return last.map { ($0.action == .unsubscribe, $0.time) }
    }
}
