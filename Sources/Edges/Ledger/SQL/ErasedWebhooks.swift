import Model
import Text

/// The outbox of webhooks holds of a person what a provider's message id may have.
enum ErasedWebhooks {
    /// Empties the message ids that hold one of the addresses. A row that cannot be read and holds one is removed.
    static func erase(_ db: any SQLTransaction, _ search: AddressSearch) throws {
        var last: Int64 = -1
        while true {
            let rows = try db.allRows("SELECT sequence, data FROM webhook_event WHERE sequence > ? ORDER BY sequence LIMIT 200", [last])
            guard let end = rows.last else { return }
            for row in rows {
                let data: [UInt8] = try row.read(1)
                let text = String(decoding: data, as: UTF8.self)
                guard search.isWithin(text) || search.isIn(data) else { continue }
                try empty(db, row.read(0), data, search)
            }
            last = try end.read(0)
        }
    }

    private static func empty(_ db: any SQLTransaction, _ sequence: Int64, _ data: [UInt8], _ search: AddressSearch) throws {
        guard let known = try? [WebhookEvent].read(data), !known.contains(nil) else {
            return try db.run("DELETE FROM webhook_event WHERE sequence = ?", [sequence])
        }
        var events = known.compactMap(\.self)
        for place in events.indices where search.isHeld(by: events[place].messageID) || search.isWithin(events[place].messageID) {
            events[place].messageID = ""
        }
        try db.run("UPDATE webhook_event SET data = ? WHERE sequence = ?", [events.packed(), sequence])
    }
}
