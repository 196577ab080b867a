package import Customers
import Model

extension SQLLedger {
    package func store(
        _ changes: [CustomerChange], source: String, proof: String, audit: CustomerAudit?, now: Int64
    ) async throws(LedgerError) -> CustomerSummary {
        guard !changes.isEmpty else { return CustomerSummary() }
        return try await write("importing customers") { db in
            var summary = CustomerSummary()
            try CustomerImport(db, now: now).run(changes, source: source, proof: proof, &summary)
            if let audit { summary.entry = try Self.note(db, audit, count: summary.added + summary.updated, now: now) }
            return summary
        }
    }

    /// Adds the audit entry of an import, or brings that of the transactions before up to date. It names nobody.
    static func note(_ db: any SQLTransaction, _ audit: CustomerAudit, count: Int, now: Int64) throws -> Int64? {
        var after = AuditedValues()
        after.file = audit.file
        after.recipients = audit.changed + count
        guard let entry = audit.entry else {
            return try note(db, audit.note, on: .customers, before: AuditedValues(), after: after, now: now)
        }
        try db.run("UPDATE audit SET after = ? WHERE number = ?", [try after.json(), entry])
        return entry
    }
}

/// Writes rows into the tables `…_staging`, and moves them from there with a few statements for all of them.
private struct CustomerImport {
    private let db: any SQLTransaction
    private let now: Int64
    private let attributes: [Attribute]

    init(_ db: any SQLTransaction, now: Int64) throws {
        self.db = db
        self.now = now
        attributes = try SQLLedger.attributes(db)
    }

    func run(_ changes: [CustomerChange], source: String, proof: String, _ summary: inout CustomerSummary) throws {
        // Only attributes that a row has a value of are looked at.
        let used = Set(changes.flatMap(\.attributes.keys))
        let attributes = attributes.filter { used.contains($0.number) }
        try stage(changes, attributes)
        try moveCustomers(attributes, source: source, &summary)
        try moveAddresses(changes, &summary)
        try moveSubscriptions(changes, source: source, proof: proof, &summary)
        try db.run("DELETE FROM customer_staging")
    }

    private func stage(_ changes: [CustomerChange], _ attributes: [Attribute]) throws {
        let names = attributes.map { ", \(CustomerColumn.name($0))" }.joined()
        try db.insert(
            into: "customer_staging", "row, id, status, language, time_zone, main_channel, tags\(names)",
            changes.enumerated().map { row, change in
                let fields: [any SQLConvertible] = [
                    row, change.id, change.status?.code, change.language, change.timeZone, change.mainChannel?.rawValue,
                    change.tags.map { AttributeValue.packed($0) ?? "" },
                ]
                return fields + attributes.map { CustomerColumn.value(change.attributes[$0.number], $0.type) }
            })
    }

    private func moveCustomers(_ attributes: [Attribute], source: String, _ summary: inout CustomerSummary) throws {
        let columns = ["language", "time_zone", "main_channel", "tags"] + attributes.map(CustomerColumn.name)
        let kept = (["status"] + columns).map { "\($0) = coalesce(s.\($0), customer.\($0))" }.joined(separator: ", ")
        try db.run("UPDATE customer SET \(kept), changed = ? FROM customer_staging s WHERE customer.id = s.id", [now])
        summary.updated += db.changes
        try db.run(
            """
            INSERT INTO customer (id, status, source, created, changed, \(columns.joined(separator: ", ")))
            SELECT id, coalesce(status, 0), ?1, ?2, ?2, \(columns.joined(separator: ", ")) FROM customer_staging s
            WHERE NOT EXISTS (SELECT 1 FROM customer WHERE customer.id = s.id) ORDER BY row
            """, [source, now])
        summary.added += db.changes
        try db.run("UPDATE customer_staging SET customer = customer.number FROM customer WHERE customer.id = customer_staging.id")
    }

    private func moveAddresses(_ changes: [CustomerChange], _ summary: inout CustomerSummary) throws {
        for channel in Channel.allCases {
            var rows: [[any SQLConvertible]] = []
            for (row, change) in changes.enumerated() {
                for (place, one) in (change.addresses[channel] ?? []).enumerated() {
                    rows.append([row, place, one.address, one.key, one.isValid])
                    if !one.isValid { summary.invalidAddresses += 1 }
                }
            }
            guard !rows.isEmpty else { continue }
            try db.insert(into: "customer_address_staging", "row, place, address, key, valid", rows)
            try db.run(
                """
                DELETE FROM customer_address WHERE channel = ? AND customer IN (
                    SELECT customer FROM customer_address_staging a JOIN customer_staging s ON s.row = a.row)
                """, [channel.rawValue])
            try db.run(
                """
                INSERT INTO customer_address (channel, customer, place, address, key, valid)
                SELECT ?, s.customer, a.place, a.address, a.key, a.valid
                FROM customer_address_staging a JOIN customer_staging s ON s.row = a.row
                """, [channel.rawValue])
            try db.run("DELETE FROM customer_address_staging")
        }
    }

    private func moveSubscriptions(
        _ changes: [CustomerChange], source: String, proof: String, _ summary: inout CustomerSummary
    ) throws {
        var rows: [[any SQLConvertible]] = []
        for (row, change) in changes.enumerated() {
            for (key, state) in change.subscriptions { rows.append([row, key.channel.rawValue, key.category, state.code]) }
        }
        guard !rows.isEmpty else { return }
        for category in Set(changes.flatMap { $0.subscriptions.keys.map(\.category) }).sorted() {
            try SQLLedger.note(db, category: category, now: now)
        }
        try db.insert(into: "subscription_staging", "row, channel, category, state", rows)
        // Who gave a consent before keeps its date and its proof when it is given again.
        try db.run(
            """
            INSERT INTO subscription (customer, channel, category, state, source, at, proof)
            SELECT s.customer, c.channel, c.category, c.state, ?, ?, ?
            FROM subscription_staging c JOIN customer_staging s ON s.row = c.row WHERE true
            ON CONFLICT (customer, channel, category) DO UPDATE SET state = excluded.state, source = excluded.source, at = excluded.at,
                proof = excluded.proof
            WHERE subscription.state <> excluded.state
            """, [source, now, proof])
        summary.subscriptions += db.changes
        try db.run("DELETE FROM subscription_staging")
    }
}
