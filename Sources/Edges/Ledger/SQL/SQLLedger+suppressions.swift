import Foundation
package import Model
import Signing
import Text

extension SQLLedger: SuppressionStore {
    package func suppress(_ new: [Suppression], audit: SuppressionAudit?, now: Int64) async throws(LedgerError) -> SuppressionChange {
        guard !new.isEmpty else { return SuppressionChange() }
        return try await write("suppress") { db in try Self.suppress(db, new, audit, now: now) }
    }

    /// - Parameter isNews: mailings that are planned already look for it when their batches are dispatched.
    static func suppress(
        _ db: any SQLTransaction, _ new: [Suppression], _ audit: SuppressionAudit?, isNews: Bool = true, now: Int64
    ) throws -> SuppressionChange {
        // What is no news has a revision that no mailing is planned before.
        let revision = isNews ? try nextRevision(db) : 0
        if !isNews { try lockSuppressions(db) }
        var change = SuppressionChange()
        var list = try suppressions(db, new.map(\.key))
        var changed: Set<Suppression.Key> = []
        for one in new {
            let old = list[one.key]
            let kept = old?.merged(with: one) ?? one
            if kept == old {
                change.unchanged += 1
                continue
            }
            list[one.key] = kept
            changed.insert(one.key)
            if old == nil { change.added += 1 } else { change.replaced += 1 }
        }
        try store(db, changed.compactMap { list[$0] }, revision: revision, now: now)
        let known = Set(new.map(\.key)).subtracting(changed)
        try confirm(db, known, now: now)
        if isNews { try db.runAll(SuppressionStatements.announce, known.map { $0.values + [revision] }) }
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
        let list = try suppressions(db, keys)
        let removed = Set(keys).compactMap { list[$0] }.sorted { $0.key.order < $1.key.order }
        try db.runAll(SuppressionStatements.noteRemoval, removed.map { $0.key.values + [now] })
        try db.runAll(
            "DELETE FROM suppression WHERE channel = ? AND address = ? AND category = ?", removed.map(\.key.values))
        if !removed.isEmpty { _ = try nextRevision(db) }
        try count(db, suppressions: -removed.count)
        _ = try note(db, audit, unsuppressed: removed, by: nil, now: now)
        return removed
    }

    /// A second transaction waits here, so that revisions are committed in their order.
    static func nextRevision(_ db: any SQLTransaction) throws -> Int64 {
        try db.one(Int64.self, "UPDATE suppression_list SET revision = revision + 1 RETURNING revision") ?? 0
    }

    /// As with `nextRevision` a second transaction waits here.
    static func lockSuppressions(_ db: any SQLTransaction) throws { try db.run("UPDATE suppression_list SET revision = revision") }

    static func suppression(_ db: any SQLTransaction, _ key: Suppression.Key) throws -> Suppression? {
        try suppressions(db, [key])[key]
    }

    /// Those of some keys.
    static func suppressions(_ db: any SQLTransaction, _ keys: [Suppression.Key]) throws -> [Suppression.Key: Suppression] {
        let keys = Array(Set(keys))
        let found: [Suppression??] = try db.firstRows(
            "SELECT \(columns) FROM suppression WHERE channel = ? AND address = ? AND category = ?", keys.map(\.values)
        ) { row, _ in try Suppression(row) }
        return Dictionary(uniqueKeysWithValues: zip(keys, found).compactMap { key, one in (one ?? nil).map { (key, $0) } })
    }

    /// Whether a suppression of that key was removed since one happened.
    static func isRemoved(_ db: any SQLTransaction, _ one: Suppression) throws -> Bool { try !removed(db, [one]).isEmpty }

    /// The keys of those that were removed since they happened.
    static func removed(_ db: any SQLTransaction, _ some: [Suppression]) throws -> Set<Suppression.Key> {
        let times: [Int64?] = try db.firstRows(
            "SELECT at FROM suppression_removal WHERE channel = ? AND address = ? AND category = ?", some.map(\.key.values)
        ) { row, _ in try row.read(0) }
        return Set(zip(some, times).compactMap { one, time in time.flatMap { $0 >= one.at ? one.key : nil } })
    }

    private static func store(_ db: any SQLTransaction, _ some: [Suppression], revision: Int64, now: Int64) throws {
        try db.runAll(
            SuppressionStatements.store,
            some.map { $0.key.values + [$0.reason.rawValue, $0.source, $0.at, $0.expires, revision, now, $0.provider] })
    }

    private static func confirm(_ db: any SQLTransaction, _ keys: Set<Suppression.Key>, now: Int64) throws {
        try db.runAll(SuppressionStatements.confirm, keys.map { $0.values + [now] })
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

    static let columns = "channel, address, category, reason, source, at, expires, provider"

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
                    if let one = try Suppression(row) { try found.append((row.read(8), one)) }
                }
            }
            return found.sorted { $0.revision < $1.revision }.suffix(limit).map(\.suppression)
        }
    }

    static func suppressions(_ rows: any SQLCursor) throws -> [Suppression] {
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
            let place = try row.read(8) as Int % addresses.count
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

extension Suppression.Key {
    /// As statements take them.
    var values: [any SQLConvertible] { [channel.rawValue, address, category] }
    fileprivate var order: (String, String, String) { (channel.rawValue, address, category) }
}

extension Suppression {
    /// Reads `SQLLedger.columns`; nil where a newer release wrote a channel that this one lacks.
    fileprivate init?(_ row: any SQLRow) throws {
        guard let channel = try Channel(rawValue: row.read(0)) else { return nil }
        // A reason of a newer release still means that the person is not to be sent to.
        try self.init(
            Key(channel, row.read(1), category: row.read(2)), reason: Reason(rawValue: row.read(3)) ?? .manual, source: row.read(4),
            provider: row.read(7), at: row.read(5), expires: row.read(6))
    }
}
