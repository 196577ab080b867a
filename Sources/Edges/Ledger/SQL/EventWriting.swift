import Model
import Policy

/// The writing of events within one transaction. What visitors of some neighbours did stands in one row, which is read, added to,
/// classified anew and written: so the counters are exact whatever the order in which events come, and whatever later ones show of earlier
/// ones.
struct EventWriting {
    /// What a recipient chose.
    struct Choice {
        var batch: BatchID
        var index: Int
        var isUnsubscribed: Bool
        /// Milliseconds since 1970.
        var at: Int64
    }

    /// Somebody who is no machine came by a recipient's message.
    struct Arrival {
        var batch: BatchID
        var index: Int
    }

    let db: any SQLTransaction
    let rules: EventRules
    var clients: EventClients
    var tallies: [MailingID: EventTally] = [:]
    /// Mailings whose definitions this release cannot read.
    var unreadable: Set<MailingID> = []
    /// What visits by some clients show by themselves.
    var singles: [UInt64: VisitorClass] = [:]
    /// The places of recipients in some batches, of whose visits something follows.
    private var heldPlaces: [BatchID: Set<Int>] = [:]
    private var holdings: [MailingID: (bounced: Bool, uncertain: Bool)] = [:]
    var choices: [Choice] = []
    /// What recipients chose by events that had been counted before.
    private(set) var choicesAgain: [Choice] = []
    /// What recipients of mailings chose that are gone, or whose recipients are.
    private(set) var prunedChoices: [TrackedEvent] = []
    /// What recipients saved on the page of preferences: what is new, what had been counted before, and of what that cannot be told.
    private(set) var preferences: [TrackedEvent] = []
    private(set) var preferencesAgain: [TrackedEvent] = []
    private(set) var preferencesInDoubt: [TrackedEvent] = []
    var arrivals: [Arrival] = []
    /// Recipients whom somebody who is no machine came from, where any soft bounces are counted.
    private(set) var visited: Set<DeliveryAddresses.Place> = []
    private var countsSoftBounces: Bool?
    /// The events were in the log. A choice comes there by a restore alone, and was carried out by the ledger of before: what was removed
    /// from the list since stays removed.
    private(set) var isLogged = false
    var summary = EventSummary()

    init(_ db: any SQLTransaction, _ rules: EventRules) {
        self.db = db
        self.rules = rules
        clients = EventClients(db)
    }

    /// Takes those of some events that are new.
    /// - Parameter most: of more than these only what acts at once is counted, and the others are logged.
    mutating func add(_ batches: [EventBatch], countingAtMost most: Int, now: Int64) throws {
        let unseen = try unseen(batches, now: now)
        let events = unseen.events
        let ids = try mailings(Set(events.map(\.mailing)).union((unseen.again + unseen.doubtful).map(\.mailing)))
        choicesAgain = unseen.again.compactMap { Self.unsubscription($0, ids) }
        choices = unseen.doubtful.compactMap { Self.unsubscription($0, ids) }
        prunedChoices = [events, unseen.again, unseen.doubtful].joined().filter {
            $0.isChoiceMade && $0.action != .preferences && ids[$0.mailing] == nil
        }
        preferences = events.filter { $0.isChoiceMade && $0.change != nil }
        (preferencesAgain, preferencesInDoubt) = (unseen.again.filter { $0.change != nil }, unseen.doubtful.filter { $0.change != nil })
        for (id, places) in places(of: events, ids) {
            let due = try events.count <= most ? places : log(places, events, id)
            try count(due, events, of: id)
        }
        try storeTallies()
    }

    /// The new events of each mailing, by their recipients.
    private mutating func places(of events: [TrackedEvent], _ ids: [UInt32: MailingID]) -> [(id: MailingID, places: [EventOrder])] {
        var places: [MailingID: [EventOrder]] = [:]
        // Neighbours are mostly of one mailing.
        var (last, number, run): (MailingID?, UInt32?, [EventOrder]) = (nil, nil, [])
        func end() { if let last, !run.isEmpty { places[last, default: []] += run } }
        for (place, event) in events.enumerated() {
            if event.mailing != number {
                end()
                (last, number, run) = (ids[event.mailing], event.mailing, [])
            }
            if last == nil {
                summary.gone += 1
            } else if !Self.isPossible(event) {
                summary.invalid += 1
            } else {
                run.append(EventOrder(event, place))
            }
        }
        end()
        return places.map { ($0.key, $0.value.sorted()) }.sorted { $0.id < $1.id }
    }

    /// Those of some mailings whose recipients are kept, by their numbers.
    private func mailings(_ numbers: Set<UInt32>) throws -> [UInt32: MailingID] {
        let numbers = numbers.sorted()
        let found: [String?] = try db.firstRows(
            "SELECT id FROM mailing WHERE number = ? AND pruned IS NULL", numbers.map { [Int($0)] }
        ) { row, _ in try row.read(0) }
        let known = zip(numbers, found).compactMap { number, id in id.flatMap { MailingID($0) }.map { (number, $0) } }
        return Dictionary(known) { first, _ in first }
    }

    /// Logs the events of a mailing but those of recipients by whose events something happens at once: a choice, or that a recipient who is
    /// held, or whose message came back, is found to have it. All choices are counted at once, so that the last one is known.
    /// - Returns: the others.
    private mutating func log(_ places: [EventOrder], _ events: [TrackedEvent], _ id: MailingID) throws -> [EventOrder] {
        let choosing = Set(places.filter { events[$0.event].isChoiceMade }.map(\.recipient))
        var (urgent, others): ([EventOrder], [TrackedEvent]) = ([], [])
        others.reserveCapacity(places.count)
        var number: Int?
        var held: Set<Int> = []
        for place in places {
            if place.batch != number {
                number = place.batch
                held = try self.held(BatchID(mailing: id, number: place.batch))
            }
            if !choosing.isEmpty && choosing.contains(place.recipient) || !held.isEmpty && held.contains(place.index) {
                urgent.append(place)
            } else {
                others.append(events[place.event])
            }
        }
        try EventLog(db).append(others, of: id)
        summary.logged += others.count
        return urgent
    }

    /// Counts events that were logged.
    mutating func countLogged(of id: MailingID?, inSlicesOf least: Int) throws {
        let log = EventLog(db)
        isLogged = true
        for slice in try log.slices(of: id, least: least) where summary.taken < EventPace.taken {
            let found = try log.take(slice, most: EventPace.taken - summary.taken)
            try SQLLedger.keep(found.letters, db)
            if found.unread > 0 { summary.damage = "\(found.unread) logged events of mailing \(slice.mailing) cannot be read" }
            summary.invalid += found.unread
            summary.taken += found.unread + found.events.count
            guard try db.one(Bool.self, "SELECT pruned IS NULL FROM mailing WHERE id = ?", [slice.mailing.description]) == true else {
                summary.gone += found.events.count
                continue
            }
            try count(found.events.indices.map { EventOrder(found.events[$0], $0) }.sorted(), found.events, of: slice.mailing)
        }
        try storeTallies()
        summary.waiting = try log.waiting()
        if summary.waiting == 0 { try findVisited(of: id) }
    }

    mutating func storeTallies() throws {
        for (id, tally) in tallies.sorted(by: { $0.key < $1.key }) { try tally.store(db, id) }
        tallies = [:]
    }

    /// The places in a batch of the recipients of whom it is not known whether they have their message, and of those whose messages came
    /// back: a person who has seen the message settles the one, and outweighs the other.
    private mutating func held(_ batch: BatchID) throws -> Set<Int> {
        let holding = try holding(batch.mailing)
        guard holding.bounced || holding.uncertain else { return [] }
        if let known = heldPlaces[batch] { return known }
        let values: [any SQLConvertible] = [batch.mailing.description, batch.number]
        var places: Set<Int> = []
        if holding.bounced { places.formUnion(try db.all(Int.self, "SELECT idx FROM bounce WHERE mailing = ? AND batch = ?", values)) }
        if holding.uncertain {
            places.formUnion(
                try db.all(
                    Int.self,
                    """
                    SELECT DISTINCT u.idx FROM uncertain u
                    \(db.orderedJoin) progress p ON p.mailing = u.mailing AND p.number = u.batch
                    WHERE u.mailing = ? AND u.batch = ? \(SQLLedger.isHeld)
                    """, values))
        }
        heldPlaces[batch] = places
        return places
    }

    /// Whether a mailing has any such recipients: most have none, and their batches are not asked about.
    private mutating func holding(_ id: MailingID) throws -> (bounced: Bool, uncertain: Bool) {
        if let known = holdings[id] { return known }
        let isAny = try db.one(Bool.self, "SELECT EXISTS (SELECT 1 FROM bounce WHERE mailing = ?)", [id.description])
        let found = (bounced: isAny == true, uncertain: try SQLLedger.states(db, id)[.uncertain, default: 0] > 0)
        holdings[id] = found
        return found
    }
}

extension EventWriting {
    /// Adds events to those of one recipient.
    mutating func add(_ new: [StoredEvent], to before: [StoredEvent], _ batch: BatchID, _ index: Int) throws -> [StoredEvent] {
        for event in new { summary.counted[event.action, default: 0] += 1 }
        var all = before + new
        if zip(all, all.dropFirst()).contains(where: { $0.time > $1.time }) { all.sort { $0.time < $1.time } }
        try classify(&all, batch.mailing)
        try tell(new, among: all, batch, index)
        tallies[batch.mailing, default: EventTally()].change(from: before, to: all)
        if new.contains(where: { $0.isChoice && $0.action != .preferences && $0.isCounted }), let choice = all.choice {
            choices.append(Choice(batch: batch, index: index, isUnsubscribed: choice.isUnsubscribed, at: choice.at))
        }
        if all.contains(where: { $0.visitor != .machine && $0.isCounted }), try held(batch).contains(index) {
            arrivals.append(Arrival(batch: batch, index: index))
        }
        if new.contains(where: { $0.visitor != .machine && $0.isCounted }), try isSoftBounced() {
            visited.insert(DeliveryAddresses.Place(batch: batch, index: index))
        }
        return all
    }
}

extension EventWriting {
    private mutating func isSoftBounced() throws -> Bool {
        let isAny = try countsSoftBounces ?? SoftBounces.isAny(db)
        countsSoftBounces = isAny
        return isAny
    }

    /// Notes new events for webhooks, each with the class that it has now: what later visits show of it is not told again.
    private func tell(_ new: [StoredEvent], among all: [StoredEvent], _ batch: BatchID, _ index: Int) throws {
        var told: Set<Int> = []
        // What was saved on the page of preferences, and who subscribes again, is told of where it takes effect.
        for event in new where event.isCounted && event.action != .preferences && event.action != .resubscribe {
            let type = WebhookType(event.action)
            guard try db.outbox.wants(type, db) else { continue }
            let place = all.indices.last { place in
                var other = all[place]
                other.visitor = event.visitor
                return other == event && !told.contains(place)
            }
            var one = WebhookEvent(type, batch: batch.number, index: index, at: event.time)
            one.link = Int(event.link)
            if let place {
                told.insert(place)
                one.visitor = all[place].visitor
            }
            db.outbox.add(one, of: batch.mailing)
        }
    }
}

extension TrackedEvent {
    /// Somebody said what the recipient wants, and did not only look at the page that asks.
    fileprivate var isChoiceMade: Bool { action.isChoice && method == .post }
}
