import Model
import Policy

/// Events that are kept, and not counted yet. While many come they are put here as they are, without a look at what their recipients have,
/// and taken out again by slices of a mailing, so that a row of the counted events is written once for many of them.
struct EventLog {
    /// A slice of a mailing: the recipients of `batches` batches.
    struct Slice {
        var mailing: MailingID
        var number: Int
    }

    /// Batches of a slice.
    static let batches: UInt64 = 64
    /// Slices that are looked at at once.
    private static let most = 500

    let db: any SQLTransaction

    init(_ db: any SQLTransaction) { self.db = db }

    /// Adds events of a mailing, which are in the order of their recipients.
    func append(_ events: [TrackedEvent], of id: MailingID) throws {
        var rows: [[any SQLConvertible]] = []
        var first = 0
        while first < events.count {
            let slice = UInt64(events[first].batch) / Self.batches
            var end = first
            while end < events.count, end - first < EventBatch.mostEvents, UInt64(events[end].batch) / Self.batches == slice { end += 1 }
            let packed = EventBatch(source: 0, sequence: 0, events: Array(events[first..<end]))
            rows.append([id.description, Int(slice), end - first, packed.encoded()])
            first = end
        }
        try db.insert(into: "event_log", "mailing, slice, n, data", rows)
    }

    /// The slices with the most events.
    /// - Parameters:
    ///   - id: of this mailing alone; nil for all.
    ///   - least: those with fewer events are not among them.
    func slices(of id: MailingID?, least: Int) throws -> [Slice] {
        let values: [any SQLConvertible] = [least, Self.most]
        let rows = try db.allRows(
            """
            SELECT mailing, slice FROM event_log \(id == nil ? "" : "WHERE mailing = ?3")
            GROUP BY mailing, slice HAVING sum(n) >= ?1 ORDER BY sum(n) DESC, mailing, slice LIMIT ?2
            """, id.map { values + [$0.description] } ?? values)
        // A damaged row holds up no other: the ledger check tells of it.
        return rows.compactMap { row in
            guard let text = try? row.text(0), let id = MailingID(text), let number = try? row.read(1) as Int else { return nil }
            return Slice(mailing: id, number: number)
        }
    }

    /// Takes the oldest events of a slice out of the log.
    /// - Parameter most: so many, about: whole rows are taken, and at least one.
    /// - Returns: also what could not be read, to be kept as dead letters, and how many events that were.
    func take(_ slice: Slice, most: Int) throws -> (events: [TrackedEvent], letters: [DeadLetter], unread: Int) {
        let key: [any SQLConvertible] = [slice.mailing.description, slice.number]
        let sizes = try db.allRows("SELECT id, n FROM event_log WHERE mailing = ? AND slice = ? ORDER BY id LIMIT 1000", key)
        var (last, count): (Int64, Int) = (-1, 0)
        for row in sizes where count < most {
            last = try row.read(0)
            count += try row.read(1)
        }
        var events: [TrackedEvent] = []
        var letters: [DeadLetter] = []
        let rows = try db.rows(
            "SELECT id, data, n FROM event_log WHERE mailing = ? AND slice = ? AND id <= ? ORDER BY id", key + [last])
        var unread = 0
        while let row = try rows.next() {
            let data: [UInt8] = try row.read(1)
            do throws(WireError) { events += try EventBatch(decoding: data).events } catch {
                let entry = try "event_log \(row.read(0) as Int64)"
                unread += try row.read(2)
                var letter = DeadLetter(source: .foreign, entry: entry, reason: "\(error)", fields: [.init(name: "data", value: data)])
                (letter.mailing, letter.at) = (slice.mailing, Clock.milliseconds())
                letters.append(letter)
            }
        }
        try db.run("DELETE FROM event_log WHERE mailing = ? AND slice = ? AND id <= ?", key + [last])
        return (events, letters, unread)
    }

    /// How many events wait.
    /// - Parameter id: of this mailing alone; nil for all.
    func waiting(of id: MailingID? = nil) throws -> Int {
        let condition = id == nil ? "" : "WHERE mailing = ?"
        return try db.one(Int.self, "SELECT sum(n) FROM event_log \(condition)", id.map { [$0.description] } ?? []) ?? 0
    }

    /// Takes out from where visitors of some recipients of a batch came.
    func eraseVisitors(of indexes: Set<Int>, in batch: BatchID) throws {
        try change(Slice(mailing: batch.mailing, number: Int(UInt64(batch.number) / Self.batches))) { event in
            guard Int(event.batch) == batch.number, indexes.contains(Int(event.index)) else { return }
            (event.visitor, event.address) = (0, "")
        }
    }

    /// Notes that visits of a mailing came with many others of their domain (`TrackedEvent.damaged`).
    /// - Returns: how many of them wait here.
    func mark(_ visits: [LinkVisit], of id: MailingID) throws -> Int {
        var marked = 0
        for (number, visits) in Dictionary(grouping: visits, by: { UInt64($0.batch) / Self.batches }).sorted(by: { $0.key < $1.key }) {
            let wanted = Set(visits)
            try change(Slice(mailing: id, number: Int(number))) { event in
                // An event that a copy brought names no mailing.
                guard !event.damaged, var visit = LinkVisit(event) else { return }
                visit.mailing = visits[0].mailing
                guard wanted.contains(visit) else { return }
                event.damaged = true
                marked += 1
            }
        }
        return marked
    }

    /// Changes events of a slice. What cannot be read stays as it is.
    private func change(_ slice: Slice, _ change: (inout TrackedEvent) -> Void) throws {
        let rows = try db.allRows(
            "SELECT id, data FROM event_log WHERE mailing = ? AND slice = ?", [slice.mailing.description, slice.number])
        for row in rows {
            guard var entry = try? EventBatch(decoding: row.read(1)) else { continue }
            let before = entry
            for place in entry.events.indices { change(&entry.events[place]) }
            guard entry != before else { continue }
            try db.run("UPDATE event_log SET data = ? WHERE id = ?", [entry.encoded(), try row.read(0) as Int64])
        }
    }
}
