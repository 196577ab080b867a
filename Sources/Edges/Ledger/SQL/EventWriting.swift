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
    /// Mailings whose definitions this release cannot read.
    private var unreadable: Set<MailingID> = []
    private(set) var choices: [Choice] = []
    /// What recipients chose by events that had been counted before.
    private(set) var choicesAgain: [Choice] = []
    /// What recipients of mailings chose that are gone, or whose recipients are.
    private(set) var prunedChoices: [TrackedEvent] = []
    private(set) var arrivals: [Arrival] = []
    var summary = EventSummary()

    init(_ db: any SQLTransaction, _ rules: EventRules) {
        self.db = db
        self.rules = rules
        clients = EventClients(db)
    }

    mutating func add(_ batches: [EventBatch], now: Int64) throws {
        let unseen = try unseen(batches, now: now)
        let events = unseen.events
        let mailings = try mailings(Set(events.map(\.mailing)).union((unseen.again + unseen.doubtful).map(\.mailing)))
        let ids = Dictionary(uniqueKeysWithValues: mailings.map { ($0.number, $0.id) })
        choicesAgain = unseen.again.compactMap { Self.unsubscription($0, ids) }
        choices = unseen.doubtful.compactMap { Self.unsubscription($0, ids) }
        prunedChoices = [unseen.events, unseen.again, unseen.doubtful].joined().filter {
            $0.action.isChoice && $0.method == .post && ids[$0.mailing] == nil
        }
        guard !events.isEmpty else { return }
        let places = Dictionary(uniqueKeysWithValues: mailings.enumerated().map { ($1.number, UInt64($0)) })
        // By mailing, batch and place in it, as the rows are stored; then as they came.
        var order: [(key: UInt64, event: Int)] = []
        order.reserveCapacity(events.count)
        for (number, event) in events.enumerated() {
            guard let place = places[event.mailing] else {
                summary.gone += 1
                continue
            }
            guard Self.isPossible(event) else {
                summary.invalid += 1
                continue
            }
            order.append((place << 34 | UInt64(event.batch) << 14 | UInt64(event.index), number))
        }
        order.sort { ($0.key, $0.event) < ($1.key, $1.event) }
        let visits = try existing(Self.visits(order), mailings)
        var first = 0
        while first < visits.count {
            let end = min(first + Self.recipientsAtOnce, visits.count)
            try add(visits[first..<end].map { visit in (self.place(visit.key, mailings), visit.range.map { events[order[$0].event] }) })
            first = end
        }
        for (id, tally) in tallies.sorted(by: { $0.key < $1.key }) { try tally.store(db, id) }
        tallies = [:]
    }

    /// Those of some mailings whose recipients are kept, by their ids.
    private func mailings(_ numbers: Set<UInt32>) throws -> [(number: UInt32, id: MailingID)] {
        let numbers = numbers.sorted()
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
        let counts: [Result<Int, SQLDamage>?] = try db.firstRows(
            "SELECT count FROM batch WHERE mailing = ? AND number = ?",
            batches.map { [mailings[Int($0 >> 20)].id.description, Int($0 & 0xfffff)] }
        ) { row, _ in try Self.undamaged { try row.read(0) } }
        for case .failure(let damage)? in counts { summary.damage = "the row of a batch cannot be read (\(damage.text))" }
        let sizes = Dictionary(uniqueKeysWithValues: zip(batches, counts.map { count in count.flatMap { try? $0.get() } }))
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
        let found: [Result<[StoredEvent], SQLDamage>?] = try db.firstRows(
            "SELECT data FROM event_recipient WHERE mailing = ? AND batch = ? AND idx = ?\(db.locking)", keys
        ) { row, _ in try Self.undamaged { try [StoredEvent](packed: row.read(0)) } }
        var before: [[StoredEvent]] = []
        var kept: [[TrackedEvent]] = []
        for (recipient, row) in zip(new, found) {
            switch row {
            case .failure(let damage)?:
                // The row stays as it is. Whoever unsubscribes is heard nevertheless.
                summary.damage = "the row of recipient \(recipient.place.batch.message(recipient.place.index)): \(damage.text)"
                summary.invalid += recipient.events.count
                hear(recipient.events, of: recipient.place)
                before.append([])
                kept.append([])
            case .success(let events)?:
                before.append(events)
                kept.append(fitting(recipient.events, of: recipient.place, behind: events.count))
            case nil:
                before.append([])
                kept.append(fitting(recipient.events, of: recipient.place, behind: 0))
            }
        }
        // Only of events that are kept: strangers name any number of agents.
        try clients.note(Set(kept.joined().map { EventClient($0) }))
        try clients.load(Set(before.joined().map(\.client)))
        let erased = try erased(new.map { $0.place })
        var rows: [[any SQLConvertible]] = []
        for place in new.indices where !kept[place].isEmpty {
            let (batch, index) = new[place].place
            var stored = kept[place].map { StoredEvent($0, client: clients.number(of: EventClient($0))) }
            if erased.contains(place) { for event in stored.indices { stored[event].eraseVisitor() } }
            let all = try add(stored, to: before[place], batch, index)
            rows.append(keys[place] + [all.packed()])
        }
        try Self.store(rows, db)
    }

    /// Those of a recipient's new events that are kept beside so many others.
    private mutating func fitting(
        _ events: [TrackedEvent], of place: (batch: BatchID, index: Int), behind count: Int
    ) -> [TrackedEvent] {
        var kept: [TrackedEvent] = []
        for event in events {
            let isChoice = event.action == .unsubscribe || event.action == .resubscribe
            if count + kept.count < (isChoice ? [StoredEvent].mostWithChoices : [StoredEvent].most) {
                kept.append(event)
            } else {
                summary.excess += 1
                hear([event], of: place)
            }
        }
        return kept
    }

    /// Whoever unsubscribes is heard also by an event that cannot be kept.
    private mutating func hear(_ events: [TrackedEvent], of place: (batch: BatchID, index: Int)) {
        for event in events where Self.unsubscribes(event) {
            choices.append(Choice(batch: place.batch, index: place.index, isUnsubscribed: true, at: event.time))
        }
    }

    /// Those of some recipients whose values were erased: the hash of their address is that of none.
    private func erased(_ places: [(batch: BatchID, index: Int)]) throws -> Set<Int> {
        guard try db.one(Bool.self, "SELECT EXISTS (SELECT 1 FROM erasure)") == true else { return [] }
        let batches = Array(Set(places.map { $0.batch }))
        let found: [[UInt8]?] = try db.firstRows(
            "SELECT hashes FROM fingerprint WHERE mailing = ? AND batch = ?", batches.map { [$0.mailing.description, $0.number] }
        ) { row, _ in try row.bytes(0) ?? [] }
        var hashes: [BatchID: [UInt8]] = [:]
        for (batch, bytes) in zip(batches, found) { hashes[batch] = bytes }
        let none = AddressHash.bytes("")
        return Set(
            places.indices.filter { place in
                let start = places[place].index * none.count
                guard let bytes = hashes[places[place].batch], start + none.count <= bytes.count else { return false }
                return bytes[start..<start + none.count].elementsEqual(none)
            })
    }

    static func store(_ rows: [[any SQLConvertible]], _ db: any SQLTransaction) throws {
        try db.runAll(
            """
            INSERT INTO event_recipient (mailing, batch, idx, data) VALUES (?, ?, ?, ?)
            ON CONFLICT (mailing, batch, idx) DO UPDATE SET data = excluded.data
            """, rows)
    }

    /// Adds events to those of one recipient.
    private mutating func add(_ new: [StoredEvent], to before: [StoredEvent], _ batch: BatchID, _ index: Int) throws -> [StoredEvent] {
        var all = before + new
        for event in new { summary.counted[event.action, default: 0] += 1 }
        all.sort { $0.time < $1.time }
        try classify(&all, batch.mailing)
        count(before, all, batch.mailing)
        if new.contains(where: { $0.isChoice && $0.isCounted }), let choice = all.choice {
            choices.append(Choice(batch: batch, index: index, isUnsubscribed: choice.isUnsubscribed, at: choice.at))
        }
        if all.contains(where: { $0.visitor != .machine && $0.isCounted }) { arrivals.append(Arrival(batch: batch, index: index)) }
        return all
    }

    private mutating func classify(_ events: inout [StoredEvent], _ id: MailingID) throws {
        var links: [Int] = []
        if !unreadable.contains(id) {
            // A mailing that is damaged or of a newer release has visitors too.
            let known = try rules.links(of: id) { try MailingRecord.all(db, "WHERE id = ?", [id.description]).records.first?.mailing }
            if let known { links = known } else { unreadable.insert(id) }
        }
        let classes = rules.classes(of: events.map { $0.event(clients[$0.client]) }, links: links)
        for (place, visitor) in classes.enumerated() { events[place].visitor = visitor }
    }

    private mutating func count(_ before: [StoredEvent], _ after: [StoredEvent], _ id: MailingID) {
        tallies[id, default: EventTally()].add(before, -1)
        tallies[id]?.add(after, 1)
    }

    /// Classifies the events of recipients of one mailing again.
    /// - Parameter change: changes before that what is known of the events of the recipient at a place.
    /// - Returns: how many events are of another class now.
    mutating func reclassify(
        _ recipients: [(batch: BatchID, index: Int, events: [StoredEvent])],
        change: (_ place: Int, _ events: inout [StoredEvent]) -> Void = { _, _ in }
    ) throws -> Int {
        try clients.load(Set(recipients.flatMap { $0.events.map(\.client) }))
        var rows: [[any SQLConvertible]] = []
        var changed = 0
        for (place, (batch, index, before)) in recipients.enumerated() {
            var after = before
            change(place, &after)
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
