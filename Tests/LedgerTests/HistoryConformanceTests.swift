import Customers
import Ledger
import Model
import TestServers
import Testing

/// Events and orders of customers, on both engines.
@Suite struct HistoryConformanceTests {
    private func open(_ engine: Engine, _ folder: TemporaryFolder) async throws -> any OpenLedger {
        let ledger = try #require(try await engine.open(folder) as? any OpenLedger)
        _ = try await ledger.store(["1", "2"].map { CustomerChange(id: $0) }, source: "f", proof: "", audit: nil, now: 1)
        return ledger
    }

    private func order(_ customer: String, _ key: String, lines: [CustomerOrder.Line] = []) -> CustomerOrder {
        CustomerOrder(customer: customer, key: key, at: 5, amount: 20_000_000, currency: "EUR", lines: lines)
    }

    @Test(arguments: Engine.all) func anEntryIsKeptOnceByItsKey(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await open(engine, folder)
        #expect(try await ledger.unknownCustomers(of: ["1", "3", "3", "4"]) == ["3", "4"])
        let events = [
            CustomerEvent(customer: "1", name: "open", at: 5, properties: #"{"a":1}"#), CustomerEvent(customer: "1", name: "open", at: 5),
            CustomerEvent(customer: "3", name: "close", at: 5),
        ]
        var audit = CustomerAudit(AuditNote(.importEvents, actor: "ann"), file: "/f.csv")
        let first = try await ledger.store(events, audit: audit, now: 6)
        #expect(first.added == 1 && first.known == 1 && first.unknown == 1)
        audit.entry = first.entry
        audit.changed = 1
        let second = try await ledger.store([CustomerEvent(customer: "2", name: "open", at: 5)], audit: audit, now: 7)
        #expect(second.added == 1 && second.entry == first.entry)
        let entries = try await ledger.audit(AuditFilter(object: .customers), limit: 9)
        #expect(entries.map(\.order) == ["import_events"] && entries.first?.after.contains("\"recipients\":2") == true)

        let line = CustomerOrder.Line(product: "shoe", quantity: 1_000_000, amount: 20_000_000)
        let orders = [order("1", "o1", lines: [line, line]), order("1", "o1", lines: [line]), order("3", "o2")]
        let bought = try await ledger.store(orders, audit: nil, now: 6)
        #expect(bought.added == 1 && bought.known == 1 && bought.unknown == 1)
        let again = try await ledger.store([order("2", "o1", lines: [line]), order("2", "o3")], audit: nil, now: 7)
        #expect(again.added == 1 && again.known == 1)
    }

    @Test(arguments: Engine.all) func removingACustomerRemovesThePast(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await open(engine, folder)
        let line = CustomerOrder.Line(product: "shoe", quantity: 1_000_000, amount: 1)
        for customer in ["1", "2"] {
            _ = try await ledger.store([CustomerEvent(customer: customer, name: "open", at: 5, key: "e\(customer)")], audit: nil, now: 6)
            _ = try await ledger.store([order(customer, "o\(customer)", lines: [line])], audit: nil, now: 6)
        }
        #expect(try await ledger.removeCustomers(["1"], note: nil, now: 7) == 1)
        _ = try await ledger.store([CustomerChange(id: "1")], source: "f", proof: "", audit: nil, now: 8)
        // Their keys are free again, those of others are not.
        let events = ["e1", "e2"].map { CustomerEvent(customer: "1", name: "open", at: 5, key: $0) }
        #expect(try await ledger.store(events, audit: nil, now: 9).added == 1)
        #expect(try await ledger.store([order("1", "o1", lines: [line]), order("1", "o2")], audit: nil, now: 9).added == 1)
    }
}
