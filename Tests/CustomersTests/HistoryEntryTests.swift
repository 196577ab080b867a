import Customers
import Testing

/// What a row of a table of events or orders may be.
@Suite struct HistoryEntryTests {
    private func event(_ values: String...) throws(HistoryFault) -> CustomerEvent {
        try CustomerEvent { $0 < values.count ? values[$0] : "" }
    }

    private func order(_ values: String...) throws(HistoryFault) -> CustomerOrder {
        try CustomerOrder { $0 < values.count ? values[$0] : "" }
    }

    @Test func anEventWithoutAKeyHasOneOfItsOwn() throws {
        let one = try event("7", "open", "2026-01-01", "", #"{"page":"a"}"#)
        #expect(one == CustomerEvent(customer: "7", name: "open", at: 1_767_225_600_000, properties: #"{"page":"a"}"#))
        #expect(one.key == "1767225600000/open/7")
        #expect(try event("7", "open", "2026-01-01", "k").key == "k")
    }

    @Test func anOrderHasLines() throws {
        let one = try order(
            "7", "r1", "2026-01-01T10:00:00Z", "19.90", "EUR", #"[{"product":"shoe","quantity":2,"amount":19.9},{"product":"lace"}]"#)
        #expect(one.amount == 19_900_000)
        #expect(
            one.lines == [
                CustomerOrder.Line(product: "shoe", quantity: 2_000_000, amount: 19_900_000),
                CustomerOrder.Line(product: "lace", quantity: 1_000_000, amount: 0),
            ])
    }

    @Test func aBadValueIsNamedByItsColumn() {
        func column(_ read: () throws -> Void) -> Int? {
            do { try read() } catch { return (error as? HistoryFault)?.column }
            return nil
        }
        #expect(column { _ = try event("", "open", "2026-01-01") } == 0)
        #expect(column { _ = try event("7", "", "2026-01-01") } == 1)
        #expect(column { _ = try event("7", "open", "1.1.2026") } == 2)
        #expect(column { _ = try event("7", "open", "2026-01-01", String(repeating: "k", count: 257)) } == 3)
        #expect(column { _ = try event("7", "open", "2026-01-01", "", "[1]") } == 4)
        #expect(column { _ = try event("7", "open", "2026-01-01", "", "{") } == 4)
        #expect(column { _ = try order("7", "k", "2026-01-01", "1e3", "EUR") } == 3)
        #expect(column { _ = try order("7", "k", "2026-01-01", "1", "eur") } == 4)
        #expect(column { _ = try order("7", "k", "2026-01-01", "1", "EUR", "shoe") } == 5)
        #expect(column { _ = try order("7", "k", "2026-01-01", "1", "EUR", #"[{"product":""}]"#) } == 5)
        #expect(column { _ = try order("7", "k", "2026-01-01", "1", "EUR", #"[{"product":"a","amount":1e300}]"#) } == 5)
    }

    @Test func columnsAreFoundByTheirNames() throws {
        let columns = try HistoryColumns<CustomerEvent>(["When", "Name", "customer", "x"], mapping: ["When": "at", "x": "-"])
        #expect(columns.places == [2, 1, 0, nil, nil])
        for names in [["customer", "name"], ["customer", "name", "at", "propertie"], ["customer", "name", "at", "AT"]] {
            #expect(throws: CustomerColumns.Fault.self) { try HistoryColumns<CustomerEvent>(names, mapping: [:]) }
        }
    }
}
