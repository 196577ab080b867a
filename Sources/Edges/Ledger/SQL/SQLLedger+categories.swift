package import Model
import Text

extension SQLLedger {
    package func categories() async throws(LedgerError) -> [String] {
        try await read("listing categories") { db in try db.all(String.self, "SELECT name FROM category ORDER BY name") }
    }

    package func categoryUses() async throws(LedgerError) -> [CategoryUse] {
        try await read("listing categories") { db in
            try db.allRows(
                """
                SELECT name, created, (SELECT count(*) FROM mailing WHERE mailing.category = category.name),
                    (SELECT count(*) FROM suppression WHERE suppression.category = category.name)
                FROM category ORDER BY name
                """
            ).map {
                try CategoryUse(name: $0.read(0), created: $0.read(1), mailings: $0.read(2), suppressions: $0.read(3))
            }
        }
    }

    package func addCategories(_ names: [String], note: AuditNote?, now: Int64) async throws(LedgerError) -> [String] {
        try await write("adding categories") { db in
            var new: [String] = []
            for name in names {
                let known = try db.one(Bool.self, "SELECT EXISTS (SELECT 1 FROM category WHERE name = ?)", [name])
                guard known != true else { continue }
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
            let uses = try db.row(
                """
                SELECT (SELECT count(*) FROM mailing WHERE category = ?1), (SELECT count(*) FROM suppression WHERE category = ?1)
                FROM category WHERE name = ?1
                """, [name])
            guard let uses else { throw LedgerError.refused(CategoryUse.missing(name)) }
            let use = try CategoryUse(name: name, created: 0, mailings: uses.read(0), suppressions: uses.read(1))
            if let obstacle = use.obstacle { throw LedgerError.refused(obstacle) }
            try db.run("DELETE FROM category WHERE name = ?", [name])
            try Self.note(db, note, on: .categories(name), before: AuditedValues(), after: AuditedValues(), now: now)
        }
    }

    package func hasCategorySuppressions(_ channel: Channel) async throws(LedgerError) -> Bool {
        try await read("looking for suppressions") { db in
            try db.one(
                Bool.self, "SELECT EXISTS (SELECT 1 FROM suppression WHERE channel = ? AND category > '')", [channel.rawValue]) == true
        }
    }

    package func suppressedForCategories(
        _ addresses: [String], _ channel: Channel, now: Int64
    ) async throws(LedgerError) -> Set<String> {
        guard !addresses.isEmpty else { return [] }
        return try await read("looking for suppressions") { db in
            let asked = try Self.withHashes(db, addresses, channel)
            let found = try Set(
                db.all(
                    String.self,
                    """
                    SELECT address FROM \(db.elements) CROSS JOIN suppression
                    WHERE channel = ? AND address = value AND (expires IS NULL OR expires > ?)
                    GROUP BY address HAVING min(category) > ''
                    """, [JSONWriter.list(of: asked), channel.rawValue, now]))
            return Set(asked.indices.filter { found.contains(asked[$0]) }.map { addresses[$0 % addresses.count] })
        }
    }
}

extension CategoryUse {
    /// Why the category stays; nil where nothing has it.
    var obstacle: String? {
        guard mailings + suppressions > 0 else { return nil }
        let users = [
            mailings > 0 ? Plural.text(mailings, "mailing") : nil, suppressions > 0 ? Plural.text(suppressions, "suppression") : nil,
        ].compactMap(\.self).joined(separator: " and ")
        return "the category '\(name)' stays: \(users) \(mailings + suppressions == 1 ? "has" : "have") it"
    }

    static func missing(_ name: String) -> String {
        "there is no category '\(name)': flotilla suppressions categories list shows those there are"
    }
}

extension JSONWriter {
    /// A JSON array of texts, as a parameter of `SQLTransaction.elements`.
    static func list(of texts: [String]) -> String {
        var wire = JSONWriter(capacity: texts.count * 32)
        wire.beginArray()
        for text in texts { wire.string(text.utf8) }
        wire.endArray()
        return String(decoding: wire.bytes, as: UTF8.self)
    }
}
