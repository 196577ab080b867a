import Ledger
import Model
import TestServers
import Testing

/// The categories that people can be unsubscribed from.
@Suite struct CategoryConformanceTests {
    private let note = AuditNote(.addCategories, actor: "ann")

    @Test(arguments: Engine.all) func theyAreAddedOnceListedAndRemovedWhileNothingHasThem(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        #expect(try await ledger.addCategories(["offers", "news"], note: note, now: 7) == ["offers", "news"])
        #expect(try await ledger.addCategories(["news", "bills"], note: note, now: 8) == ["bills"])
        #expect(try await ledger.addCategories(["news"], note: note, now: 9).isEmpty)
        #expect(try await ledger.categories() == ["bills", "news", "offers"])
        _ = try await ledger.suppress([SuppressionConformanceTests.one("a@x.com", "news")], audit: nil, now: 9)
        var mailing = Example.mailing()
        mailing.category = "offers"
        try await ledger.create(Example.id(), mailing: mailing, source: nil, origin: "", state: .scheduled, now: 9)
        let uses = try await ledger.categoryUses()
        #expect(uses.map(\.name) == ["bills", "news", "offers"] && uses.map(\.created) == [8, 7, 7])
        #expect(uses.map(\.mailings) == [0, 0, 1] && uses.map(\.suppressions) == [0, 1, 0])
        for name in ["news", "offers", "none"] {
            await #expect(throws: LedgerError.self) { try await ledger.removeCategory(name, note: note, now: 10) }
        }
        try await ledger.removeCategory("bills", note: AuditNote(.removeCategory, actor: "bob"), now: 11)
        #expect(try await ledger.categories() == ["news", "offers"])
        let audit = try await ledger.audit(AuditFilter(), limit: 9).filter { $0.order.contains("categor") }
        #expect(audit.map(\.order) == ["remove_category", "add_categories", "add_categories"])
        #expect(audit.map(\.object) == [.categories("bills"), .categories("bills"), .categories("offers,news")])
        #expect(AuditedObject("category:offers,news") == .categories("offers,news"))
    }

    @Test(arguments: Engine.all) func whoIsUnsubscribedFromACategoryAloneIsFound(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        func one(_ address: String, _ category: String = "", expires: Int64? = nil) -> Suppression {
            SuppressionConformanceTests.one(address, category, expires: expires)
        }
        #expect(try await !ledger.hasCategorySuppressions(.email))
        _ = try await ledger.suppress([one("all@x.com")], audit: nil, now: 1)
        #expect(try await !ledger.hasCategorySuppressions(.email))
        _ = try await ledger.suppress(
            [
                one("news@x.com", "news"), one("news@x.com", "offers"), one("both@x.com", "news"), one("both@x.com"),
                one("old@x.com", "news", expires: 100), one("again@x.com", "news"), one("again@x.com", expires: 100),
            ], audit: nil, now: 1)
        #expect(try await ledger.hasCategorySuppressions(.email))
        #expect(try await !ledger.hasCategorySuppressions(.sms))
        let asked = ["none@x.com", "all@x.com", "news@x.com", "both@x.com", "old@x.com", "again@x.com"]
        #expect(try await ledger.suppressedForCategories(asked, .email, now: 100) == ["news@x.com", "again@x.com"])
        #expect(try await ledger.suppressedForCategories(asked, .sms, now: 100).isEmpty)
        #expect(try await ledger.suppressedForCategories([], .email, now: 100).isEmpty)
    }
}
