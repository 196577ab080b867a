import Foundation
package import Model
import Signing
import Text

extension SQLLedger: SuppressionStore {
    package func suppress(_ new: [Suppression], audit: SuppressionAudit?, now: Int64) async throws(LedgerError) -> SuppressionChange {
        guard !new.isEmpty else { return SuppressionChange() }
        return try await write("suppress") { db in try Self.suppress(db, new, audit, now: now) }
    }

    static func suppress(
        _ db: any SQLTransaction, _ new: [Suppression], _ audit: SuppressionAudit?, now: Int64
    ) throws -> SuppressionChange {
        let revision = try nextRevision(db)
        var change = SuppressionChange()
        for one in new {
            let old = try suppression(db, one.key)
            let kept = old?.merged(with: one) ?? one
            if kept == old {
                change.unchanged += 1
                try confirm(db, one.key, now: now)
                continue
            }
            try store(db, kept, revision: revision, now: now)
            if old == nil { change.added += 1 } else { change.replaced += 1 }
        }
        for category in Set(new.map(\.key.category)) { try note(db, category: category, now: now) }
        try count(db, suppressions: change.added)
        change.entry = try note(db, audit, suppressed: new, count: change.added + change.replaced, now: now)
        return change
    }

    package func unsuppress(
        _ keys: [Suppression.Key], audit: SuppressionAudit?, now: Int64
    ) async throws(LedgerError) -> [Suppression] {
        try await write("unsuppress") { db in try Self.unsuppress(db, keys, audit, now: now) }
    }

    static func unsuppress(
        _ db: any SQLTransaction, _ keys: [Suppression.Key], _ audit: SuppressionAudit?, now: Int64
    ) throws -> [Suppression] {
        var removed: [Suppression] = []
        for key in keys {
            guard let old = try suppression(db, key) else { continue }
            try db.run(SuppressionStatements.noteRemoval, [key.channel.rawValue, key.address, key.category, now])
            try db.run(
                "DELETE FROM suppression WHERE channel = ? AND address = ? AND category = ?",
                [key.channel.rawValue, key.address, key.category])
            removed.append(old)
        }
        if !removed.isEmpty { _ = try nextRevision(db) }
        try count(db, suppressions: -removed.count)
        try note(db, audit, unsuppressed: removed, now: now)
        return removed
    }

    /// A second transaction waits here, so that revisions are committed in their order.
    static func nextRevision(_ db: any SQLTransaction) throws -> Int64 {
        try db.one(Int64.self, "UPDATE suppression_list SET revision = revision + 1 RETURNING revision") ?? 0
    }

    static func suppression(_ db: any SQLTransaction, _ key: Suppression.Key) throws -> Suppression? {
        let rows = try db.rows(
            "SELECT \(columns) FROM suppression WHERE channel = ? AND address = ? AND category = ?",
            [key.channel.rawValue, key.address, key.category])
        return try rows.next().flatMap { try Suppression($0) }
    }

    /// Whether a suppression of that key was removed since one happened.
    static func isRemoved(_ db: any SQLTransaction, _ one: Suppression) throws -> Bool {
        let removed = try db.one(
            Int64.self, "SELECT max(at) FROM suppression_removal WHERE channel = ? AND address = ? AND category = ?",
            [one.key.channel.rawValue, one.key.address, one.key.category])
        return removed.map { $0 >= one.at } ?? false
    }

    private static func store(_ db: any SQLTransaction, _ one: Suppression, revision: Int64, now: Int64) throws {
        try db.run(
            SuppressionStatements.store,
            [
                one.key.channel.rawValue, one.key.address, one.key.category, one.reason.rawValue, one.source, one.at, one.expires, revision,
                now,
            ])
    }

    private static func confirm(_ db: any SQLTransaction, _ key: Suppression.Key, now: Int64) throws {
        try db.run(SuppressionStatements.confirm, [key.channel.rawValue, key.address, key.category, now])
    }

    static func count(_ db: any SQLTransaction, suppressions change: Int) throws {
        guard change != 0 else { return }
        try db.run("UPDATE suppression_list SET entries = entries + ?", [change])
    }

    /// Makes a category known; nothing for none.
    static func note(_ db: any SQLTransaction, category: String, now: Int64) throws {
        guard !category.isEmpty else { return }
        try db.run("INSERT INTO category (name, created) VALUES (?, ?) ON CONFLICT DO NOTHING", [category, now])
    }

    static let columns = "channel, address, category, reason, source, at, expires"

    package func suppressions(
        _ filter: SuppressionFilter, after: Suppression.Key?, limit: Int
    ) async throws(LedgerError) -> [Suppression] {
        try await read("listing suppressions") { db in
            let rows = try db.rows(
                """
                SELECT \(Self.columns) FROM suppression
                WHERE (channel, address, category) > (?1, ?2, ?3) AND (?4 IS NULL OR channel = ?4)
                    AND (?5 IS NULL OR category = ?5) AND (?6 IS NULL OR reason = ?6)
                ORDER BY channel, address, category LIMIT ?7
                """,
                [
                    after?.channel.rawValue ?? "", after?.address ?? "", after?.category ?? "", filter.channel?.rawValue,
                    filter.category, filter.reason?.rawValue, limit,
                ])
            return try Self.suppressions(rows)
        }
    }

    package func suppressions(of address: String, _ channel: Channel) async throws(LedgerError) -> [Suppression] {
        try await read("looking for suppressions") { db in
            let forms = try Self.withHashes(db, [address], channel)
            return try Self.suppressions(
                db.rows(
                    "SELECT \(Self.columns) FROM suppression WHERE channel = ? AND address IN (?, ?) ORDER BY category, address",
                    [channel.rawValue, address, forms.last ?? address]))
        }
    }

    package func suppressions(
        since revision: Int64, changedAt time: Int64, limit: Int
    ) async throws(LedgerError) -> [Suppression] {
        try await read("reading the last suppressions") { db in
            var found: [(revision: Int64, suppression: Suppression)] = []
            // By the index of revisions, which begins with channel and category.
            for channel in Channel.allCases {
                let rows = try db.rows(
                    """
                    SELECT \(Self.columns), revision FROM suppression
                    WHERE channel = ? AND category IN (SELECT '' UNION ALL SELECT name FROM category) AND revision > ? AND changed >= ?
                    ORDER BY revision DESC LIMIT ?
                    """, [channel.rawValue, revision, time, limit])
                while let row = try rows.next() {
                    if let one = try Suppression(row) { try found.append((row.read(7), one)) }
                }
            }
            return found.sorted { $0.revision < $1.revision }.suffix(limit).map(\.suppression)
        }
    }

    private static func suppressions(_ rows: any SQLCursor) throws -> [Suppression] {
        var found: [Suppression] = []
        while let row = try rows.next() {
            if let one = try Suppression(row) { found.append(one) }
        }
        return found
    }

    package func suppressed(
        _ addresses: [String], for target: SuppressionTarget, now: Int64
    ) async throws(LedgerError) -> [Int: Suppression] {
        guard !addresses.isEmpty else { return [:] }
        return try await read("looking for suppressions") { db in try Self.suppressed(db, addresses, target, since: -1, now: now) }
    }

    /// The same among suppressions with a higher revision, those by what stands for an address among them. One statement for all addresses:
    /// a fifth of the cost of one for each.
    static func suppressed(
        _ db: any SQLTransaction, _ addresses: [String], _ target: SuppressionTarget, since revision: Int64, now: Int64
    ) throws -> [Int: Suppression] {
        let rows = try db.rows(
            """
            SELECT \(columns), key FROM \(db.elements) CROSS JOIN suppression
            WHERE channel = ? AND address = value AND category IN ('', ?) AND revision > ?
                AND (expires IS NULL OR expires > ?)
            """,
            [
                JSONWriter.list(of: try withHashes(db, addresses, target.channel)), target.channel.rawValue, target.category, revision, now,
            ])
        var found: [Int: Suppression] = [:]
        while let row = try rows.next() {
            guard let one = try Suppression(row) else { continue }
            let place = try row.read(7) as Int % addresses.count
            if found[place] == nil || one.key.category.isEmpty { found[place] = one }
        }
        return found
    }

    package func suppressedAddresses(
        for target: SuppressionTarget, after: String, limit: Int
    ) async throws(LedgerError) -> [String] {
        try await read("reading suppressions") { db in
            try db.all(
                String.self,
                """
                SELECT address FROM suppression WHERE channel = ? AND address > ? AND category IN ('', ?)
                ORDER BY address LIMIT ?
                """, [target.channel.rawValue, after, target.category, limit])
        }
    }

    package func suppressionList() async throws(LedgerError) -> SuppressionList {
        try await read("reading suppressions") { db in try Self.suppressionList(db) }
    }

    static func suppressionList(_ db: any SQLTransaction) throws -> SuppressionList {
        let rows = try db.rows("SELECT revision, entries FROM suppression_list")
        return try rows.next().map { try SuppressionList(revision: $0.read(0), entries: $0.read(1)) } ?? SuppressionList()
    }
}

extension Suppression {
    /// Reads `SQLLedger.columns`; nil where a newer release wrote a channel that this one lacks.
    fileprivate init?(_ row: any SQLRow) throws {
        guard let channel = try Channel(rawValue: row.read(0)) else { return nil }
        // A reason of a newer release still means that the person is not to be sent to.
        try self.init(
            Key(channel, row.read(1), category: row.read(2)), reason: Reason(rawValue: row.read(3)) ?? .manual, source: row.read(4),
            at: row.read(5), expires: row.read(6))
    }
}
