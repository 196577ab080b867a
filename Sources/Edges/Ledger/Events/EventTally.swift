import Model
import Policy

/// What a transaction changes in the counters of one mailing's events. The counters always are what all its recipients' events add up
/// to: a recipient whose events change is taken out as it was, and put in as it is.
struct EventTally {
    /// What is counted: an action, of one class of visitors or of all, and of one link or of all.
    struct Key: Hashable, Comparable {
        /// 2 bits of class (0: all), 3 of action, 17 of link (0: all, otherwise the link's place and 1).
        fileprivate let bits: UInt64

        init(_ visitor: VisitorClass?, _ action: TrackedAction, link: UInt16? = nil) {
            bits = UInt64(visitor?.rawValue ?? 0) << 20 | UInt64(action.rawValue) << 17 | (link.map { UInt64($0) + 1 } ?? 0)
        }

        fileprivate init(bits: UInt64) { self.bits = bits }

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

        /// Above all bits of a `Key`.
        private static let mark: UInt64 = 1 << 63

        /// The mark, the hour, 2 bits of class, 3 of action.
        fileprivate var bits: UInt64 {
            Self.mark | UInt64(clamping: hour) << 5 | UInt64(visitor.rawValue) << 3 | UInt64(action.rawValue)
        }

        init(hour: Int64, visitor: VisitorClass, action: TrackedAction) { (self.hour, self.visitor, self.action) = (hour, visitor, action) }

        /// Nil for the bits of a `Key`.
        fileprivate init?(bits: UInt64) {
            guard bits & Self.mark != 0, let visitor = VisitorClass(rawValue: UInt8(bits >> 3 & 3)),
                let action = TrackedAction(rawValue: UInt8(bits & 7))
            else { return nil }
            self.init(hour: Int64((bits & ~Self.mark) >> 5), visitor: visitor, action: action)
        }
    }

    struct Count: Equatable {
        var events = 0
        /// Recipients with such an event.
        var recipients = 0
    }

    private(set) var counts: [Key: Count] = [:]
    private(set) var hours: [Hour: Int] = [:]

    init() {}

    /// Takes out the events of one recipient as they were, and puts them in as they are. What is the same in both costs little.
    mutating func change(from before: [StoredEvent], to after: [StoredEvent]) {
        let (old, new) = (Self.keys(before), Self.keys(after))
        var (oldPlace, newPlace) = (0, 0)
        while oldPlace < old.count || newPlace < new.count {
            let key = oldPlace == old.count ? new[newPlace] : newPlace == new.count ? old[oldPlace] : min(old[oldPlace], new[newPlace])
            let (oldStart, newStart) = (oldPlace, newPlace)
            while oldPlace < old.count, old[oldPlace] == key { oldPlace += 1 }
            while newPlace < new.count, new[newPlace] == key { newPlace += 1 }
            let (oldCount, newCount) = (oldPlace - oldStart, newPlace - newStart)
            guard oldCount != newCount else { continue }
            if let hour = Hour(bits: key) {
                hours[hour, default: 0] += newCount - oldCount
            } else {
                counts[Key(bits: key), default: Count()].events += newCount - oldCount
                counts[Key(bits: key)]?.recipients += min(newCount, 1) - min(oldCount, 1)
            }
        }
    }

    /// What the events of one recipient are counted by, in order, each as often as there are events.
    private static func keys(_ events: [StoredEvent]) -> [UInt64] {
        var keys: [UInt64] = []
        keys.reserveCapacity(events.count * 5)
        for event in events where event.isCounted {
            keys.append(Key(nil, event.action).bits)
            keys.append(Key(event.visitor, event.action).bits)
            if event.action == .click {
                keys.append(Key(nil, .click, link: event.link).bits)
                keys.append(Key(event.visitor, .click, link: event.link).bits)
            }
            keys.append(Hour(hour: event.time / 3_600_000, visitor: event.visitor, action: event.action).bits)
        }
        keys.sort()
        return keys
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
