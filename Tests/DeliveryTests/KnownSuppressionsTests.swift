import Broker
import Model
import Signing
import Testing

@testable import Delivery

/// Whom a worker knows to be suppressed.
@Suite struct KnownSuppressionsTests {
    private let email = SuppressionTarget(.email, category: "news")

    private func entry(_ name: String, _ category: String = "", at: Int64 = 1_000_000, lifted: Bool = false) -> RecentSuppressions.Entry {
        let key = Suppression.Key(.email, "\(name)@example.com", category: category)
        return RecentSuppressions.Entry(key: key, reason: lifted ? "" : "unsubscribe", at: at, isLifted: lifted)
    }

    private func found(_ name: String, _ target: SuppressionTarget, in known: KnownSuppressions, dispatched: Int64 = 1_000_000) -> Bool {
        known.suppression(of: Array("\(name)@example.com".utf8), target, dispatched: dispatched) != nil
    }

    @Test func theChannelAndTheCategoryCount() {
        var known = KnownSuppressions()
        known.note(entry("a"))
        known.note(entry("b", "news"))
        #expect(known.count == 2)
        #expect(found("a", email, in: known) && found("b", email, in: known) && !found("c", email, in: known))
        #expect(found("a", SuppressionTarget(.email), in: known) && !found("b", SuppressionTarget(.email), in: known))
        #expect(!found("b", SuppressionTarget(.email, category: "offers"), in: known))
        #expect(!found("a", SuppressionTarget(.sms, category: "news"), in: known))
    }

    /// What is told of names nobody: an address is compared by what its ledger makes of it.
    @Test func hashedAddressesAreFoundByTheLedgersNameAlone() throws {
        var known = KnownSuppressions()
        func entry(_ name: String, of ledger: String, as other: String? = nil, lifted: Bool = false) throws -> RecentSuppressions.Entry {
            let hash = try AddressHasher(ledger: other ?? ledger).text(of: "\(name)@example.com")
            return RecentSuppressions.Entry(
                key: Suppression.Key(.email, hash, category: "news"), ledger: ledger, reason: "unsubscribe", at: 1_000_000, isLifted: lifted
            )
        }
        known.note(try entry("a", of: "one"))
        known.note(try entry("b", of: "two"))
        known.note(try entry("c", of: "two", as: "one"))
        #expect(known.count == 3 && found("a", email, in: known) && found("b", email, in: known) && !found("c", email, in: known))
        #expect(!found("a", SuppressionTarget(.email), in: known) && !found("a", SuppressionTarget(.sms, category: "news"), in: known))
        known.note(try entry("a", of: "two", lifted: true))
        #expect(found("a", email, in: known))
        known.note(try entry("a", of: "one", lifted: true))
        #expect(!found("a", email, in: known) && known.count == 2)
        // Names that another program makes up take bounded room.
        for number in 0..<40 { known.note(try entry("d", of: "\(number)")) }
        #expect(known.count == 16 && found("d", email, in: known))
    }

    @Test func whatTheLedgerWasAskedAboutIsPassedOver() {
        var known = KnownSuppressions()
        #expect(!known.mayConcern(dispatched: 0))
        known.note(entry("a", at: 1_000_000))
        known.note(entry("b", at: 2_000_000))
        let end = 2_000_000 + KnownSuppressions.slack
        #expect(known.mayConcern(dispatched: end) && !known.mayConcern(dispatched: end + 1))
        #expect(found("b", email, in: known, dispatched: end) && !found("a", email, in: known, dispatched: end))
    }

    @Test func oneThatIsLiftedCountsNoMoreUntilItComesAgain() {
        var known = KnownSuppressions()
        known.note(entry("a"))
        known.note(entry("a", "news"))
        known.note(entry("a", lifted: true))
        #expect(known.count == 1 && found("a", email, in: known) && !found("a", SuppressionTarget(.email), in: known))
        known.note(entry("a", "news", lifted: true))
        known.note(entry("b", lifted: true))
        #expect(known.count == 0 && !found("a", email, in: known))
        for _ in 0..<2 { known.note(entry("a")) }
        #expect(known.count == 1 && found("a", email, in: known))
    }
}
