import Foundation
import GRDB
package import Model

extension SQLiteLedger: DeadLetterStore {
    /// Letters that are kept at most.
    private static let mostLetters = 10_000
    /// Bytes of a letter that are kept at most; of a larger one it is noted that it is not whole.
    private static let mostBytes = 2 << 20

    package func keep(_ letters: [DeadLetter]) async throws(LedgerError) {
        guard !letters.isEmpty else { return }
        try await write("dead letters") { db in
            for letter in letters { try Self.insert(letter, db) }
            try db.execute(
                sql: "DELETE FROM dead_letter WHERE id <= (SELECT max(id) FROM dead_letter) - ?", arguments: [Self.mostLetters])
            if db.changesCount > 0 {
                try db.execute(sql: "DELETE FROM dead_letter_field WHERE letter NOT IN (SELECT id FROM dead_letter)")
            }
        }
    }

    private static func insert(_ letter: DeadLetter, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO dead_letter (stream, entry, at, reason, mailing, batch, dispatch, is_batch, is_whole, bytes)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                letter.stream, letter.entry, letter.at, letter.reason, letter.mailing?.description, letter.batch,
                letter.dispatchNumber, letter.isBatch, letter.isWhole && letter.bytes <= mostBytes, letter.bytes,
            ])
        guard db.changesCount == 1 else { return }
        let id = db.lastInsertedRowID
        var room = mostBytes
        for (place, field) in letter.fields.enumerated() where room > 0 {
            try db.execute(
                sql: "INSERT INTO dead_letter_field (letter, place, name, value) VALUES (?, ?, ?, ?)",
                arguments: [id, place, field.name, Data(field.value.prefix(room))])
            room -= field.value.count
        }
    }

    package func deadLetters(after: Int64?, limit: Int) async throws(LedgerError) -> [StoredDeadLetter] {
        try await read("listing dead letters") { db in
            try Row.fetchAll(
                db, sql: "SELECT \(StoredDeadLetter.columns) FROM dead_letter WHERE id > ? ORDER BY id LIMIT ?",
                arguments: [after ?? 0, limit]
            ).map(StoredDeadLetter.init)
        }
    }

    package func deadLetter(_ id: Int64) async throws(LedgerError) -> StoredDeadLetter? {
        try await read("reading a dead letter") { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT \(StoredDeadLetter.columns) FROM dead_letter WHERE id = ?", arguments: [id])
            guard let row else { return nil }
            var stored = StoredDeadLetter(row)
            let fields = try Row.fetchAll(
                db, sql: "SELECT name, value FROM dead_letter_field WHERE letter = ? ORDER BY place", arguments: [id])
            stored.letter.fields = fields.map { row in
                let value: Data = row[1]
                return DeadLetter.Field(name: row[0], value: [UInt8](value))
            }
            return stored
        }
    }

    package func deadLetterCount() async throws(LedgerError) -> Int {
        try await read("counting dead letters") { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM dead_letter WHERE retried IS NULL") ?? 0
        }
    }

    package func noteRetry(_ id: Int64, now: Int64) async throws(LedgerError) -> Bool {
        try await write("dead letters") { db in
            try db.execute(sql: "UPDATE dead_letter SET retried = ? WHERE id = ?", arguments: [now, id])
            return db.changesCount == 1
        }
    }

    package func dropDeadLetters(_ ids: [Int64]?) async throws(LedgerError) -> Int {
        try await write("dead letters") { db in
            var dropped = 0
            if let ids {
                for id in ids {
                    try db.execute(sql: "DELETE FROM dead_letter WHERE id = ?", arguments: [id])
                    dropped += db.changesCount
                }
            } else {
                try db.execute(sql: "DELETE FROM dead_letter")
                dropped = db.changesCount
            }
            try db.execute(sql: "DELETE FROM dead_letter_field WHERE letter NOT IN (SELECT id FROM dead_letter)")
            return dropped
        }
    }

    /// How often a batch is dispatched again that workers cannot read.
    private static let mostUnreadable = 3

    /// Whether workers could not read a batch so often that it is not dispatched any more.
    static func isUnreadable(_ db: Database, _ id: BatchID) throws -> Bool {
        let count = try Int.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT count(*) FROM dead_letter INDEXED BY dead_letter_batch
                    WHERE mailing = ? AND batch = ? AND is_batch AND retried IS NULL
                    """),
            arguments: [id.mailing.description, id.number])
        return count.map { $0 >= mostUnreadable } ?? false
    }
}

extension StoredDeadLetter {
    fileprivate static let columns = "id, stream, entry, reason, at, is_whole, mailing, batch, dispatch, bytes, retried"

    fileprivate init(_ row: Row) {
        var letter = DeadLetter(stream: row[1], entry: row[2], reason: row[3], fields: [])
        letter.at = row[4]
        letter.isWhole = row[5]
        let mailing: String? = row[6]
        letter.mailing = mailing.flatMap { MailingID($0) }
        letter.batch = row[7]
        letter.dispatchNumber = row[8]
        self.init(id: row[0], letter: letter, bytes: row[9], retried: row[10])
    }
}
