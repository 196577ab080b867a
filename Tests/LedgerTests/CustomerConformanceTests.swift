import Customers
import Foundation
import Ledger
import Logging
import Model
import TestServers
import Testing

/// Customers, on both engines.
@Suite struct CustomerConformanceTests {
    private func change(_ id: String, _ edit: (inout CustomerChange) -> Void = { _ in }) -> CustomerChange {
        var change = CustomerChange(id: id)
        edit(&change)
        return change
    }

    private func address(_ text: String, isValid: Bool = true) -> CustomerAddress {
        CustomerAddress(address: text, key: text, isValid: isValid)
    }

    private func open(_ engine: Engine, _ folder: TemporaryFolder) async throws -> any LedgerStore & CustomerStore {
        try #require(try await engine.open(folder) as? any LedgerStore & CustomerStore)
    }

    @Test(arguments: Engine.all) func aCustomerIsReadAsItWasWritten(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await open(engine, folder)
        for (name, type) in [("city", .text), ("age", .number), ("born", .date), ("vip", .boolean), ("likes", .list)]
            as [(String, AttributeType)]
        {
            #expect(try await ledger.addAttribute(name, type, note: nil, now: 1))
        }
        let numbers = Dictionary(uniqueKeysWithValues: try await ledger.attributes().map { ($0.name, $0.number) })
        func number(_ name: String) -> Int { numbers[name] ?? 0 }
        let one = change("7") {
            $0.language = "de"
            $0.timeZone = "Europe/Berlin"
            $0.mainChannel = .sms
            $0.tags = ["new", "vip"]
            $0.addresses = [.email: [address("a@x.com"), address("b@x.com")], .sms: [address("nonsense", isValid: false)]]
            $0.subscriptions = [SubscriptionKey(.email): .subscribed, SubscriptionKey(.email, category: "news"): .unsubscribed]
            $0.attributes = [
                number("city"): .text("Zürich"), number("age"): .number(-1), number("born"): .date(-86_400_000),
                number("vip"): .boolean(false), number("likes"): .list(["a", "b\""]),
            ]
        }
        let summary = try await ledger.store([one, change("8")], source: "/f.csv", proof: "form 9", audit: nil, now: 5)
        #expect(summary.added == 2 && summary.updated == 0 && summary.invalidAddresses == 1 && summary.subscriptions == 2)
        let found = try #require(try await ledger.customer("7"))
        #expect(found.language == "de" && found.timeZone == "Europe/Berlin" && found.mainChannel == .sms && found.tags == ["new", "vip"])
        #expect(found.addresses == one.addresses && found.created == 5 && found.changed == 5)
        #expect(
            found.subscriptions == [
                Subscription(.email, category: "", state: .subscribed, source: "/f.csv", at: 5, proof: "form 9"),
                Subscription(.email, category: "news", state: .unsubscribed, source: "/f.csv", at: 5, proof: "form 9"),
            ])
        #expect(
            found.attributes == [
                "city": .text("Zürich"), "age": .number(-1), "born": .date(-86_400_000), "vip": .boolean(false),
                "likes": .list(["a", "b\""]),
            ])
        #expect(try await ledger.categories() == ["news"])
        #expect(try await ledger.customer("8")?.attributes.isEmpty == true)
        #expect(try await ledger.customer("9") == nil)
        #expect(try await ledger.customers(with: "b@x.com", .email, limit: 9) == ["7"])
        #expect(try await ledger.customerCounts() == [.enabled: 2])
    }

    @Test(arguments: Engine.all) func anImportChangesWhatItSaysAndNothingElse(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await open(engine, folder)
        _ = try await ledger.addAttribute("city", .text, note: nil, now: 1)
        _ = try await ledger.addAttribute("age", .number, note: nil, now: 1)
        let first = change("1") {
            $0.tags = ["old"]
            $0.addresses = [.email: [address("a@x.com")], .sms: [address("+491")]]
            $0.subscriptions = [SubscriptionKey(.email): .subscribed]
            $0.attributes = [1: .text("Bonn")]
        }
        _ = try await ledger.store([first], source: "first", proof: "", audit: nil, now: 1)
        let second = change("1") {
            $0.status = .blocked
            $0.addresses = [.email: [address("c@x.com")]]
            $0.subscriptions = [SubscriptionKey(.email): .subscribed]
            $0.attributes = [2: .number(3)]
        }
        let summary = try await ledger.store([second, change("2")], source: "second", proof: "", audit: nil, now: 2)
        #expect(summary.added == 1 && summary.updated == 1 && summary.subscriptions == 0)
        let found = try #require(try await ledger.customer("1"))
        #expect(found.status == .blocked && found.tags == ["old"] && found.created == 1 && found.changed == 2)
        #expect(found.addresses == [.email: [address("c@x.com")], .sms: [address("+491")]])
        #expect(found.attributes == ["city": .text("Bonn"), "age": .number(3)])
        // A consent that is given again keeps its date and its source.
        #expect(found.subscriptions.map(\.source) == ["first"])
        let withdrawn = change("1") { $0.subscriptions = [SubscriptionKey(.email): .unsubscribed] }
        _ = try await ledger.store([withdrawn], source: "third", proof: "", audit: nil, now: 3)
        #expect(try await ledger.customer("1")?.subscriptions.map(\.at) == [3])
    }

    @Test(arguments: Engine.all) func pagesLoseNobody(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await open(engine, folder)
        let ids = (0..<23).map { "c\($0)" }
        for part in [ids[..<9], ids[9...]] {
            let changes = part.map { id in change(id) { $0.addresses = [.email: [address("\(id)@x.com")]] } }
            _ = try await ledger.store(changes, source: "f", proof: "", audit: nil, now: 1)
        }
        var found: [Customer] = []
        var last: Int64 = 0
        while true {
            let page = try await ledger.customers(after: last, limit: 4)
            guard !page.customers.isEmpty else { break }
            found += page.customers
            last = page.last
        }
        #expect(found.map(\.id) == ids)
        #expect(found.allSatisfy { $0.addresses[.email]?.first?.address == "\($0.id)@x.com" })
    }

    @Test(arguments: Engine.all) func attributesKeepTheirType(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await open(engine, folder)
        #expect(try await ledger.addAttribute("age", .number, note: AuditNote(.addAttribute, actor: "ann"), now: 1))
        #expect(try await ledger.addAttribute("age", .number, note: nil, now: 2) == false)
        await #expect(throws: LedgerError.self) { try await ledger.addAttribute("age", .text, note: nil, now: 3) }
        let entries = try await ledger.audit(AuditFilter(object: .attribute("age")), limit: 9)
        #expect(entries.map(\.actor) == ["ann"])
    }

    @Test(arguments: Engine.all) func anImportHasOneAuditEntryAndNamesNobody(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await open(engine, folder)
        var audit = CustomerAudit(AuditNote(.importCustomers, actor: "ann"), file: "/f.csv")
        audit.entry = try await ledger.store([change("secret1")], source: "/f.csv", proof: "", audit: audit, now: 1).entry
        audit.changed = 1
        _ = try await ledger.store([change("secret2"), change("secret3")], source: "/f.csv", proof: "", audit: audit, now: 2)
        let entries = try await ledger.audit(AuditFilter(object: .customers), limit: 9)
        #expect(entries.count == 1)
        #expect(entries.first?.after.contains("\"recipients\":3") == true)
        #expect(entries.first?.after.contains("secret") == false)
    }

    @Test(arguments: Engine.all) func whoIsErasedIsNoCustomer(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await open(engine, folder)
        let two = [
            change("1") { $0.addresses = [.email: [address("ann@x.com"), address("ann@y.com")]] },
            change("2") { $0.addresses = [.email: [address("bob@x.com")]] },
        ]
        _ = try await ledger.store(two, source: "f", proof: "", audit: nil, now: 1)
        let erasure = try await ledger.erase(ErasedPerson(["Ann@Y.com"]), note: nil, now: 2)
        #expect(erasure.customers == 1)
        #expect(try await ledger.customer("1") == nil)
        #expect(try await ledger.customers(with: "ann@x.com", .email, limit: 1).isEmpty)
        #expect(try await ledger.removeCustomers(["2", "3"], note: nil, now: 3) == 1)
        #expect(try await ledger.customerCounts().isEmpty)
    }

    /// A ledger that is copied to PostgreSQL has the columns of its attributes there too.
    @Test func copyingTakesCustomersAlong() async throws {
        let folder = try TemporaryFolder()
        let ledger = try await open(Engine.all[0], folder)
        _ = try await ledger.addAttribute("city", .text, note: nil, now: 1)
        _ = try await ledger.addAttribute("age", .number, note: nil, now: 1)
        let one = change("1") {
            $0.addresses = [.email: [address("a@x.com")]]
            $0.subscriptions = [SubscriptionKey(.email): .subscribed]
            $0.attributes = [1: .text("Bonn"), 2: .number(5)]
        }
        _ = try await ledger.store([one], source: "f", proof: "", audit: nil, now: 1)
        let before = try await ledger.customer("1")
        try (ledger as? SQLLedger)?.close()
        let target = try await PostgreSQLServer.shared.database { _ in }
        _ = try await LedgerCopy(of: folder.path + "/ledger.sqlite", logger: .init(label: "test"), onProgress: { _ in }).run(
            to: target, now: 9)
        let copy = try SQLLedger.open(postgreSQL: target, logger: .init(label: "test"), sessions: 1)
        #expect(try await copy.customer("1") == before)
        _ = try await copy.store([change("2")], source: "f", proof: "", audit: nil, now: 2)
        #expect(try await copy.customers(after: 0, limit: 9).customers.map(\.id) == ["1", "2"])
        try copy.close()
    }
}
