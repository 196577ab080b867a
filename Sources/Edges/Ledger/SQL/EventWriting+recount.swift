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

    /// - Returns: how many events are of another class now.
    private mutating func reclassify(_ before: [StoredEvent], of id: MailingID, at place: Int, in group: inout StoredEventGroup) throws
        -> Int
    {
        var after = before
        try classify(&after, id)
        guard after != before else { return 0 }
        tallies[id, default: EventTally()].change(from: before, to: after)
        group.set(after, at: place)
        return zip(before, after).filter { $0 != $1 }.count
    }
}
