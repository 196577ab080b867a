import Model

/// The rows of counted events, each of some neighbours of a batch.
extension EventWriting {
    /// The new events of one recipient.
    private struct Visit {
        /// The place of its group among those that are written together.
        var group: Int
        var batch: BatchID
        var index: Int
        /// What was counted before, by time.
        var before: [StoredEvent]
        var new: [TrackedEvent]
    }

    /// Rows that are in memory at a time.
    private static let groupsAtOnce = 200

    /// Counts events of one mailing.
    /// - Parameters:
    ///   - order: which of `events`, in their order.
    ///   - id: a mailing whose recipients are kept.
    mutating func count(_ order: [EventOrder], _ events: [TrackedEvent], of id: MailingID) throws {
        let order = try existing(order, id)
        guard !order.isEmpty else { return }
        try note(rules.version, of: id)
        var groups: [Range<Int>] = []
        var first = 0
        for place in order.indices.dropFirst() where order[place].group != order[first].group {
            groups.append(first..<place)
            first = place
        }
        groups.append(first..<order.count)
        for start in stride(from: 0, to: groups.count, by: Self.groupsAtOnce) {
            try add(groups[start..<min(start + Self.groupsAtOnce, groups.count)].map { order[$0] }, events, of: id)
        }
    }

    /// Leaves out recipients that there never were.
    private mutating func existing(_ order: [EventOrder], _ id: MailingID) throws -> [EventOrder] {
        var batches: [Int] = []
        for item in order where item.batch != batches.last { batches.append(item.batch) }
        let counts: [Result<Int, SQLDamage>?] = try db.firstRows(
            "SELECT count FROM batch WHERE mailing = ? AND number = ?", batches.map { [id.description, $0] }
        ) { row, _ in try Self.undamaged { try row.read(0) } }
        for case .failure(let damage)? in counts { summary.damage = "the row of a batch cannot be read (\(damage.text))" }
        let sizes = counts.map { count in count.flatMap { try? $0.get() } ?? 0 }
        var batch = 0
        let kept = order.filter { item in
            while batches[batch] != item.batch { batch += 1 }
            return item.index < sizes[batch]
        }
        summary.invalid += order.count - kept.count
        return kept
    }

    /// Notes by which rules a mailing's events are classified.
    func note(_ version: String, of id: MailingID) throws {
        guard !version.isEmpty else { return }
        try db.run(
            "INSERT INTO event_rules (mailing, version) VALUES (?, ?) ON CONFLICT (mailing, version) DO NOTHING", [id.description, version])
    }

    /// Adds events to those of their recipients.
    private mutating func add(_ groups: [ArraySlice<EventOrder>], _ events: [TrackedEvent], of id: MailingID) throws {
        let keys: [[any SQLConvertible]] = groups.map { group in
            let first = group[group.startIndex]
            return [id.description, first.batch, StoredEventGroup.part(of: first.index)]
        }
        // No other transaction writes events meanwhile (`WriteOrder.alone`): rows are not locked one by one.
        let found: [Result<StoredEventGroup, SQLDamage>?] = try db.firstRows(
            "SELECT data FROM event_group WHERE mailing = ? AND batch = ? AND part = ?", keys
        ) { row, _ in try Self.undamaged { try StoredEventGroup(row.read(0)) } }
        var rows: [StoredEventGroup] = []
        var visits: [Visit] = []
        for (number, group) in groups.enumerated() {
            let row = found[number] ?? .success(StoredEventGroup())
            rows.append((try? row.get()) ?? StoredEventGroup())
            var first = group.startIndex
            while first < group.endIndex {
                let end = group[first...].firstIndex { $0.recipient != group[first].recipient } ?? group.endIndex
                try take(group[first..<end].map { events[$0.event] }, row, number, group[first], id, &visits)
                first = end
            }
        }
        let numbers = try number(visits)
        let erased = try erased(visits)
        var changed: Set<Int> = []
        for (place, visit) in visits.enumerated() where !visit.new.isEmpty {
            var stored = zip(visit.new, numbers[place]).map { StoredEvent($0, client: $1) }
            if erased.contains(place) { for event in stored.indices { stored[event].eraseVisitor() } }
            let all = try add(stored, to: visit.before, visit.batch, visit.index)
            rows[visit.group].set(all, at: visit.index % StoredEventGroup.size)
            changed.insert(visit.group)
        }
        try Self.store(changed.sorted().map { keys[$0] + [rows[$0].bytes] }, db)
    }

    /// Adds one recipient's new events to those that are to be counted. A row that is damaged stays as it is, and its recipients' events
    /// are not counted; whoever unsubscribes is heard nevertheless.
    private mutating func take(
        _ events: [TrackedEvent], _ row: Result<StoredEventGroup, SQLDamage>, _ number: Int, _ place: EventOrder, _ id: MailingID,
        _ visits: inout [Visit]
    ) throws {
        let batch = BatchID(mailing: id, number: place.batch)
        switch try Self.undamaged({ try row.get().events(at: place.index % StoredEventGroup.size) }) {
        case .success(let before):
            let kept = fitting(events, of: (batch, place.index), behind: before.count)
            visits.append(Visit(group: number, batch: batch, index: place.index, before: before, new: kept))
        case .failure(let damage):
            summary.damage = "the row of recipient \(batch.message(place.index)): \(damage.text)"
            summary.invalid += events.count
            hear(events, of: (batch, place.index))
        }
    }

    /// The numbers of the clients of new events; those of the former events are known then too. Only events that are kept give numbers:
    /// strangers name any number of agents.
    private mutating func number(_ visits: [Visit]) throws -> [[Int64]] {
        var unknown: Set<EventClient> = []
        var former: Set<Int64> = []
        var numbers = visits.map { visit in
            for event in visit.before where !clients.isLoaded(event.client) { former.insert(event.client) }
            return visit.new.map { event in
                let client = EventClient(event)
                let number = clients.number(of: client)
                if number == 0 { unknown.insert(client) }
                return number
            }
        }
        try clients.load(former)
        guard !unknown.isEmpty else { return numbers }
        try clients.note(unknown)
        for place in visits.indices {
            for event in visits[place].new.indices where numbers[place][event] == 0 {
                numbers[place][event] = clients.number(of: EventClient(visits[place].new[event]))
            }
        }
        return numbers
    }

    /// Those of a recipient's new events that are kept beside so many others.
    private mutating func fitting(
        _ events: [TrackedEvent], of place: (batch: BatchID, index: Int), behind count: Int
    ) -> [TrackedEvent] {
        guard count + events.count > [StoredEvent].most else { return events }
        var kept: [TrackedEvent] = []
        for event in events {
            if count + kept.count < (event.action.isChoice ? [StoredEvent].mostWithChoices : [StoredEvent].most) {
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
        for event in events where Self.unsubscribes(event) && event.action == .unsubscribe {
            choices.append(Choice(batch: place.batch, index: place.index, isUnsubscribed: true, at: event.time))
        }
    }

    /// Those of some recipients whose values were erased: the hash of their address is that of none.
    private func erased(_ visits: [Visit]) throws -> Set<Int> {
        guard try db.one(Bool.self, "SELECT EXISTS (SELECT 1 FROM erasure)") == true else { return [] }
        let batches = Array(Set(visits.map(\.batch)))
        let found: [[UInt8]?] = try db.firstRows(
            "SELECT hashes FROM fingerprint WHERE mailing = ? AND batch = ?", batches.map { [$0.mailing.description, $0.number] }
        ) { row, _ in try row.bytes(0) ?? [] }
        var hashes: [BatchID: [UInt8]] = [:]
        for (batch, bytes) in zip(batches, found) { hashes[batch] = bytes }
        let none = AddressHash.bytes("")
        return Set(
            visits.indices.filter { place in
                let start = visits[place].index * none.count
                guard let bytes = hashes[visits[place].batch], start + none.count <= bytes.count else { return false }
                return bytes[start..<start + none.count].elementsEqual(none)
            })
    }

    /// - Parameter rows: mailing, batch, part and data of each.
    static func store(_ rows: [[any SQLConvertible]], _ db: any SQLTransaction) throws {
        try db.runAll(
            """
            INSERT INTO event_group (mailing, batch, part, data) VALUES (?, ?, ?, ?)
            ON CONFLICT (mailing, batch, part) DO UPDATE SET data = excluded.data
            """, rows)
    }
}
