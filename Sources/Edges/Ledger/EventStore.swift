package import Model
package import Policy
import Synchronization

/// What visitors of messages' links did: each event is kept, and counted once.
package protocol EventStore: Sendable {
    /// Writes events, with all counters that they change, in one transaction, and what follows from them: an unsubscribed recipient is
    /// suppressed, one who subscribed again is not, and a held recipient by whom a person came is sent. Batches may come in any order and
    /// more than once. A recipient's events are classified together, so that later ones can change what earlier ones count as.
    /// - Parameters:
    ///   - letters: entries that could not be read.
    ///   - now: milliseconds since 1970.
    func write(
        events batches: [EventBatch], letters: [DeadLetter], _ rules: EventRules, now: Int64
    ) async throws(LedgerError) -> EventSummary

    /// What a mailing's events add up to, from counters alone; nil where there are none.
    func eventReport(_ id: MailingID) async throws(LedgerError) -> EventReport?

    /// Classifies the events of some recipients of a mailing again, in one transaction.
    /// - Parameters:
    ///   - after: the last recipient of the part before; nil for the first part.
    ///   - limit: recipients at most.
    func recountEvents(
        _ id: MailingID, after: EventPlace?, limit: Int, _ rules: EventRules
    ) async throws(LedgerError) -> EventRecount

    /// Compares the counters of a mailing's events with all of its events.
    /// - Returns: what does not agree, a sentence each.
    func checkEvents(_ id: MailingID) async throws(LedgerError) -> [String]
}

extension EventStore {
    /// Classifies all events of a mailing again, in parts, between which others write. Events that arrive meanwhile are counted as ever.
    /// - Parameter onPart: is told what was done so far.
    package func recountEvents(_ id: MailingID, _ rules: EventRules, onPart: (EventRecount) -> Void = { _ in }) async throws(LedgerError)
        -> EventRecount
    {
        var all = EventRecount()
        while true {
            let part = try await recountEvents(id, after: all.last, limit: 2000, rules)
            all.recipients += part.recipients
            all.events += part.events
            all.changed += part.changed
            onPart(all)
            guard let last = part.last else { return all }
            all.last = last
        }
    }
}

/// Tells people from machines.
package final class EventRules: Sendable {
    package typealias Classify = @Sendable (_ visits: [TrackedEvent], _ linksOfParts: [Int]) -> [VisitorClass]

    /// Finds links that many of one domain followed at once; nil where nobody looks for them.
    package let domains: EventClassifier?
    private let classify: Classify
    private let links: (@Sendable (Mailing) -> [Int])?
    /// The links of mailings' messages.
    private let known = Mutex<[MailingID: [Int]]>([:])
    /// Mailings at most that are remembered.
    private static let most = 1_000

    /// - Parameters:
    ///   - links: how many links each part of a mailing's messages has; nil where that is not known.
    ///   - domains: the classifier of links that many of one domain follow at once.
    ///   - classify: the classes of one recipient's events, which are in the order of their times.
    package init(
        links: (@Sendable (Mailing) -> [Int])? = nil, domains: EventClassifier? = nil, classify: @escaping Classify
    ) {
        (self.links, self.domains, self.classify) = (links, domains, classify)
    }

    /// Everybody is a person.
    package static let none = EventRules { visits, _ in visits.map { _ in .human } }

    /// The class of each of some events.
    func classes(of visits: [TrackedEvent], links: [Int]) -> [VisitorClass] {
        let classes = classify(visits, links)
        return classes.count == visits.count ? classes : visits.map { _ in .human }
    }

    /// How many links each part of a mailing's messages has; empty where no rule asks, nil where its definition cannot be read.
    /// - Parameter read: reads its definition, which never changes; nil where that cannot be. It is asked again then.
    func links(of id: MailingID, _ read: () throws -> Mailing?) rethrows -> [Int]? {
        guard let links else { return [] }
        if let count = known.withLock({ $0[id] }) { return count }
        guard let count = try read().map(links) else { return nil }
        known.withLock { known in
            if known.count >= Self.most { known.removeAll() }
            known[id] = count
        }
        return count
    }
}

/// A recipient with events.
package struct EventPlace: Sendable, Equatable {
    package var batch: Int
    package var index: Int
}

/// What a write of events did.
package struct EventSummary: Sendable, Equatable {
    /// Events that are kept and counted now, by action.
    package var counted: [TrackedAction: Int] = [:]
    /// Events that had been counted before.
    package var duplicates = 0
    /// Events of mailings that are not there any more, or whose recipients are not.
    package var gone = 0
    /// Events of recipients that a mailing never had, or that belong to a row that is damaged.
    package var invalid = 0
    /// What of the ledger is damaged, for people; nil for nothing.
    package var damage: String?
    /// Events beyond what is kept of one recipient.
    package var excess = 0
    /// Suppressions that were added and are there, in any order.
    package var suppressed: [Suppression] = []
    /// Keys of those that were removed and are not there any more, in any order.
    package var unsuppressed: [Suppression.Key] = []
    /// Suppressions in force of people whose unsubscribing had been counted before: whoever wrote it may have ended before workers were
    /// told.
    package var suppressedBefore: [Suppression] = []
    /// Recipients who unsubscribed or took that back, and of whom no address is kept, nor what stands for it: nothing was changed.
    package var withoutAddress = 0
    /// Held recipients who turned out to have their message.
    package var settled = 0

    package init() {}
}

/// What a recount did.
package struct EventRecount: Sendable, Equatable {
    package var recipients = 0
    package var events = 0
    /// Events that are of another class now.
    package var changed = 0
    /// Where the next part begins; nil where nothing is left.
    package var last: EventPlace?

    package init() {}
}
