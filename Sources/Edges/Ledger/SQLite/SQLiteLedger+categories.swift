import GRDB
package import Model
import Text

extension SQLiteLedger {
    package func categories() async throws(LedgerError) -> [String] {
        try await read("listing categories") { db in
            try String.fetchAll(db.cachedStatement(sql: "SELECT name FROM category ORDER BY name"))
        }
    }

    package func categoryUses() async throws(LedgerError) -> [CategoryUse] {
        try await read("listing categories") { db in
            let rows = try Row.fetchCursor(
                db.cachedStatement(
                    sql: """
                        SELECT name, created, (SELECT count(*) FROM mailing WHERE mailing.category = category.name),
                            (SELECT count(*) FROM suppression WHERE suppression.category = category.name)
                        FROM category ORDER BY name
                        """))
            return try Array(
                rows.map { try CategoryUse(name: $0.read(0), created: $0.read(1), mailings: $0.read(2), suppressions: $0.read(3)) })
        }
    }

    package func addCategories(_ names: [String], note: AuditNote?, now: Int64) async throws(LedgerError) -> [String] {
        try await write("adding categories") { db in
            var new: [String] = []
            for name in names {
                let statement = try db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM category WHERE name = ?)")
                guard try Bool.fetchOne(statement, arguments: [name]) != true else { continue }
                try Self.note(db, category: name, now: now)
                new.append(name)
            }
            guard !new.isEmpty else { return [] }
            let object = AuditedObject.categories(new.joined(separator: ","))
            try Self.note(db, note, on: object, before: AuditedValues(), after: AuditedValues(), now: now)
            return new
        }
    }

    package func removeCategory(_ name: String, note: AuditNote?, now: Int64) async throws(LedgerError) {
        try await write("removing a category") { db in
            let uses = try Row.fetchCursor(
                db.cachedStatement(
                    sql: """
                        SELECT (SELECT count(*) FROM mailing WHERE category = ?1), (SELECT count(*) FROM suppression WHERE category = ?1)
                        FROM category WHERE name = ?1
                        """), arguments: [name])
            guard let row = try uses.next() else { throw LedgerError.refused(CategoryUse.missing(name)) }
            let use = try CategoryUse(name: name, created: 0, mailings: row.read(0), suppressions: row.read(1))
            if let obstacle = use.obstacle { throw LedgerError.refused(obstacle) }
            try db.execute(sql: "DELETE FROM category WHERE name = ?", arguments: [name])
            try Self.note(db, note, on: .categories(name), before: AuditedValues(), after: AuditedValues(), now: now)
        }
    }

    package func hasCategorySuppressions(_ channel: Channel) async throws(LedgerError) -> Bool {
        try await read("looking for suppressions") { db in
            let statement = try db.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM suppression WHERE channel = ? AND category > '')")
            return try Bool.fetchOne(statement, arguments: [channel.rawValue]) == true
        }
    }

    package func suppressedForCategories(
        _ addresses: [String], _ channel: Channel, now: Int64
    ) async throws(LedgerError) -> Set<String> {
        guard !addresses.isEmpty else { return [] }
        return try await read("looking for suppressions") { db in
            try String.fetchSet(
                db.cachedStatement(
                    sql: """
                        SELECT address FROM json_each(?) CROSS JOIN suppression
                        WHERE channel = ? AND address = value AND (expires IS NULL OR expires > ?)
                        GROUP BY address HAVING min(category) > ''
                        """), arguments: [JSONWriter.list(of: addresses), channel.rawValue, now])
        }
    }
}
