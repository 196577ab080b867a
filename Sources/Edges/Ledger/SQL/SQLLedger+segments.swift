package import Customers
import Foundation
import Model

extension SQLLedger: SegmentStore {
    package func segments() async throws(LedgerError) -> [StoredSegment] {
        try await read("listing segments") { db in try Self.segments(db) }
    }

    package func segmentCatalogue() async throws(LedgerError) -> SegmentCatalogue {
        try await read("reading segments") { db in try Self.catalogue(db) }
    }

    package func save(_ segment: StoredSegment, replaces: Bool, note: AuditNote?, now: Int64) async throws(LedgerError) {
        try await write("saving a segment") { db in
            let old = try db.one(String.self, "SELECT owner FROM segment WHERE name = ?", [segment.name])
            guard old == nil || replaces else {
                throw LedgerError.refused(
                    "there is a segment '\(segment.name)' already; name another, or give it a new definition (--replace)")
            }
            let catalogue = try Self.catalogue(db)
            if let cycle = catalogue.cycle(from: segment.name, segment.definition) {
                throw LedgerError.refused("the segment would use itself: \(cycle.joined(separator: " -> "))")
            }
            // Also what it has with the segments that it uses.
            _ = try Self.query(segment.definition, catalogue, db, now: now)
            try db.run(
                """
                INSERT INTO segment (name, owner, definition, created, changed) VALUES (?1, ?2, ?3, ?4, ?4)
                ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, definition = excluded.definition, changed = excluded.changed
                """, [segment.name, segment.owner, try segment.definition.json(), now])
            var (before, after) = (AuditedValues(), AuditedValues())
            before.identity = old
            after.identity = segment.owner
            try Self.note(db, note, on: .segment(segment.name), before: before, after: after, now: now)
        }
    }

    package func removeSegment(_ name: String, note: AuditNote?, now: Int64) async throws(LedgerError) -> Bool {
        try await write("removing a segment") { db in
            let all = try Self.segments(db)
            guard let found = all.first(where: { $0.name == name }) else { return false }
            let users = all.filter { $0.definition.segments.contains(name) }.map { "'\($0.name)'" }
            guard users.isEmpty else {
                throw LedgerError.refused("the segment '\(name)' is used by \(users.joined(separator: ", ")); change or remove these first")
            }
            try db.run("DELETE FROM segment WHERE name = ?", [name])
            var before = AuditedValues()
            before.identity = found.owner
            try Self.note(db, note, on: .segment(name), before: before, after: AuditedValues(), now: now)
            return true
        }
    }

    package func count(of definition: SegmentDefinition, now: Int64) async throws(LedgerError) -> Int {
        try await read("counting a segment") { db in
            let query = try Self.query(definition, Self.catalogue(db), db, now: now)
            try db.beginAnalysis()
            return try db.one(Int.self, "SELECT count(*) FROM (\(query.sql)) AS found", query.values) ?? 0
        }
    }

    package func members(
        of definition: SegmentDefinition, after place: Int64, limit: Int, now: Int64
    ) async throws(LedgerError) -> SegmentPage {
        try await read("reading a segment") { db in
            let catalogue = try Self.catalogue(db)
            try db.beginAnalysis()
            var page = SegmentPage(last: place)
            while page.members.count < limit {
                let last = try db.one(Int64.self, Self.nextRange, [page.last])
                guard let last else {
                    page.isEnd = true
                    break
                }
                let query = try Self.query(definition, catalogue, db, now: now, page: (page.last, last))
                let left = limit - page.members.count
                let rows = try db.allRows(
                    "SELECT number, id FROM (\(query.sql)) AS found ORDER BY number LIMIT ?\(query.values.count + 1)", query.values + [left]
                )
                for row in rows { page.members.append(try row.read(1)) }
                page.last = rows.count == left ? try rows[left - 1].read(0) : last
            }
            return page
        }
    }

    /// The last of the next some thousand customers: members are looked for among so many at a time.
    private static let nextRange =
        "SELECT max(number) FROM (SELECT number FROM customer WHERE number > ? ORDER BY number LIMIT 20000) AS next"

    private static func segments(_ db: any SQLTransaction) throws -> [StoredSegment] {
        try db.allRows("SELECT name, owner, definition, created, changed FROM segment ORDER BY name").map { row in
            let text = try row.read(2) as String
            guard let definition = try? JSONDecoder().decode(SegmentDefinition.self, from: Data(text.utf8)) else {
                throw SQLDamage(row, 2, "is no definition")
            }
            return try StoredSegment(
                name: row.read(0), owner: row.read(1), definition: definition, created: row.read(3), changed: row.read(4))
        }
    }

    private static func catalogue(_ db: any SQLTransaction) throws -> SegmentCatalogue {
        SegmentCatalogue(
            attributes: try attributes(db), categories: try db.all(String.self, "SELECT name FROM category ORDER BY name"),
            segments: Dictionary(uniqueKeysWithValues: try segments(db).map { ($0.name, $0.definition) }))
    }

    private static func query(
        _ definition: SegmentDefinition, _ catalogue: SegmentCatalogue, _ db: any SQLTransaction, now: Int64,
        page: (after: Int64, last: Int64)? = nil
    ) throws(LedgerError) -> (sql: String, values: [any SQLConvertible]) {
        do throws(SegmentFault) {
            var query = SegmentSQL(catalogue, elements: db.elements, now: now, page: page)
            let sql = try query.members(SegmentReader.read(definition, catalogue))
            // SQLite takes 32,766 parameters.
            guard query.values.count < 32_000 else { throw SegmentFault("", "it compares with more than 32,000 values; use one_of") }
            return (sql, query.values)
        } catch { throw .refused(error.description) }
    }
}

extension SegmentDefinition {
    /// A JSON object with its keys in order.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
