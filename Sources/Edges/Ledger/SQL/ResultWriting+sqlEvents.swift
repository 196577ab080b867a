import Model
import Policy

extension SQLLedger.ResultWriting {
    /// An event of a batch's recipient.
    struct Occurrence {
        var batch: BatchID
        var index: Int
        var kind: EventKind
        /// Milliseconds since 1970.
        var at: Int64
        var detail: String

        /// All events of one kind of a recipient.
        struct Key: Hashable {
            var batch: BatchID
            var index: Int
            var kind: EventKind

            var values: [any SQLConvertible] { [batch.mailing.description, batch.number, index, kind.rawValue] }
        }

        var key: Key { Key(batch: batch, index: index, kind: kind) }
    }

    /// Adds the events that are new.
    mutating func add(_ group: EventGroup) throws {
        let events = group.events.map {
            Occurrence(
                batch: BatchID(mailing: group.mailing, number: $0.batch), index: $0.index, kind: $0.kind, at: $0.at, detail: $0.detail)
        }
        let batches = Array(Set(events.map(\.batch)))
        let found: [Int?] = try db.firstRows(
            "SELECT count FROM batch WHERE mailing = ? AND number = ?", batches.map { [$0.mailing.description, $0.number] }
        ) { row, _ in try row.read(0) }
        let sizes = Dictionary(uniqueKeysWithValues: zip(batches, found))
        var sound: [Occurrence] = []
        for event in events {
            guard let size = sizes[event.batch] ?? nil else {
                summary.unknown += 1
                continue
            }
            if (0..<size).contains(event.index) { sound.append(event) } else { summary.invalid += 1 }
        }
        try add(sound, known: try counts(of: sound))
    }

    /// How many events of each kind the ledger has of the recipients of some events.
    func counts(of events: [Occurrence]) throws -> [Occurrence.Key: Int] {
        let keys = Array(Set(events.map(\.key)))
        let found: [Int?] = try db.firstRows(
            "SELECT count(*) FROM event WHERE mailing = ? AND batch = ? AND idx = ? AND kind = ?", keys.map(\.values)
        ) { row, _ in try row.read(0) }
        return Dictionary(uniqueKeysWithValues: zip(keys, found.map { $0 ?? 0 }))
    }

    /// Adds those of some events of known recipients that are new, with a few round trips for all of them.
    /// - Parameter known: as `counts` has it.
    /// - Returns: for each, whether it is new.
    @discardableResult
    mutating func add(_ events: [Occurrence], known: [Occurrence.Key: Int]) throws -> [Bool] {
        guard !events.isEmpty else { return [] }
        let written = try db.runAll(
            "INSERT INTO event (mailing, batch, idx, kind, at, detail) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            events.map { $0.key.values + [$0.at, $0.detail] }
        ).map { $0 == 1 }
        var known = known
        var totals: [MailingID: [EventKind: (count: Int, recipients: Int)]] = [:]
        for event in zip(events, written).filter(\.1).map(\.0) {
            let isFirst = known[event.key, default: 0] == 0
            if isFirst, event.kind == .complained { returned.append((event.batch, .complaints, now)) }
            known[event.key, default: 0] += 1
            let total = totals[event.batch.mailing]?[event.kind] ?? (0, 0)
            totals[event.batch.mailing, default: [:]][event.kind] = (total.count + 1, total.recipients + (isFirst ? 1 : 0))
            summary.events += 1
            let type = WebhookType(event.kind)
            if try db.outbox.wants(type, db) {
                db.outbox.add(WebhookEvent(type, batch: event.batch.number, index: event.index, at: event.at), of: event.batch.mailing)
            }
        }
        for (mailing, kinds) in totals.sorted(by: { $0.key < $1.key }) {
            for (kind, counts) in kinds.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                try db.add(
                    to: "event_counter", ["mailing": mailing.description, "kind": kind.rawValue],
                    ["n": counts.count, "recipients": counts.recipients])
            }
        }
        return written
    }
}
