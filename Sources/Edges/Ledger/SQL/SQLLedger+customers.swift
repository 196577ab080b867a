package import Customers
package import Model
import Text

extension SQLLedger: CustomerStore {
    package func attributes() async throws(LedgerError) -> [Attribute] {
        try await read("listing attributes") { db in try Self.attributes(db) }
    }

    package func addAttribute(
        _ name: String, _ type: AttributeType, note: AuditNote?, now: Int64
    ) async throws(LedgerError) -> Bool {
        try await write("adding an attribute") { db in
            if let known = try db.one(String.self, "SELECT type FROM attribute WHERE name = ?", [name]) {
                guard known == type.rawValue else {
                    throw LedgerError.refused("the attribute '\(name)' is there with the type \(known), and keeps it; name another")
                }
                return false
            }
            let number = (try db.one(Int.self, "SELECT max(number) FROM attribute") ?? 0) + 1
            guard number <= Attribute.most else {
                throw LedgerError.refused("there are \(Attribute.most) attributes, and more the ledger does not keep; use a tag or a list")
            }
            try db.run("INSERT INTO attribute (name, type, number, created) VALUES (?, ?, ?, ?)", [name, type.rawValue, number, now])
            try CustomerColumn.add(Attribute(name: name, type: type, number: number), db)
            var after = AuditedValues()
            after.types = type.rawValue
            try Self.note(db, note, on: .attribute(name), before: AuditedValues(), after: after, now: now)
            return true
        }
    }

    package func customer(_ id: String) async throws(LedgerError) -> Customer? {
        try await read("reading a customer") { db in
            guard let number = try db.one(Int64.self, "SELECT number FROM customer WHERE id = ?", [id]) else { return nil }
            return try Self.customers(db, "WHERE number = ?", [number]).first?.customer
        }
    }

    package func customers(with key: String, _ channel: Channel, limit: Int) async throws(LedgerError) -> [String] {
        try await read("looking for customers") { db in
            try db.all(
                String.self,
                """
                SELECT DISTINCT id FROM customer_address JOIN customer ON number = customer
                WHERE channel = ? AND key = ? ORDER BY id LIMIT ?
                """, [channel.rawValue, key, limit])
        }
    }

    package func customers(after place: Int64, limit: Int) async throws(LedgerError) -> CustomerPage {
        try await read("reading customers") { db in
            let found = try Self.customers(db, "WHERE number > ? ORDER BY number LIMIT ?", [place, limit])
            return CustomerPage(customers: found.map(\.customer), last: found.last?.number ?? place)
        }
    }

    package func customerCounts() async throws(LedgerError) -> [CustomerStatus: Int] {
        try await read("counting customers") { db in
            var counts: [CustomerStatus: Int] = [:]
            for row in try db.allRows("SELECT status, count(*) FROM customer GROUP BY status") {
                counts[CustomerStatus(code: try row.read(0)) ?? .blocked, default: 0] += try row.read(1) as Int
            }
            return counts
        }
    }

    package func removeCustomers(_ ids: [String], note: AuditNote?, now: Int64) async throws(LedgerError) -> Int {
        try await write("removing customers") { db in
            let removed = try Self.removeCustomers(db, "SELECT number FROM customer WHERE id IN (SELECT value FROM \(db.elements))", ids)
            guard removed > 0 else { return 0 }
            var before = AuditedValues()
            before.recipients = removed
            try Self.note(db, note, on: .customers, before: before, after: AuditedValues(), now: now)
            return removed
        }
    }

    /// - Parameter chosen: a query of numbers of customers, with `db.elements` for the values.
    static func removeCustomers(_ db: any SQLTransaction, _ chosen: String, _ values: [String]) throws -> Int {
        let numbers = try db.all(Int64.self, chosen, [JSONWriter.list(of: values)])
        // The addresses' key begins with the channel.
        let channels = JSONWriter.list(of: Channel.allCases.map(\.rawValue))
        for number in Set(numbers) {
            for table in ["customer_address", "subscription"] {
                try db.run("DELETE FROM \(table) WHERE channel IN (SELECT value FROM \(db.elements)) AND customer = ?", [channels, number])
            }
            try removeHistory(of: number, db)
            try db.run("DELETE FROM customer WHERE number = ?", [number])
        }
        return Set(numbers).count
    }

    /// Reads whole customers.
    /// - Parameter condition: the end of a query of the table `customer`.
    private static func customers(
        _ db: any SQLTransaction, _ condition: String, _ values: [any SQLConvertible]
    ) throws -> [(number: Int64, customer: Customer)] {
        let attributes = try attributes(db)
        let columns = attributes.map { ", \(CustomerColumn.name($0))" }.joined()
        let rows = try db.allRows(
            """
            SELECT number, id, status, language, time_zone, main_channel, tags, created, changed\(columns) FROM customer \(condition)
            """, values)
        var found: [(number: Int64, customer: Customer)] = []
        var places: [Int64: Int] = [:]
        for row in rows {
            var one = try Customer(id: row.read(1))
            // A status of a newer release is one that nobody is sent to with.
            one.status = CustomerStatus(code: try row.read(2)) ?? .blocked
            one.language = try row.read(3) ?? ""
            one.timeZone = try row.read(4) ?? ""
            one.mainChannel = try row.text(5).flatMap(Channel.init)
            one.tags = try row.text(6).map(AttributeValue.unpacked) ?? []
            one.created = try row.read(7)
            one.changed = try row.read(8)
            for (place, attribute) in attributes.enumerated() {
                one.attributes[attribute.name] = try CustomerColumn.read(row, 9 + place, attribute.type)
            }
            let number = try row.read(0) as Int64
            places[number] = found.count
            found.append((number, one))
        }
        try addAddresses(db, to: &found, places)
        return found
    }

    private static func addAddresses(
        _ db: any SQLTransaction, to found: inout [(number: Int64, customer: Customer)], _ places: [Int64: Int]
    ) throws {
        guard let first = places.keys.min(), let last = places.keys.max() else { return }
        for channel in Channel.allCases {
            let addresses = try db.rows(
                """
                SELECT customer, address, key, valid FROM customer_address WHERE channel = ? AND customer BETWEEN ? AND ?
                ORDER BY customer, place
                """, [channel.rawValue, first, last])
            while let row = try addresses.next() {
                guard let place = places[try row.read(0)] else { continue }
                found[place].customer.addresses[channel, default: []].append(
                    try CustomerAddress(address: row.read(1), key: row.read(2), isValid: row.read(3)))
            }
        }
        let subscriptions = try db.rows(
            """
            SELECT customer, channel, category, state, source, at, proof FROM subscription WHERE customer BETWEEN ? AND ?
            ORDER BY customer, channel, category
            """, [first, last])
        while let row = try subscriptions.next() {
            guard let place = places[try row.read(0)], let channel = try Channel(rawValue: row.read(1)) else { continue }
            found[place].customer.subscriptions.append(
                Subscription(
                    channel, category: try row.read(2), state: Subscription.State(code: try row.read(3)) ?? .unsubscribed,
                    source: try row.read(4), at: try row.read(5), proof: try row.read(6)))
        }
    }
}
