import Model
import Policy

/// The writing of events within one transaction. What a recipient's visitors did stands in one row, which is read, added to, classified
/// anew and written: so the counters are exact whatever the order in which events come, and whatever later ones show of earlier ones.
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

    /// The new events of one recipient, as a range of `order`.
    private struct Visit {
        var key: UInt64
        var range: Range<Int>
    }

    /// Recipients whose rows are in memory at a time.
    private static let recipientsAtOnce = 500

    let db: any SQLTransaction
    private let rules: EventRules
    private var clients: EventClients
    private var tallies: [MailingID: EventTally] = [:]
    private(set) var choices: [Choice] = []
    private(set) var arrivals: [Arrival] = []
    private(set) var summary = EventSummary()

    init(_ db: any SQLTransaction, _ rules: EventRules) {
        self.db = db
        self.rules = rules
        clients = EventClients(db)
    }

    mutating func add(_ batches: [EventBatch], now: Int64) throws {
        let events = try unseen(batches, now: now)
        guard !events.isEmpty else { return }
        let mailings = try mailings(of: events)
        let places = Dictionary(uniqueKeysWithValues: mailings.enumerated().map { ($1.number, UInt64($0)) })
        // By mailing, batch and place in it, as the rows are stored; then as they came.
        var order: [(key: UInt64, event: Int)] = []
        order.reserveCapacity(events.count)
        for (number, event) in events.enumerated() {
            guard let place = places[event.mailing] else {
                summary.gone += 1
                continue
            }
            guard event.batch < TrackedEvent.batches, event.index < TrackedEvent.indexes, WireLimit.time.contains(event.time) else {
                summary.invalid += 1
                continue
            }
            order.append((place << 34 | UInt64(event.batch) << 14 | UInt64(event.index), number))
        }
        order.sort { ($0.key, $0.event) < ($1.key, $1.event) }
        let visits = try existing(Self.visits(order), mailings)
        var wanted: Set<EventClient> = []
        for visit in visits { for place in visit.range { wanted.insert(EventClient(events[order[place].event])) } }
        try clients.note(wanted)
        var first = 0
        while first < visits.count {
            let end = min(first + Self.recipientsAtOnce, visits.count)
            try add(visits[first..<end].map { visit in (self.place(visit.key, mailings), visit.range.map { events[order[$0].event] }) })
            first = end
        }
        for (id, tally) in tallies.sorted(by: { $0.key < $1.key }) { try tally.store(db, id) }
        tallies = [:]
    }

    /// The events that were not counted before; from now on they are.
    private mutating func unseen(_ batches: [EventBatch], now: Int64) throws -> [TrackedEvent] {
        let names = Set(batches.map(\.source)).sorted()
        let found: [SequenceRanges?] = try db.firstRows(
            "SELECT counted FROM event_source WHERE source = ?\(db.locking)", names.map { [Self.name(of: $0)] }
        ) { row, _ in try SequenceRanges(text: row.read(0)) }
        var sources = Dictionary(uniqueKeysWithValues: zip(names, found.map { $0 ?? SequenceRanges() }))
        var events: [TrackedEvent] = []
        for batch in batches where batch.sequence <= EventBatch.mostSequence {
            let range = batch.sequence..<batch.sequence + UInt64(batch.events.count)
            let fresh = sources[batch.source, default: SequenceRanges()].take(range)
            summary.duplicates += batch.events.count
            for part in fresh {
                let places = Int(part.lowerBound - batch.sequence)..<Int(part.upperBound - batch.sequence)
                summary.duplicates -= places.count
                events += batch.events[places]
            }
        }
        try db.runAll(
            """
            INSERT INTO event_source (source, counted, at) VALUES (?, ?, ?)
            ON CONFLICT (source) DO UPDATE SET counted = excluded.counted, at = excluded.at
            """, names.map { [Self.name(of: $0), sources[$0]?.text ?? "", now] })
        return events
    }

    private static func name(of source: UInt64) -> String {
        let digits = String(source, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The mailings of some events whose recipients are kept, by their ids.
    private func mailings(of events: [TrackedEvent]) throws -> [(number: UInt32, id: MailingID)] {
        let numbers = Set(events.map(\.mailing)).sorted()
        let found: [String?] = try db.firstRows(
            "SELECT id FROM mailing WHERE number = ? AND pruned IS NULL", numbers.map { [Int($0)] }
        ) { row, _ in try row.read(0) }
        return zip(numbers, found).compactMap { number, id in id.flatMap { MailingID($0) }.map { (number, $0) } }.sorted { $0.id < $1.id }
    }

    private static func visits(_ order: [(key: UInt64, event: Int)]) -> [Visit] {
        var visits: [Visit] = []
        for (place, item) in order.enumerated() {
            if let last = visits.indices.last, visits[last].key == item.key {
                visits[last].range = visits[last].range.lowerBound..<place + 1
            } else {
                visits.append(Visit(key: item.key, range: place..<place + 1))
            }
        }
        return visits
    }

    private func place(_ key: UInt64, _ mailings: [(number: UInt32, id: MailingID)]) -> (batch: BatchID, index: Int) {
        let batch = BatchID(mailing: mailings[Int(key >> 34)].id, number: Int(key >> 14 & 0xfffff))
        return (batch, Int(key & 0x3fff))
    }

    /// Leaves out recipients that there never were.
    private mutating func existing(_ visits: [Visit], _ mailings: [(number: UInt32, id: MailingID)]) throws -> [Visit] {
        let batches = Set(visits.map { $0.key >> 14 }).sorted()
        let counts: [Int?] = try db.firstRows(
            "SELECT count FROM batch WHERE mailing = ? AND number = ?",
            batches.map { [mailings[Int($0 >> 20)].id.description, Int($0 & 0xfffff)] }
        ) { row, _ in try row.read(0) }
        let sizes = Dictionary(uniqueKeysWithValues: zip(batches, counts))
        var kept: [Visit] = []
        kept.reserveCapacity(visits.count)
        for visit in visits {
            if let size = sizes[visit.key >> 14] ?? nil, Int(visit.key & 0x3fff) < size {
                kept.append(visit)
            } else {
                summary.invalid += visit.range.count
            }
        }
        return kept
    }
}

extension EventWriting {
    /// Adds events to those of their recipients.
    private mutating func add(_ new: [(place: (batch: BatchID, index: Int), events: [TrackedEvent])]) throws {
        let keys: [[any SQLConvertible]] = new.map { [$0.place.batch.mailing.description, $0.place.batch.number, $0.place.index] }
        let found: [[StoredEvent]?] = try db.firstRows(
            "SELECT data FROM event_recipient WHERE mailing = ? AND batch = ? AND idx = ?\(db.locking)", keys
        ) { row, _ in try [StoredEvent](packed: row.read(0)) }
        try clients.load(Set(found.flatMap { $0?.map(\.client) ?? [] }))
        var rows: [[any SQLConvertible]] = []
        for (place, (key, before)) in zip(keys, found).enumerated() {
            let (recipient, events) = new[place]
            let after = try add(events, to: before ?? [], recipient.batch, recipient.index)
            if after != before { rows.append(key + [after.packed()]) }
        }
        try Self.store(rows, db)
    }

    static func store(_ rows: [[any SQLConvertible]], _ db: any SQLTransaction) throws {
        try db.runAll(
            """
            INSERT INTO event_recipient (mailing, batch, idx, data) VALUES (?, ?, ?, ?)
            ON CONFLICT (mailing, batch, idx) DO UPDATE SET data = excluded.data
            """, rows)
    }

    /// Adds events to those of one recipient.
    private mutating func add(_ events: [TrackedEvent], to before: [StoredEvent], _ batch: BatchID, _ index: Int) throws -> [StoredEvent] {
        var all = before
        var chooses = false
        for event in events {
            let stored = StoredEvent(event, client: clients.number(of: EventClient(event)))
            guard all.count < (stored.isChoice ? [StoredEvent].mostWithChoices : [StoredEvent].most) else {
                summary.excess += 1
                continue
            }
            all.append(stored)
            summary.counted[event.action, default: 0] += 1
            if stored.isChoice, stored.isCounted { chooses = true }
        }
        guard all.count > before.count else { return before }
        all.sort { $0.time < $1.time }
        try classify(&all, batch.mailing)
        count(before, all, batch.mailing)
        if chooses, let choice = all.choice {
            choices.append(Choice(batch: batch, index: index, isUnsubscribed: choice.isUnsubscribed, at: choice.at))
        }
        if all.contains(where: { $0.visitor != .machine && $0.isCounted }) { arrivals.append(Arrival(batch: batch, index: index)) }
        return all
    }

    private func classify(_ events: inout [StoredEvent], _ id: MailingID) throws {
        let links = try rules.links(of: id) { try MailingRecord.one(db, id)?.mailing }
        let classes = rules.classes(of: events.map { $0.event(clients[$0.client]) }, links: links)
        for (place, visitor) in classes.enumerated() { events[place].visitor = visitor }
    }

    private mutating func count(_ before: [StoredEvent], _ after: [StoredEvent], _ id: MailingID) {
        tallies[id, default: EventTally()].add(before, -1)
        tallies[id]?.add(after, 1)
    }

    /// Classifies the events of recipients of one mailing again.
    /// - Returns: how many events are of another class now.
    mutating func reclassify(_ recipients: [(batch: BatchID, index: Int, events: [StoredEvent])]) throws -> Int {
        try clients.load(Set(recipients.flatMap { $0.events.map(\.client) }))
        var rows: [[any SQLConvertible]] = []
        var changed = 0
        for (batch, index, before) in recipients {
            var after = before
            try classify(&after, batch.mailing)
            guard after != before else { continue }
            changed += zip(before, after).filter { $0 != $1 }.count
            count(before, after, batch.mailing)
            rows.append([batch.mailing.description, batch.number, index, after.packed()])
        }
        try Self.store(rows, db)
        for (id, tally) in tallies.sorted(by: { $0.key < $1.key }) { try tally.store(db, id) }
        tallies = [:]
        return changed
    }
}
