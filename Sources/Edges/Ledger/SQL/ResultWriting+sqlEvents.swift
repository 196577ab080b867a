import Model

extension SQLLedger.ResultWriting {
    /// Adds the events that are new.
    mutating func add(_ group: EventGroup) throws {
        let mailing = group.mailing.description
        var total: [EventKind: (count: Int, recipients: Int)] = [:]
        for event in group.events {
            let count = try db.one(Int.self, "SELECT count FROM batch WHERE mailing = ? AND number = ?", [mailing, event.batch])
            guard let count else {
                summary.unknown += 1
                continue
            }
            guard event.index >= 0, event.index < count else {
                summary.invalid += 1
                continue
            }
            let isKnown = try db.one(
                Bool.self, "SELECT EXISTS (SELECT 1 FROM event WHERE mailing = ? AND batch = ? AND idx = ? AND kind = ?)",
                [mailing, event.batch, event.index, event.kind.rawValue])
            try db.run(
                "INSERT INTO event (mailing, batch, idx, kind, at, detail) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [mailing, event.batch, event.index, event.kind.rawValue, event.at, event.detail])
            guard db.changes == 1 else { continue }
            total[event.kind, default: (0, 0)].count += 1
            if isKnown != true { total[event.kind, default: (0, 0)].recipients += 1 }
            summary.events += 1
            let type = WebhookType(event.kind)
            if try db.outbox.wants(type, db) {
                db.outbox.add(WebhookEvent(type, batch: event.batch, index: event.index, at: event.at), of: group.mailing)
            }
        }
        for (kind, counts) in total.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            try db.add(
                to: "event_counter", ["mailing": mailing, "kind": kind.rawValue], ["n": counts.count, "recipients": counts.recipients])
        }
    }
}
