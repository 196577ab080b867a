package import Model
package import Policy

/// What a mailing's visitors did, in numbers: people, people behind proxies and machines apart.
package struct EventReport: Sendable, Equatable {
    package struct Count: Sendable, Equatable, Encodable {
        /// Events.
        package var total = 0
        /// Recipients with such an event.
        package var unique = 0

        package init(total: Int = 0, unique: Int = 0) { (self.total, self.unique) = (total, unique) }
    }

    /// The counts of one action, or of one link's clicks.
    package struct Counts: Sendable, Equatable {
        package var all = Count()
        package var classes: [VisitorClass: Count] = [:]

        package subscript(visitor: VisitorClass) -> Count { classes[visitor] ?? Count() }
    }

    package struct Link: Sendable, Equatable {
        /// Its place in the message, from 0.
        package var number: Int
        /// Where it leads, as the template has it; empty where the mailing does not tell.
        package var target = ""
        package var counts: Counts
    }

    /// A stretch of time in which somebody came.
    package struct Moment: Sendable, Equatable {
        /// Its start, in milliseconds since 1970.
        package var start: Int64
        package var events: [TrackedAction: [VisitorClass: Int]]

        package func count(_ action: TrackedAction, _ visitor: VisitorClass) -> Int { events[action]?[visitor] ?? 0 }
    }

    package var actions: [TrackedAction: Counts] = [:]
    /// Those that were followed, the most followed by people first; a thousand at most.
    package var links: [Link] = []
    /// What happened in each stretch of `hours` hours in which something did; at most some 200 of them.
    package var timeline: [Moment] = []
    package var hours: Int64 = 1
    /// Visits that are kept and not counted yet: while many come, they are counted some seconds later.
    package var waiting = 0
    /// The versions of the rules by which visits were classified; more than one where the rules were changed and not all visits classified
    /// again.
    package var rules: [String] = []

    package subscript(action: TrackedAction) -> Counts { actions[action] ?? Counts() }
}

extension EventReport: Encodable {
    private enum Key: String, CodingKey {
        case opened, clicked, viewed, unsubscribed, resubscribed
        case preferences = "changed_preferences"
        case links, timeline, hours, waiting, rules
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(self[.open], forKey: .opened)
        try container.encode(self[.click], forKey: .clicked)
        try container.encode(self[.view], forKey: .viewed)
        try container.encode(self[.unsubscribe], forKey: .unsubscribed)
        try container.encode(self[.resubscribe], forKey: .resubscribed)
        try container.encode(self[.preferences], forKey: .preferences)
        try container.encode(links, forKey: .links)
        try container.encode(timeline, forKey: .timeline)
        try container.encode(hours, forKey: .hours)
        try container.encode(waiting, forKey: .waiting)
        try container.encode(rules, forKey: .rules)
    }
}

extension EventReport.Counts: Encodable {
    private enum Key: String, CodingKey { case all, human, proxied, machine }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(all, forKey: .all)
        try container.encode(self[.human], forKey: .human)
        try container.encode(self[.proxied], forKey: .proxied)
        try container.encode(self[.machine], forKey: .machine)
    }
}

extension EventReport.Link: Encodable {
    private enum Key: String, CodingKey { case link, target, clicked }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(number, forKey: .link)
        try container.encode(target, forKey: .target)
        try container.encode(counts, forKey: .clicked)
    }
}

extension EventReport.Moment: Encodable {
    private enum Key: String, CodingKey { case start, opened, clicked }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(MailingReport.text(start), forKey: .start)
        for (action, key) in [(TrackedAction.open, Key.opened), (.click, .clicked)] {
            let counts = VisitorClass.allCases.map { ($0.name, count(action, $0)) }
            try container.encode(Dictionary(counts, uniquingKeysWith: +), forKey: key)
        }
    }
}

/// What a visitor did with one recipient's message.
package struct EventDetail: Sendable, Equatable {
    package var action: TrackedAction
    package var method: TrackedMethod
    package var visitor: VisitorClass
    /// When, by the tracker's clock, in milliseconds since 1970.
    package var at: Int64
    /// The link's place in the message; nil unless a click.
    package var link: Int?
    package var agent: String
    /// The named range of addresses that the visitor came from; empty for none.
    package var network: String
    /// Empty unless addresses are kept.
    package var address: String
}
