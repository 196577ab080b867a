import Customers
import GRDB
import Model
import Testing

@testable import Ledger

extension Example {
    /// Tables that have rows only within a transaction.
    static func isStaging(_ table: String) -> Bool { table.hasSuffix("_staging") }

    static func isOfCustomers(_ table: String) -> Bool {
        table.hasPrefix("customer") || ["attribute", "segment", "subscription"].contains(table)
    }

    /// A customer with a row in each table of customers, and the address in every column that may hold it.
    static func addCustomer(_ address: String, to ledger: SQLLedger, now: Int64) async throws {
        _ = try await ledger.addAttribute("second_address", .text, note: nil, now: now)
        var one = CustomerChange(id: address)
        one.addresses = [.email: [CustomerAddress(address: address, key: address, isValid: true)]]
        one.subscriptions = [SubscriptionKey(.email): .subscribed]
        one.attributes = [1: .text(address)]
        _ = try await ledger.store([one], source: "f.csv", proof: "form of \(address)", audit: nil, now: now)
        try await ledger.pool.write { db in
            let number = try #require(try Int64.fetchOne(db, sql: "SELECT number FROM customer WHERE id = ?", arguments: [address]))
            try db.execute(
                sql: """
                    INSERT INTO customer_event (customer, name, at, key, properties) VALUES (?, 'visit', 1, ?, ?);
                    INSERT INTO customer_event_name (name) VALUES ('visit');
                    INSERT INTO customer_order (customer, key, at, amount, currency) VALUES (?, ?, 1, 1, 'EUR');
                    INSERT INTO customer_order_line (order_number, line, customer, at, currency, product, quantity, amount)
                        SELECT number, 0, customer, 1, 'EUR', 'shirt', 1, 1 FROM customer_order;
                    INSERT INTO segment (name, owner, definition, created, changed) VALUES ('all', 'ann', '{"tag":"vip"}', 1, 1);
                    """,
                arguments: [number, "visit of \(address)", "{\"from\":\"\(address)\"}", number, "order of \(address)"])
        }
    }

    /// Columns that hold the address then.
    static let customerPlaces: Set<String> = [
        "customer.a1", "customer.id", "customer_address.address", "customer_address.key", "customer_event.key", "customer_event.properties",
        "customer_order.key", "subscription.proof",
    ]
}
