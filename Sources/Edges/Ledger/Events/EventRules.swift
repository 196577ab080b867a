package import Model
package import Policy
import Synchronization

/// Tells people from machines.
package final class EventRules: Sendable {
    package typealias Links = @Sendable (Mailing) -> [Int]
    /// The classes of one recipient's events, which are in the order of their times.
    package typealias Classify = @Sendable (_ visits: [TrackedEvent], _ linksOfParts: [Int]) -> [VisitorClass]

    /// What a class was given by: it is another one whenever the rules are; empty where nobody asks.
    package let version: String
    private let classify: Classify
    /// Says also what a visit shows by itself, and finds links that many of one domain followed at once; nil where only all visits of a
    /// recipient say something.
    package let classifier: EventClassifier?
    private let links: Links?
    /// Visits of links by GET or HEAD below which a recipient's visits need not be looked at together; nil where they always are.
    let leastTogether: Int?
    private struct Known {
        /// The links of mailings' messages.
        var links: [MailingID: [Int]] = [:]
        /// What single visits show.
        var classes: [SingleVisit: VisitorClass] = [:]
    }
    private let known = Mutex(Known())
    /// Mailings, and kinds of visits, at most that are remembered.
    private static let most = (mailings: 1_000, visits: 50_000)

    /// - Parameters:
    ///   - links: how many links each part of a mailing's messages has; nil where that is not known.
    ///   - classify: the classes of one recipient's events.
    package init(version: String = "", links: Links? = nil, classify: @escaping Classify) {
        (self.version, self.links, self.classify) = (version, links, classify)
        classifier = nil
        leastTogether = nil
    }

    package init(_ classifier: EventClassifier, links: @escaping Links) {
        version = classifier.rules.version
        self.links = links
        self.classifier = classifier
        leastTogether = classifier.leastTogether
        classify = { visits, links in classifier.classify(visits, linksOfParts: links) }
    }

    /// Everybody is a person.
    package static let none = EventRules { visits, _ in visits.map { _ in .human } }

    /// The class of each of some events.
    func classes(of visits: [TrackedEvent], links: [Int]) -> [VisitorClass] {
        let classes = classify(visits, links)
        return classes.count == visits.count ? classes : visits.map { _ in .human }
    }

    /// The same where it is known what each visit shows by itself.
    func classes(of visits: [TrackedEvent], singly: [VisitorClass], links: [Int]) -> [VisitorClass] {
        classifier?.classify(visits, singly: singly, linksOfParts: links) ?? classes(of: visits, links: links)
    }

    /// What a visit shows by itself.
    func singleClass(of visit: TrackedEvent) -> VisitorClass {
        guard let classifier else { return .human }
        let key = SingleVisit(visit)
        if let found = known.withLock({ $0.classes[key] }) { return found }
        let found = classifier.classify(visit)
        known.withLock { known in
            if known.classes.count >= Self.most.visits { known.classes.removeAll() }
            known.classes[key] = found
        }
        return found
    }

    /// How many links each part of a mailing's messages has; empty where no rule asks, nil where its definition cannot be read.
    /// - Parameter read: reads its definition, which never changes; nil where that cannot be. It is asked again then.
    func links(of id: MailingID, _ read: () throws -> Mailing?) rethrows -> [Int]? {
        guard let links else { return [] }
        if let count = known.withLock({ $0.links[id] }) { return count }
        guard let count = try read().map(links) else { return nil }
        known.withLock { known in
            if known.links.count >= Self.most.mailings { known.links.removeAll() }
            known.links[id] = count
        }
        return count
    }
}

/// What of a visit says by itself whose it was.
private struct SingleVisit: Hashable {
    let client: EventClient
    let action: TrackedAction
    let method: TrackedMethod
    let damaged: Bool

    init(_ visit: TrackedEvent) {
        client = EventClient(visit)
        (action, method, damaged) = (visit.action, visit.method, visit.damaged)
    }
}
