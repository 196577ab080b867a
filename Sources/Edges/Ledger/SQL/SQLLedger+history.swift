package import Customers
import Text

extension SQLLedger: CustomerHistoryStore {
    package func unknownCustomers(of ids: [String]) async throws(LedgerError) -> Set<String> {
        try await read("looking for customers") { db in
            Set(ids).subtracting(
                try db.all(
                    String.self, "SELECT id FROM customer WHERE id IN (SELECT value FROM \(db.elements))",
                    [JSONWriter.list(of: Array(Set(ids)))]))
        }
    }

    package func store(_ events: [CustomerEvent], audit: CustomerAudit?, now: Int64) async throws(LedgerError) -> HistorySummary {
        guard !events.isEmpty else { return HistorySummary() }
        return try await write("importing events") { db in
            try db.insert(
                into: "customer_event_staging", "row, customer, name, at, key, properties",
                events.enumerated().map { row, one in [row, one.customer, one.name, one.at, one.key, one.properties] })
            var summary = HistorySummary()
            summary.unknown = try Self.unknown(in: "customer_event_staging", db)
            try db.run(
                """
                INSERT INTO customer_event (customer, name, at, key, properties)
                SELECT c.number, s.name, s.at, s.key, s.properties FROM customer_event_staging s JOIN customer c ON c.id = s.customer
                WHERE true ORDER BY row ON CONFLICT (key) DO NOTHING
                """)
            summary.added = db.changes
            try db.runAll(
                "INSERT INTO customer_event_name (name) VALUES (?) ON CONFLICT (name) DO NOTHING",
                Set(events.map(\.name)).sorted().map { [$0] })
            try db.run("DELETE FROM customer_event_staging")
            summary.known = events.count - summary.added - summary.unknown
            try Self.note(db, audit, now: now, &summary)
            return summary
        }
    }

    package func store(_ orders: [CustomerOrder], audit: CustomerAudit?, now: Int64) async throws(LedgerError) -> HistorySummary {
        guard !orders.isEmpty else { return HistorySummary() }
        return try await write("importing orders") { db in
            var keys: Set<String> = []
            // Of two with one key the first counts, and its lines.
            let once = orders.filter { keys.insert($0.key).inserted }
            try db.insert(
                into: "customer_order_staging", "row, customer, key, at, amount, currency",
                once.enumerated().map { row, one in [row, one.customer, one.key, one.at, one.amount, one.currency] })
            try db.insert(
                into: "customer_order_line_staging", "row, line, product, quantity, amount",
                once.enumerated().flatMap { row, one in
                    one.lines.enumerated().map { line, item in [row, line, item.product, item.quantity, item.amount] }
                })
            var summary = HistorySummary()
            summary.unknown = try Self.unknown(in: "customer_order_staging", db)
            try db.run(
                """
                INSERT INTO customer_order (customer, key, at, amount, currency)
                SELECT c.number, s.key, s.at, s.amount, s.currency FROM customer_order_staging s JOIN customer c ON c.id = s.customer
                WHERE true ORDER BY row ON CONFLICT (key) DO NOTHING
                """)
            summary.added = db.changes
            // An order that was there already keeps its lines.
            try db.run(
                """
                INSERT INTO customer_order_line (order_number, line, customer, at, currency, product, quantity, amount)
                SELECT o.number, l.line, o.customer, o.at, o.currency, l.product, l.quantity, l.amount
                FROM customer_order_line_staging l JOIN customer_order_staging s ON s.row = l.row JOIN customer_order o ON o.key = s.key
                WHERE NOT EXISTS (SELECT 1 FROM customer_order_line k WHERE k.order_number = o.number)
                """)
            try db.run("DELETE FROM customer_order_staging")
            try db.run("DELETE FROM customer_order_line_staging")
            summary.known = orders.count - summary.added - summary.unknown
            try Self.note(db, audit, now: now, &summary)
            return summary
        }
    }

    package func eventNames() async throws(LedgerError) -> [String] {
        try await read("listing names of events") { db in try Self.eventNames(db) }
    }

    static func eventNames(_ db: any SQLTransaction) throws -> [String] {
        try db.all(String.self, "SELECT name FROM customer_event_name ORDER BY name")
    }

    /// Removes what a customer did and bought.
    static func removeHistory(of customer: Int64, _ db: any SQLTransaction) throws {
        // The index of events begins with their names, that of lines with the product.
        try db.run("DELETE FROM customer_event WHERE name IN (SELECT name FROM customer_event_name) AND customer = ?", [customer])
        try db.run(
            "DELETE FROM customer_order_line WHERE order_number IN (SELECT number FROM customer_order WHERE customer = ?)", [customer])
        try db.run("DELETE FROM customer_order WHERE customer = ?", [customer])
    }

    private static func unknown(in table: String, _ db: any SQLTransaction) throws -> Int {
        try db.one(
            Int.self, "SELECT count(*) FROM \(table) s WHERE NOT EXISTS (SELECT 1 FROM customer c WHERE c.id = s.customer)") ?? 0
    }

    private static func note(_ db: any SQLTransaction, _ audit: CustomerAudit?, now: Int64, _ summary: inout HistorySummary) throws {
        guard let audit else { return }
        summary.entry = try note(db, audit, count: summary.added, now: now)
    }
}
