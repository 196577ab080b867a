package import Model

/// Says whose visits of links were: of one visit what it shows by itself, and of all visits of a recipient what they show together. It
/// decides what is counted, never what a visitor gets.
package struct EventClassifier: Sendable {
    package let rules: VisitorRules

    package init(_ rules: VisitorRules = .builtIn) { self.rules = rules }

    /// What one visit shows: its method, user agent and network.
    ///
    /// A POST is never a machine's: whoever presses the button of a mailbox's provider comes by that provider's servers, whatever they call
    /// themselves (RFC 8058 section 3).
    package func classify(_ event: TrackedEvent) -> VisitorClass {
        if event.damaged { return .machine }
        let visitor = rule(for: event)?.visitor ?? .human
        return event.method == .post && visitor == .machine ? .proxied : visitor
    }

    /// The rule that decides about one visit; nil where none fits, and the visitor is taken for a person.
    package func rule(for event: TrackedEvent) -> VisitorRule? {
        let agent = AgentText(event.agent)
        return rules.rules.first { $0.fits(event, agent) }
    }

    /// What the visits of one recipient of one mailing show together, in the order in which they were given.
    /// - Parameters:
    ///   - visits: in any order.
    ///   - linksOfMessage: the links of the message that are counted; 0 where it is not known.
    package func classify(_ visits: [TrackedEvent], linksOfMessage: Int) -> [VisitorClass] {
        classify(visits, linksOfParts: [linksOfMessage])
    }

    /// The same for a message of several parts, as HTML and text, which have links of their own: a scanner may read only one of them.
    /// - Parameter linksOfParts: how many links each part has; they are numbered through the parts.
    package func classify(_ visits: [TrackedEvent], linksOfParts: [Int]) -> [VisitorClass] {
        classify(visits, singly: visits.map { classify($0) }, linksOfParts: linksOfParts)
    }

    /// Visits of one recipient's links by GET or HEAD below which all of them show no more together than each does by itself, unless a
    /// token was damaged.
    package var leastTogether: Int { max(1, min(rules.bursts.links, rules.bursts.allOf)) }

    /// The same where it is known what each visit shows by itself.
    package func classify(_ visits: [TrackedEvent], singly: [VisitorClass], linksOfParts: [Int]) -> [VisitorClass] {
        var classes = singly
        let order = visits.indices.sorted { (visits[$0].time, $0) < (visits[$1].time, $1) }
        let search = BurstSearch(visits, rules.bursts)
        for burst in search.bursts(order, linksOfParts) {
            for index in search.members(of: burst, order, classes) { classes[index] = .machine }
        }
        for index in search.besideDamaged(order) { classes[index] = .machine }
        return classes
    }
}
