import Foundation
import GRDB
import Model

extension SQLiteLedger: AuditStore {
    package func audit(_ filter: AuditFilter, limit: Int) async throws(LedgerError) -> [AuditEntry] {
        try await read("reading the audit log") { db in
            let cursor = try Row.fetchCursor(
                db.cachedStatement(
                    sql: """
                        SELECT number, at, actor, kind, object, before, after FROM audit
                        WHERE (?1 IS NULL OR object = ?1) AND (?2 IS NULL OR at >= ?2) AND (?3 IS NULL OR number < ?3)
                        ORDER BY number DESC LIMIT ?4
                        """), arguments: [filter.object?.description, filter.since, filter.before, limit])
            return try Array(
                cursor.map {
                    try AuditEntry(
                        number: $0.read(0), at: $0.read(1), actor: $0.read(2), order: $0.read(3), object: AuditedObject($0.read(4)),
                        before: $0.read(5),
                        after: $0.read(6))
                })
        }
    }

    /// Adds the entry of an order to the transaction of its effect; nothing where nobody gave an order.
    /// - Parameter now: milliseconds since 1970.
    /// - Returns: the entry's number.
    @discardableResult
    static func note(
        _ db: Database, _ note: AuditNote?, on object: AuditedObject, before: AuditedValues, after: AuditedValues, now: Int64
    ) throws -> Int64? {
        guard let note else { return nil }
        try db.cachedStatement(sql: "INSERT INTO audit (at, actor, kind, object, before, after) VALUES (?, ?, ?, ?, ?, ?)")
            .execute(arguments: [now, note.actor, note.order.rawValue, object.description, try before.json(), try after.json()])
        return db.lastInsertedRowID
    }
}

extension AuditedValues {
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// What orders change of a mailing's state.
    init(state record: MailingRecord) {
        self.init()
        state = record.state.rawValue
        if !record.stateReason.words(record.state).isEmpty { reason = record.stateReason.words(record.state) }
    }
}
