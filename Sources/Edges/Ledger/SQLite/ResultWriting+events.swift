import GRDB
import Model

extension ResultWriting {
    /// Adds the events that are new.
    mutating func add(_ group: EventGroup) throws {
        let mailing = group.mailing.description
        var total: [EventKind: (count: Int, recipients: Int)] = [:]
        for event in group.events {
            let count = try Int.fetchOne(
                db.cachedStatement(sql: "SELECT count FROM batch WHERE mailing = ? AND number = ?"),
                arguments: [mailing, event.batch])
            guard let count else {
                summary.unknown += 1
                continue
            }
            guard event.index >= 0, event.index < count else {
                summary.invalid += 1
                continue
            }
            let isKnown = try Bool.fetchOne(
                db.cachedStatement(
                    sql: "SELECT EXISTS (SELECT 1 FROM event WHERE mailing = ? AND batch = ? AND idx = ? AND kind = ?)"),
                arguments: [mailing, event.batch, event.index, event.kind.rawValue])
            try db.cachedStatement(
                sql: "INSERT OR IGNORE INTO event (mailing, batch, idx, kind, at, detail) VALUES (?, ?, ?, ?, ?, ?)"
            ).execute(arguments: [mailing, event.batch, event.index, event.kind.rawValue, event.at, event.detail])
            guard db.changesCount == 1 else { continue }
            total[event.kind, default: (0, 0)].count += 1
            if isKnown != true { total[event.kind, default: (0, 0)].recipients += 1 }
            summary.events += 1
        }
        for (kind, counts) in total {
            try db.cachedStatement(
                sql: """
                    INSERT INTO event_counter (mailing, kind, n, recipients) VALUES (?, ?, ?, ?)
                    ON CONFLICT DO UPDATE SET n = n + excluded.n, recipients = recipients + excluded.recipients
                    """
            ).execute(arguments: [mailing, kind.rawValue, counts.count, counts.recipients])
        }
    }
}
