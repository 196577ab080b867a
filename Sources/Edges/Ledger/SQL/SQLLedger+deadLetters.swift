import Foundation
package import Model

extension SQLLedger: DeadLetterStore {
    /// Letters that are kept at most.
    private static let mostLetters = 10_000
    /// Bytes of a letter that are kept at most; a larger letter is cut, and marked as cut.
    private static let mostBytes = 2 << 20
    /// Bytes of all letters that are kept at most.
    private static let mostBytesOfAll = 64 << 20

    /// Keeps entries; one that is kept already stays as it is. Beyond the bounds the oldest are removed and only counted.
    static func keep(_ letters: [DeadLetter], _ db: any SQLTransaction) throws {
        guard !letters.isEmpty else { return }
        for letter in letters { try insert(letter, db) }
        let last = try db.one(
            Int64.self,
            """
            SELECT max(id) FROM (
                SELECT id, count(*) OVER newer AS letters, sum(CASE WHEN bytes < ? THEN bytes ELSE ? END) OVER newer AS kept
                FROM dead_letter WINDOW newer AS (ORDER BY id DESC)
            ) AS kept_letters WHERE letters > ? OR kept > ?
            """, [mostBytes, mostBytes, mostLetters, mostBytesOfAll])
        guard let last else { return }
        try db.run(
            """
            INSERT INTO dead_letter_discarded (kind, n)
            SELECT CASE WHEN is_batch = 1 THEN 'lane' WHEN status_stream IS NOT NULL THEN 'status'
                WHEN stream LIKE 'events:%' THEN 'events' WHEN stream = 'receipts' THEN 'receipts' ELSE 'foreign' END AS kind, count(*)
            FROM dead_letter WHERE id <= ? AND retried IS NULL GROUP BY kind
            ON CONFLICT (kind) DO UPDATE SET n = dead_letter_discarded.n + excluded.n
            """, [last])
        try db.run("DELETE FROM dead_letter_field WHERE letter <= ?", [last])
        try db.run("DELETE FROM dead_letter WHERE id <= ?", [last])
    }

    private static func insert(_ letter: DeadLetter, _ db: any SQLTransaction) throws {
        let id = try db.one(
            Int64.self,
            """
            INSERT INTO dead_letter (
                stream, status_stream, lane, entry, at, reason, mailing, batch, dispatch, is_batch, is_whole, bytes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING RETURNING id
            """,
            [
                letter.source.stream, letter.source.partition, letter.source.lane, letter.entry, letter.at, letter.reason,
                letter.mailing?.description, letter.batch,
                letter.dispatchNumber, letter.isBatch, letter.isWhole && letter.bytes <= mostBytes, letter.bytes,
            ])
        guard let id else { return }
        var room = mostBytes
        for (place, field) in letter.fields.enumerated() where room > 0 {
            try db.run(
                "INSERT INTO dead_letter_field (letter, place, name, value) VALUES (?, ?, ?, ?)",
                [id, place, field.name, Array(field.value.prefix(room))])
            room -= field.value.count
        }
    }

    package func deadLetters(after: Int64?, limit: Int) async throws(LedgerError) -> [StoredDeadLetter] {
        try await read("listing dead letters") { db in
            try db.allRows("SELECT \(StoredDeadLetter.columns) FROM dead_letter WHERE id > ? ORDER BY id LIMIT ?", [after ?? 0, limit]).map(
                StoredDeadLetter.init)
        }
    }

    package func deadLetter(_ id: Int64) async throws(LedgerError) -> StoredDeadLetter? {
        try await read("reading a dead letter") { db in
            let row = try db.row("SELECT \(StoredDeadLetter.columns) FROM dead_letter WHERE id = ?", [id])
            guard let row else { return nil }
            var stored = try StoredDeadLetter(row)
            let fields = try db.allRows("SELECT name, value FROM dead_letter_field WHERE letter = ? ORDER BY place", [id])
            stored.letter.fields = try fields.map { row in
                let value: [UInt8] = try row.read(1)
                return try DeadLetter.Field(name: row.read(0), value: [UInt8](value))
            }
            return stored
        }
    }

    package func discardedDeadLetters() async throws(LedgerError) -> [DeadLetter.Source.Kind: Int] {
        try await read("counting dead letters") { db in
            let rows = try db.allRows("SELECT kind, n FROM dead_letter_discarded")
            let counts = try rows.compactMap { row in try DeadLetter.Source.Kind(rawValue: row.read(0)).map { try ($0, row.read(1) as Int) }
            }
            return Dictionary(counts) { $1 }
        }
    }

    package func deadLetterCount() async throws(LedgerError) -> Int {
        try await read("counting dead letters") { db in
            try db.one(
                Int.self,
                """
                SELECT (SELECT count(*) FROM dead_letter WHERE retried IS NULL)
                    + (SELECT coalesce(sum(n), 0) FROM dead_letter_discarded)
                """) ?? 0
        }
    }

    package func noteRetry(_ id: Int64, note: AuditNote?, now: Int64) async throws(LedgerError) -> Bool {
        try await write("dead letters") { db in
            try db.run("UPDATE dead_letter SET retried = ? WHERE id = ?", [now, id])
            guard db.changes == 1 else { return false }
            try Self.note(db, note, on: .deadLetters([id]), before: AuditedValues(), after: AuditedValues(), now: now)
            return true
        }
    }

    package func dropDeadLetters(_ ids: [Int64]?, note: AuditNote?, now: Int64) async throws(LedgerError) -> Int {
        try await write("dead letters") { db in
            var dropped = 0
            if let ids {
                for id in ids {
                    try db.run("DELETE FROM dead_letter WHERE id = ?", [id])
                    dropped += db.changes
                }
            } else {
                let discarded = try db.row("SELECT coalesce(sum(n), 0) AS n FROM dead_letter_discarded")
                dropped = try discarded?.read(0) ?? 0
                try db.run("DELETE FROM dead_letter_discarded")
                try db.run("DELETE FROM dead_letter")
                dropped += db.changes
            }
            try db.run("DELETE FROM dead_letter_field WHERE letter NOT IN (SELECT id FROM dead_letter)")
            if dropped > 0 {
                var after = AuditedValues()
                after.entries = dropped
                let object = ids.map(AuditedObject.deadLetters) ?? .allDeadLetters
                try Self.note(db, note, on: object, before: AuditedValues(), after: after, now: now)
            }
            return dropped
        }
    }

    /// How often a batch is dispatched again that workers cannot read.
    private static let mostUnreadable = 3

    /// Whether workers could not read a batch so often that it is not dispatched any more.
    static func isUnreadable(_ db: any SQLTransaction, _ id: BatchID) throws -> Bool {
        let count = try db.one(
            Int.self,
            """
            SELECT count(*) FROM dead_letter\(db.indexed("dead_letter_batch"))
            WHERE mailing = ? AND batch = ? AND \(db.isSet("is_batch")) AND retried IS NULL
            """, [id.mailing.description, id.number])
        return count.map { $0 >= mostUnreadable } ?? false
    }
}

extension StoredDeadLetter {
    fileprivate static let columns =
        "id, lane, entry, reason, at, is_whole, mailing, batch, dispatch, bytes, retried, status_stream, stream"

    fileprivate init(_ row: any SQLRow) throws {
        let source = try DeadLetter.Source(partition: row.read(11), lane: row.read(1), stream: row.read(12))
        var letter = try DeadLetter(source: source, entry: row.read(2), reason: row.read(3), fields: [])
        letter.at = try row.read(4)
        letter.isWhole = try row.read(5)
        let mailing: String? = try row.read(6)
        letter.mailing = mailing.flatMap { MailingID($0) }
        letter.batch = try row.read(7)
        letter.dispatchNumber = try row.read(8)
        try self.init(id: row.read(0), letter: letter, bytes: row.read(9), retried: row.read(10))
    }
}

extension DeadLetter.Source {
    /// - Parameter stream: the name by which an events stream is known.
    fileprivate init(partition: Int?, lane: String?, stream: String) {
        let events = stream.split(separator: ":").last.flatMap { Int($0) }.flatMap { number in
            let source = DeadLetter.Source.events(number)
            return source.stream == stream ? source : nil
        }
        self =
            lane.flatMap { Lane($0) }.map { .lane($0) } ?? partition.map { .status($0) } ?? events
            ?? (stream == DeadLetter.Source.receipts.stream ? .receipts : .foreign)
    }

    fileprivate var partition: Int? {
        guard case .status(let number) = self else { return nil }
        return number
    }

    fileprivate var lane: String? {
        guard case .lane(let lane) = self else { return nil }
        return "\(lane)"
    }
}
