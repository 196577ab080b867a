import Model

/// Classifying again what is counted.
extension EventWriting {
    /// Rows that are read at once: at least as many recipients as a part has.
    private static let rows = 40

    /// Classifies the events of some recipients of a mailing again. The last part notes that the rules of now are those of all.
    mutating func recount(_ id: MailingID, after: EventPlace?, limit: Int) throws -> EventRecount {
        var pages = EventGroupPages(
            db, id, size: Self.rows, from: after.map { (batch: $0.batch, part: StoredEventGroup.part(of: $0.index)) } ?? (0, 0))
        var recount = EventRecount()
        var last: EventPlace?
        var isCut = false
        var changed: [[any SQLConvertible]] = []
        for var row in try pages.next() ?? [] {
            var events: [(place: Int, events: [StoredEvent])] = []
            for place in row.group.places {
                let recipient = EventPlace(batch: row.batch, index: row.part * StoredEventGroup.size + place)
                if let after, (recipient.batch, recipient.index) <= (after.batch, after.index) { continue }
                guard recount.recipients < limit else {
                    isCut = true
                    break
                }
                try events.append((place, row.group.events(at: place)))
                recount.recipients += 1
                last = recipient
            }
            try clients.load(Set(events.flatMap { $0.events.map(\.client) }))
            let known = recount.changed
            for (place, before) in events {
                recount.events += before.count
                recount.changed += try reclassify(before, of: id, at: place, in: &row.group)
            }
            if recount.changed > known { changed.append([id.description, row.batch, row.part, row.group.bytes]) }
            if isCut { break }
        }
        try Self.store(changed, db)
        try storeTallies()
        recount.last = isCut || !pages.isAtEnd ? last : nil
        if recount.last == nil, !rules.version.isEmpty, last != nil || after != nil {
            try db.run("DELETE FROM event_rules WHERE mailing = ? AND version <> ?", [id.description, rules.version])
            try note(rules.version, of: id)
        }
        return recount
    }

    /// Classifies the events of some recipients of a mailing again. A row that is damaged stays as it is.
    /// - Parameters:
    ///   - recipients: as `EventOrder.recipient` has them.
    ///   - change: changes before that what is known of a recipient's events.
    /// - Returns: how many events are others now.
    mutating func reclassify(
        _ recipients: some Sequence<UInt64>, of id: MailingID, change: (_ recipient: UInt64, _ events: inout [StoredEvent]) -> Void
    ) throws -> Int {
        var changed = 0
        // Those of one row are neighbours among the numbers too.
        let rows = Dictionary(grouping: recipients) { $0 / UInt64(StoredEventGroup.size) }
        for (_, recipients) in rows.sorted(by: { $0.key < $1.key }) {
            let first = EventOrder.place(of: recipients[0])
            let (batch, part) = (BatchID(mailing: id, number: first.batch), StoredEventGroup.part(of: first.index))
            let row = try Self.undamaged { try StoredEventGroup.load(db, batch, part: part) }
            guard case .success(var group?) = row else { continue }
            let known = changed
            for recipient in recipients {
                let place = EventOrder.place(of: recipient).index % StoredEventGroup.size
                guard case .success(let before) = try Self.undamaged({ try group.events(at: place) }), !before.isEmpty else { continue }
                try clients.load(Set(before.map(\.client)))
                changed += try reclassify(before, of: id, at: place, in: &group) { change(recipient, &$0) }
            }
            if changed > known { try Self.store([[id.description, batch.number, part, group.bytes]], db) }
        }
        if changed > 0 { try note(rules.version, of: id) }
        try storeTallies()
        return changed
    }

    /// - Returns: how many events of one recipient are others now.
    private mutating func reclassify(
        _ before: [StoredEvent], of id: MailingID, at place: Int, in group: inout StoredEventGroup,
        change: (inout [StoredEvent]) -> Void = { _ in }
    ) throws -> Int {
        var after = before
        change(&after)
        try classify(&after, id)
        guard after != before else { return 0 }
        tallies[id, default: EventTally()].change(from: before, to: after)
        group.set(after, at: place)
        return zip(before, after).filter { $0 != $1 }.count
    }
}
