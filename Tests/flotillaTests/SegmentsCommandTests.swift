import Foundation
import TestServers
import Testing

/// Customers' events and orders, and segments, as their users meet them.
@Suite struct SegmentsCommandTests {
    private let folder: TemporaryFolder
    private var ledger: String { folder.path("ledger.sqlite") }

    init() throws { folder = try TemporaryFolder() }

    private func run(_ arguments: String...) async throws -> Program.Outcome {
        try await Program.run(arguments + ["--ledger", ledger])
    }

    private func importCustomers() async throws {
        let table = try folder.write("id,city,age\n1,Bonn,20\n2,Ulm,30\n3,,\n", to: "customers.csv")
        let imported = try await run("customers", "import", table, "--attribute", "city:text", "--attribute", "age:number")
        try #require(imported.status == 0, "\(imported.errors)")
    }

    @Test func eventsAndOrdersAreImportedOnce() async throws {
        try await importCustomers()
        let events = try folder.write("customer,name,at\n1,open,2026-01-01\n9,open,2026-01-01\n2,open,yesterday\n", to: "events.csv")
        let refused = try await run("customers", "events", "import", events)
        #expect(refused.status != 0 && refused.errors.contains("events.csv:3") && refused.errors.contains("events.csv:4"), "\(refused)")
        #expect(refused.errors.contains("'9' is no customer"))
        let some = try await run("customers", "events", "import", events, "--skip-invalid")
        #expect(some.output == "1 event added; 2 rows skipped\n", "\(some)")
        let orders = try folder.write(
            #"{"customer":"1","key":"r1","at":"2026-01-01","amount":12.5,"currency":"EUR","lines":[{"product":"shoe","amount":12.5}]}"#,
            to: "orders.ndjson")
        let added = try await run("customers", "orders", "import", orders, "--output", "json")
        #expect(added.output.contains(#""added":1"#) || added.output.contains(#""added" : 1"#), "\(added)")
        let again = try await run("customers", "orders", "import", orders)
        #expect(again.output == "0 orders added, 1 there already\n", "\(again)")
        let audit = try await Program.run(["audit", "--ledger", ledger])
        #expect(audit.output.contains("import_events customers") && audit.output.contains("import_orders customers"), "\(audit)")
    }

    @Test func aSegmentIsSavedCountedAndListed() async throws {
        try await importCustomers()
        let file = try folder.write(
            "all:\n  - {attribute: city, is_known: true}\n  - none:\n      - {attribute: age, at_most: 20}\n", to: "s.yaml")
        let added = try await run("segments", "add", "grown-ups", file, "--actor", "zoe")
        #expect(added.output == "saved: grown-ups, 1 customer now\n", "\(added)")
        #expect(try await run("segments", "count", "grown-ups", "--output", "json").output.filter { !$0.isWhitespace } == #"{"members":1}"#)
        #expect(try await run("segments", "members", "grown-ups").output == "2\n")
        let other = try folder.write("none:\n  - segment: grown-ups\n", to: "other.yaml")
        #expect(try await run("segments", "members", "--file", other, "--limit", "1").output == "1\n")
        #expect(try await run("segments", "list").output.contains("zoe"))
        // What show prints is read again.
        let shown = try folder.write(try await run("segments", "show", "grown-ups").output, to: "shown.json")
        #expect(try await run("segments", "count", "--file", shown).output == "1 customer\n")
        #expect(try await run("segments", "add", "rest", other).status == 0)
        let used = try await run("segments", "remove", "grown-ups")
        #expect(used.status != 0 && used.errors.contains("is used by 'rest'"), "\(used)")
        let wrong = try folder.write("any:\n  - {attribute: city, equals: Bonn}\n  - {attribute: ago, at_least: 18}\n", to: "wrong.yaml")
        let refused = try await run("segments", "count", "--file", wrong)
        #expect(refused.errors.contains("any[2]: 'ago' is no attribute; did you mean 'age'?"), "\(refused)")
    }
}
