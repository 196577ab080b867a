import Model
import Policy

/// Who visitors were.
extension EventWriting {
    /// Classifies all events of one recipient. Their clients are known.
    mutating func classify(_ events: inout [StoredEvent], _ id: MailingID) throws {
        let classes: [VisitorClass]
        if let least = rules.leastTogether {
            var (visits, isDamaged) = (0, false)
            for place in events.indices {
                events[place].visitor = single(events[place])
                if events[place].action != .open, events[place].method != .post { visits += 1 }
                isDamaged = isDamaged || events[place].damaged
            }
            guard visits >= least || isDamaged else { return }
            let parts = try links(of: id)
            classes = rules.classes(of: tracked(events), singly: events.map(\.visitor), links: parts)
        } else {
            let parts = try links(of: id)
            classes = rules.classes(of: tracked(events), links: parts)
        }
        for (place, visitor) in classes.enumerated() { events[place].visitor = visitor }
    }

    private func tracked(_ events: [StoredEvent]) -> [TrackedEvent] { events.map { $0.event(clients[$0.client]) } }

    private mutating func single(_ event: StoredEvent) -> VisitorClass {
        let what = UInt64(event.damaged ? 1 : 0) << 5 | UInt64(event.method.rawValue) << 3 | UInt64(event.action.rawValue)
        let key = UInt64(truncatingIfNeeded: event.client) << 8 | what
        if let known = singles[key] { return known }
        let found = rules.singleClass(of: event.event(clients[event.client]))
        singles[key] = found
        return found
    }

    /// How many links each part of a mailing's messages has. A mailing that is damaged or of a newer release has visitors too.
    private mutating func links(of id: MailingID) throws -> [Int] {
        guard !unreadable.contains(id) else { return [] }
        let known = try rules.links(of: id) { try MailingRecord.all(db, "WHERE id = ?", [id.description]).records.first?.mailing }
        if known == nil { unreadable.insert(id) }
        return known ?? []
    }
}
