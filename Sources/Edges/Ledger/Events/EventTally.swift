import Model
import Policy

/// What a transaction changes in the counters of one mailing's events. The counters always are what all its recipients' events add up
/// to: a recipient whose events change is taken out as it was, and put in as it is.
struct EventTally {
    /// What is counted: an action, of one class of visitors or of all, and of one link or of all.
    struct Key: Hashable, Comparable {
        /// 2 bits of class (0: all), 3 of action, 17 of link (0: all, otherwise the link's place and 1).
        private let bits: UInt32

        init(_ visitor: VisitorClass?, _ action: TrackedAction, link: UInt16? = nil) {
            bits = UInt32(visitor?.rawValue ?? 0) << 20 | UInt32(action.rawValue) << 17 | (link.map { UInt32($0) + 1 } ?? 0)
        }

        /// A `VisitorClass`; 0 for all.
        var visitor: Int { Int(bits >> 20) }
        var action: Int { Int(bits >> 17 & 7) }
        /// -1 for all.
        var link: Int { Int(bits & 0x1ffff) - 1 }

        static func < (left: Key, right: Key) -> Bool { left.bits < right.bits }
    }

    /// An action of a class of visitors within an hour.
    struct Hour: Hashable {
        /// Since 1970.
        var hour: Int64
        var visitor: VisitorClass
        var action: TrackedAction
    }

    struct Count: Equatable {
        var events = 0
        /// Recipients with such an event.
        var recipients = 0
    }

    private(set) var counts: [Key: Count] = [:]
    private(set) var hours: [Hour: Int] = [:]

    init() {}

    /// Adds the events of one recipient, or takes them out.
    /// - Parameter sign: 1 or -1.
    mutating func add(_ events: [StoredEvent], _ sign: Int) {
        guard !events.isEmpty else { return }
        var keys: [Key] = []
        keys.reserveCapacity(events.count * 4)
        for event in events where event.isCounted {
            keys.append(Key(nil, event.action))
            keys.append(Key(event.visitor, event.action))
            if event.action == .click {
                keys.append(Key(nil, .click, link: event.link))
                keys.append(Key(event.visitor, .click, link: event.link))
            }
            hours[Hour(hour: event.time / 3_600_000, visitor: event.visitor, action: event.action), default: 0] += sign
        }
        keys.sort()
        var last: Key?
        for key in keys {
            counts[key, default: Count()].events += sign
            if key != last { counts[key]?.recipients += sign }
            last = key
        }
    }

    func store(_ db: any SQLTransaction, _ id: MailingID) throws {
        for (key, count) in counts.sorted(by: { $0.key < $1.key }) where count != Count() {
            try db.add(
                to: "event_count", ["mailing": id.description, "class": key.visitor, "action": key.action, "link": key.link],
                ["n": count.events, "recipients": count.recipients])
        }
        for (hour, count) in hours where count != 0 {
            try db.add(
                to: "event_hour",
                [
                    "mailing": id.description, "hour": hour.hour, "class": Int(hour.visitor.rawValue), "action": Int(hour.action.rawValue),
                ], ["n": count])
        }
    }
}
