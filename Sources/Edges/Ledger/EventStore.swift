package import Model

/// What visitors of messages' links did: each event is kept, and counted once.
package protocol EventStore: Sendable {
    /// Keeps events, each once, in one transaction with what follows from them: an unsubscribed recipient is suppressed, one who subscribed
    /// again is not, and a held recipient by whom a person came is sent. Few events are counted in the same transaction; of many only what
    /// acts at once is, and the others wait in a log until `countEvents`. Batches may come in any order and more than once. A recipient's
    /// events are classified together, so that later ones can change what earlier ones count as.
    /// - Parameters:
    ///   - letters: entries that could not be read.
    ///   - countingAtMost: more new events than these wait.
    ///   - now: milliseconds since 1970.
    func write(
        events batches: [EventBatch], letters: [DeadLetter], _ rules: EventRules, countingAtMost: Int, now: Int64
    ) async throws(LedgerError) -> EventSummary

    /// Counts events that wait in the log, in one transaction: those of the slices of mailings that have the most, a bounded number.
    /// - Parameters:
    ///   - id: of this mailing alone; nil for all.
    ///   - least: slices with fewer events are left.
    /// - Returns: among others, how many were `taken` from the log, none where no slice has so many, and how many are still `waiting`.
    func countEvents(
        of id: MailingID?, inSlicesOf least: Int, _ rules: EventRules, now: Int64
    ) async throws(LedgerError) -> EventSummary

    /// Events of all mailings that are kept and not counted yet.
    func uncountedEvents() async throws(LedgerError) -> Int

    /// What a mailing's events add up to, from counters alone; nil where there are none.
    func eventReport(_ id: MailingID) async throws(LedgerError) -> EventReport?

    /// Classifies the events of some recipients of a mailing again, in one transaction.
    /// - Parameters:
    ///   - after: the last recipient of the part before; nil for the first part.
    ///   - limit: recipients at most.
    ///   - order: gets an audit entry with the last part; nil where nobody gave one.
    func recountEvents(
        _ id: MailingID, after: EventPlace?, limit: Int, _ rules: EventRules, order: EventRecountOrder?
    ) async throws(LedgerError) -> EventRecount

    /// Compares the counters of a mailing's events with all of its events.
    /// - Returns: what does not agree, a sentence each.
    func checkEvents(_ id: MailingID) async throws(LedgerError) -> [String]
}

extension EventStore {
    package func write(
        events batches: [EventBatch], letters: [DeadLetter], _ rules: EventRules, now: Int64
    ) async throws(LedgerError) -> EventSummary {
        try await write(events: batches, letters: letters, rules, countingAtMost: EventPace.atOnce, now: now)
    }

    /// Counts all events that wait in slices of at least `least`.
    /// - Parameters:
    ///   - now: milliseconds since 1970.
    ///   - note: is told what each transaction did.
    /// - Returns: whether none waits any more.
    package func countEvents(
        inSlicesOf least: Int, _ rules: EventRules, now: Int64, note: (EventSummary) -> Void
    ) async throws(LedgerError) -> Bool {
        while true {
            let summary = try await countEvents(of: nil, inSlicesOf: least, rules, now: now)
            note(summary)
            if summary.waiting == 0 { return true }
            if summary.taken == 0 { return false }
        }
    }

    package func recountEvents(
        _ id: MailingID, after: EventPlace?, limit: Int, _ rules: EventRules
    ) async throws(LedgerError) -> EventRecount { try await recountEvents(id, after: after, limit: limit, rules, order: nil) }

    /// Classifies all events of a mailing again, in parts, between which others write, and counts those that wait. Events that arrive
    /// meanwhile are counted as ever.
    /// - Parameters:
    ///   - now: milliseconds since 1970.
    ///   - note: the order that it carries out.
    ///   - onPart: is told what was done so far.
    package func recountEvents(
        _ id: MailingID, _ rules: EventRules, note: AuditNote? = nil, now: Int64, onPart: (EventRecount) -> Void = { _ in }
    ) async throws(LedgerError) -> EventRecount {
        while try await countEvents(of: id, inSlicesOf: 1, rules, now: now).taken > 0 {}
        var all = EventRecount()
        while true {
            let order = note.map { EventRecountOrder(note: $0, changed: all.changed, now: now) }
            let part = try await recountEvents(id, after: all.last, limit: 2000, rules, order: order)
            all.recipients += part.recipients
            all.events += part.events
            all.changed += part.changed
            onPart(all)
            guard let last = part.last else { return all }
            all.last = last
        }
    }
}

/// The order to classify a mailing's events again, for the audit log.
package struct EventRecountOrder: Sendable {
    var note: AuditNote
    /// Events that have another class by the parts before.
    var changed: Int
    var now: Int64
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
    /// Events of recipients that a mailing never had, or that belong to a damaged row.
    package var invalid = 0
    /// What of the ledger is damaged, for people; nil for nothing.
    package var damage: String?
    /// Events beyond what is kept of one recipient.
    package var excess = 0
    /// Events that went into the log, and wait there to be counted.
    package var logged = 0
    /// Events that were taken from the log.
    package var taken = 0
    /// Events that are in the log now, of all mailings; nil where that was not looked at.
    package var waiting: Int?
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
    /// As that of `WriteSummary`.
    package var standing: String?

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
