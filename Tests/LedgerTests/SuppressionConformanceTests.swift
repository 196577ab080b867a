import Ledger
import Model
import TestServers
import Testing

/// The list of those who are not to be sent to.
@Suite struct SuppressionConformanceTests {
    static func one(
        _ address: String, _ category: String = "", _ channel: Channel = .email, reason: Suppression.Reason = .manual, at: Int64 = 5,
        expires: Int64? = nil
    ) -> Suppression {
        Suppression(Suppression.Key(channel, address, category: category), reason: reason, at: at, expires: expires)
    }

    private func one(_ address: String, _ category: String = "", expires: Int64? = nil) -> Suppression {
        Self.one(address, category, expires: expires)
    }

    @Test(arguments: Engine.all) func ofOneKeyOneIsKept(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        #expect(try await ledger.suppressionList() == SuppressionList())
        let first = try await ledger.suppress([one("a@x.com", expires: 9), one("a@x.com", "news"), one("b@x.com")], audit: nil, now: 7)
        #expect(first.added == 3 && first.replaced == 0 && first.unchanged == 0)
        let second = try await ledger.suppress([one("a@x.com"), one("b@x.com", expires: 9), one("c@x.com")], audit: nil, now: 8)
        #expect(second.added == 1 && second.replaced == 1 && second.unchanged == 1)
        #expect(try await ledger.suppressionList() == SuppressionList(revision: 2, entries: 4))
        // Another process sees it.
        let again = try await engine.open(folder)
        #expect(try await again.suppressions(of: "a@x.com", .email) == [one("a@x.com"), one("a@x.com", "news")])
        #expect(try await again.suppressions(of: "a@x.com", .sms).isEmpty)
        #expect(try await again.categories() == ["news"])
    }

    @Test(arguments: Engine.all) func pagesAreInOrderAndFiltered(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let all = (0..<25).map { Self.one("p\($0 + 10)@x.com", $0 % 2 == 0 ? "" : "news", reason: $0 % 3 == 0 ? .complaint : .manual) }
        _ = try await ledger.suppress(all.shuffled() + [Self.one("+4915112345678", "", .sms)], audit: nil, now: 1)
        var found: [Suppression] = []
        while true {
            let page = try await ledger.suppressions(SuppressionFilter(channel: .email), after: found.last?.key, limit: 4)
            guard !page.isEmpty else { break }
            found += page
        }
        #expect(found == all)
        let news = try await ledger.suppressions(SuppressionFilter(category: "news"), after: nil, limit: 99)
        #expect(news == all.filter { $0.key.category == "news" })
        let complaints = try await ledger.suppressions(SuppressionFilter(category: "", reason: .complaint), after: nil, limit: 99)
        #expect(complaints == all.filter { $0.key.category.isEmpty && $0.reason == .complaint })
    }

    @Test(arguments: Engine.all) func categoryAndExpiryDecide(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        _ = try await ledger.suppress(
            [
                one("all@x.com"), one("news@x.com", "news"), one("offers@x.com", "offers"), one("both@x.com", "news"), one("both@x.com"),
                one("old@x.com", expires: 100), Self.one("sms@x.com", "", .messenger),
            ], audit: nil, now: 1)
        let asked = ["none@x.com", "all@x.com", "news@x.com", "offers@x.com", "both@x.com", "old@x.com", "sms@x.com"]
        let news = try await ledger.suppressed(asked, for: SuppressionTarget(.email, category: "news"), now: 100)
        #expect(news.mapValues(\.key.category) == [1: "", 2: "news", 4: ""])
        let without = try await ledger.suppressed(asked, for: SuppressionTarget(.email), now: 99)
        #expect(Set(without.keys) == [1, 4, 5])
        let target = SuppressionTarget(.email, category: "news")
        let first = try await ledger.suppressedAddresses(for: target, after: "", limit: 2)
        let rest = try await ledger.suppressedAddresses(for: target, after: first.last ?? "", limit: 99)
        #expect(Set(first + rest) == ["all@x.com", "news@x.com", "both@x.com", "old@x.com"])
    }

    @Test(arguments: Engine.all) func ordersAreAuditedWithoutAddresses(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        var audit = SuppressionAudit(AuditNote(.suppress, actor: "ann"), file: "/s.csv")
        let first = try await ledger.suppress([one("a@x.com"), one("b@x.com")], audit: audit, now: 1)
        (audit.entry, audit.changed) = (first.entry, 2)
        _ = try await ledger.suppress([one("b@x.com"), one("c@x.com")], audit: audit, now: 2)
        let single = SuppressionAudit(AuditNote(.suppress, actor: "bob"))
        _ = try await ledger.suppress([one("dora@x.com", "news")], audit: single, now: 3)
        // What changes nothing has no entry.
        #expect(try await ledger.suppress([one("dora@x.com", "news")], audit: single, now: 4).entry == nil)
        let order = SuppressionAudit(AuditNote(.unsuppress, actor: "cy"))
        #expect(try await ledger.unsuppress([one("nobody@x.com").key], audit: order, now: 5).isEmpty)
        #expect(try await ledger.unsuppress([one("a@x.com").key, one("x@x.com").key], audit: order, now: 6) == [one("a@x.com")])
        let found = try await ledger.audit(AuditFilter(), limit: 9)
        #expect(found.map(\.order) == ["unsuppress", "suppress", "suppress"] && found.map(\.actor) == ["cy", "bob", "ann"])
        #expect(found[2].after == #"{"file":"/s.csv","suppressions":3}"# && found[2].object == .suppressions)
        #expect(found[1].object == .suppression(.email, "d***@x.com"))
        #expect(found[1].after == #"{"category":"news","reason":"manual","suppressions":1}"#)
        #expect(!found.map { "\($0.object)" + $0.before + $0.after }.joined().contains("a@x"))
        #expect(try await ledger.suppressionList().entries == 3)
    }
}
