import Model
import Policy
import TestServers
import Testing

@testable import Ledger

/// What providers tell counts once, and comes to one state in whatever order it comes.
@Suite struct ReceiptConformanceTests {
    private let folder: TemporaryFolder
    private let id = Example.id()
    private let now = Example.start

    init() throws { folder = try TemporaryFolder() }

    /// Of a mailing whose first batch was sent by the provider `main`.
    private func open(_ engine: Engine, results: [RecipientResult]? = nil) async throws -> any LedgerStore {
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [3, 2])
        try await ledger.expectReceipts(of: ["main"], now: now)
        try await write(ledger, results ?? [sent(0), sent(1), sent(2)])
        return ledger
    }

    private func write(_ ledger: any LedgerStore, _ results: [RecipientResult], batch: Int = 0, sequence: Int = 0) async throws {
        var group = resultGroup(batch: batch, sequence: sequence, results)
        group.provider = "main"
        _ = try await ledger.write(groups: [group], events: [], letters: [], now: now)
    }

    private func receipt(_ kind: ProviderReceipt.Kind, _ index: Int, batch: Int = 0, at: Int64? = 10, detail: String = "")
        -> ProviderReceipt
    {
        var one = ProviderReceipt(kind, word: kind.name)
        (one.webhook, one.provider) = ("hook", "main")
        one.messageID = "\(id).\(batch).\(index)@mail.example.com"
        (one.time, one.arrived, one.detail) = (at.map { now + $0 }, now + 20, detail)
        return one
    }

    /// One that names its message by the provider's id alone.
    private func byID(_ kind: ProviderReceipt.Kind, _ providerID: String, at: Int64? = 10) -> ProviderReceipt {
        var one = receipt(kind, 0, at: at)
        (one.messageID, one.providerID) = ("", providerID)
        return one
    }

    private func take(_ ledger: any LedgerStore, _ receipts: ProviderReceipt...) async throws -> ReceiptSummary {
        try await ledger.write(receipts: receipts, letters: [], now: now + 30)
    }

    private func states(_ ledger: any LedgerStore) async throws -> [RecipientState: Int] {
        try #require(try await ledger.report(id, now: now)).states.filter { $0.value > 0 }
    }

    /// Everything that the ledger counts agrees with what it holds.
    private func check(_ ledger: any LedgerStore) async throws {
        #expect(try await ledger.report(id, now: now)?.balances == true)
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func receiptsMakeSentDelivered(engine: Engine) async throws {
        let ledger = try await open(engine)
        let summary = try await take(ledger, receipt(.delivered, 0), byID(.delivered, "m1"), receipt(.accepted, 2))
        #expect(summary.moved == [.delivered: 2] && summary.aside == 0)
        #expect(try await states(ledger) == [.planned: 2, .sent: 1, .delivered: 2])
        #expect(try await take(ledger, receipt(.delivered, 0), byID(.delivered, "m1")).moved == [:])
        #expect(try await ledger.report(id, now: now)?.delivered == 2)
        try await check(ledger)
    }

    @Test(arguments: Engine.all) func aBounceOverridesWhatTheProviderTook(engine: Engine) async throws {
        let ledger = try await open(engine)
        _ = try await take(ledger, receipt(.delivered, 1))
        let bounces = [receipt(.bounced, 0, detail: "550 5.1.1 unknown"), receipt(.undelivered, 1)]
        let summary = try await ledger.write(receipts: bounces, letters: [], now: now)
        #expect(summary.moved == [.failed: 2] && summary.counted == [.bounced: 1, .undelivered: 1])
        #expect(try await states(ledger) == [.planned: 2, .sent: 1, .failed: 2])
        #expect(try await ledger.report(id, now: now)?.events[.bounced] == .init(count: 2, recipients: 2))
        // Again, and what comes late: nothing changes.
        #expect(try await ledger.write(receipts: bounces, letters: [], now: now).duplicates == 2)
        _ = try await take(ledger, receipt(.delivered, 0), receipt(.delivered, 1))
        #expect(try await states(ledger) == [.planned: 2, .sent: 1, .failed: 2])
        #expect(try await ledger.report(id, now: now)?.events[.bounced] == .init(count: 2, recipients: 2))
        try await check(ledger)
    }

    @Test(arguments: Engine.all) func aPersonOutweighsABounceInEitherOrder(engine: Engine) async throws {
        let ledger = try await open(engine)
        let number = try #require(try await ledger.number(of: id))
        func click(_ index: UInt32, agent: String, from sequence: UInt64) async throws -> EventSummary {
            var event = TrackedEvent(.click, mailing: number, batch: 0, index: index, link: 1, time: now + 5)
            event.agent = agent
            let rules = EventRules { visits, _ in visits.map { $0.agent == "scanner" ? .machine : .human } }
            return try await ledger.write(
                events: [EventBatch(source: 7, sequence: sequence, events: [event])], letters: [], rules, now: now)
        }
        _ = try await click(0, agent: "Mozilla/5.0", from: 0)
        _ = try await click(1, agent: "scanner", from: 1)
        _ = try await take(ledger, receipt(.bounced, 0), receipt(.bounced, 1), receipt(.bounced, 2))
        #expect(try await states(ledger) == [.planned: 2, .sent: 1, .failed: 2])
        // The click that comes behind the bounce.
        #expect(try await click(2, agent: "Mozilla/5.0", from: 2).settled == 1)
        #expect(try await states(ledger) == [.planned: 2, .sent: 2, .failed: 1])
        _ = try await take(ledger, receipt(.opened, 1, detail: ""), receipt(.delivered, 2))
        #expect(try await states(ledger) == [.planned: 2, .sent: 2, .delivered: 1])
        try await check(ledger)
    }

    /// A person's visit that waits in the log when the message comes back.
    @Test(arguments: Engine.all) func whatWaitsOutweighsABounceWhenItIsCounted(engine: Engine) async throws {
        let ledger = try await open(engine)
        let number = try #require(try await ledger.number(of: id))
        let rules = EventRules(EventClassifier()) { _ in [9] }
        func visits(_ sequence: UInt64) async throws -> EventSummary {
            let events = ["Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "curl/8.5.0"].enumerated().map {
                var event = TrackedEvent(.click, mailing: number, batch: 0, index: UInt32($0), link: 1, time: now + 5)
                event.agent = $1
                return event
            }
            let batch = EventBatch(source: 7, sequence: sequence, events: events)
            return try await ledger.write(events: [batch], letters: [], rules, countingAtMost: 0, now: now)
        }
        #expect(try await visits(0).logged == 2)
        _ = try await take(ledger, receipt(.bounced, 0), receipt(.bounced, 1), receipt(.bounced, 2))
        #expect(try await states(ledger) == [.planned: 2, .failed: 3])
        let counted = try await ledger.countEvents(of: nil, inSlicesOf: 1, rules, now: now)
        #expect(counted.taken == 2 && counted.settled == 1)
        #expect(try await states(ledger) == [.planned: 2, .sent: 1, .failed: 2])
        // From now on theirs do not wait.
        #expect(try await visits(2).logged == 0)
        #expect(try await ledger.checkEvents(id) == [])
        try await check(ledger)
    }

    /// A message that came back holds up nobody of another batch.
    @Test(arguments: Engine.all) func aBounceIsOfOneBatch(engine: Engine) async throws {
        let ledger = try await open(engine)
        let number = try #require(try await ledger.number(of: id))
        try await write(ledger, [sent(0)], batch: 1)
        _ = try await take(ledger, receipt(.bounced, 0, batch: 1))
        let rules = EventRules(EventClassifier()) { _ in [9] }
        let events = [0, 1].map { (batch: UInt32) -> TrackedEvent in
            var event = TrackedEvent(.click, mailing: number, batch: batch, index: 0, link: 1, time: now + 5)
            event.agent = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
            return event
        }
        let batch = EventBatch(source: 7, sequence: 0, events: events)
        let summary = try await ledger.write(events: [batch], letters: [], rules, countingAtMost: 0, now: now)
        #expect(summary.logged == 1 && summary.settled == 1)
        _ = try await ledger.countEvents(of: nil, inSlicesOf: 1, rules, now: now)
        try await check(ledger)
    }

    @Test(arguments: Engine.all) func ofOpensAndClicksAHundredAreKept(engine: Engine) async throws {
        let ledger = try await open(engine)
        let opens = (0..<102).map { receipt(.opened, 0, at: Int64($0)) }
        let summary = try await ledger.write(receipts: opens, letters: [], now: now + 200)
        #expect(summary.counted == [.opened: 100] && summary.duplicates == 2)
        #expect(try await take(ledger, receipt(.clicked, 0), receipt(.opened, 1)).counted == [.clicked: 1, .opened: 1])
        #expect(try await ledger.report(id, now: now)?.events[.opened] == .init(count: 101, recipients: 2))
        try await check(ledger)
    }

    @Test(arguments: Engine.all) func idsOfLongAgoAreForgotten(engine: Engine) async throws {
        let ledger = try await open(engine)
        try await ledger.expectReceipts(of: ["main"], now: now)
        #expect(try await take(ledger, byID(.delivered, "m0")).aside == 0)
        try await ledger.expectReceipts(of: ["main"], now: now + 40 * 86_400_000)
        #expect(try await take(ledger, byID(.delivered, "m1")).aside == 1)
    }

    @Test(arguments: Engine.all) func aReceiptBeforeItsResultIsTriedAgain(engine: Engine) async throws {
        let ledger = try await open(engine, results: [sent(0)])
        let early = byID(.delivered, "m1")
        #expect(try await take(ledger, early).aside == 1)
        #expect(try await take(ledger, early).duplicates == 1)
        #expect(try await ledger.unknownReceipts(after: nil, limit: 10).map(\.receipt) == [early])
        #expect(try await ledger.retryReceipts(now: now + 40) == ReceiptSummary())
        try await write(ledger, [sent(1)], sequence: 1)
        let summary = try await ledger.retryReceipts(now: now + 50)
        #expect(summary.found == 1 && summary.moved == [.delivered: 1])
        #expect(try await ledger.unknownReceipts(after: nil, limit: 10) == [])
        // By our own id it needs no result: the result behind it changes nothing.
        _ = try await take(ledger, receipt(.bounced, 2))
        try await write(ledger, [sent(2)], sequence: 2)
        #expect(try await states(ledger) == [.planned: 2, .sent: 1, .failed: 1, .delivered: 1])
        try await check(ledger)
    }

    @Test(arguments: Engine.all) func whatNamesNoMessageIsKeptForAWhile(engine: Engine) async throws {
        let ledger = try await open(engine)
        var foreign = receipt(.delivered, 0)
        foreign.messageID = "\(Example.id(5)).0.0@mail.example.com"
        let (outside, odd) = (receipt(.delivered, 3), receipt(.unknown, 0))
        var other = byID(.delivered, "m1")
        other.provider = "other"
        #expect(try await take(ledger, foreign, outside, odd, other).aside == 4)
        #expect(try await ledger.unknownReceipts(after: nil, limit: 10).count == 4)
        let first = try await ledger.unknownReceipts(after: nil, limit: 3)
        #expect(try await ledger.unknownReceipts(after: first.last, limit: 3).count == 1)
        // An hour later they are no longer tried, and after 30 days they are gone.
        #expect(try await ledger.retryReceipts(now: now + 3_700_000) == ReceiptSummary())
        var late = byID(.delivered, "none")
        late.arrived = now + 31 * 86_400_000
        _ = try await ledger.write(receipts: [late], letters: [], now: late.arrived)
        #expect(try await ledger.unknownReceipts(after: nil, limit: 10).map(\.receipt) == [late])
        #expect(try await states(ledger) == [.planned: 2, .sent: 3])
    }

    @Test(arguments: Engine.all) func whoeverComplainsOrUnsubscribesIsSuppressed(engine: Engine) async throws {
        let ledger = try await open(engine)
        let summary = try await take(ledger, receipt(.complained, 0), receipt(.unsubscribed, 1))
        #expect(summary.suppressed.map(\.reason.rawValue).sorted() == ["complaint", "unsubscribe"])
        let found = try await ledger.suppressions(of: "p0-0@example.com", .email)
        #expect(found.map(\.reason) == [.complaint] && found.first?.source == "\(id).0.0" && found.first?.at == now + 10)
        #expect(try await ledger.audit(AuditFilter(), limit: 9).count { $0.order == "suppress" } == 2)
        // Whoever wrote it may have ended before workers were told.
        let again = try await take(ledger, receipt(.complained, 0), receipt(.unsubscribed, 1))
        #expect(again.duplicates == 2 && again.suppressed.count == 2)
        #expect(try await ledger.audit(AuditFilter(), limit: 9).count { $0.order == "suppress" } == 2)
        let back = try await take(ledger, receipt(.resubscribed, 1, at: 50), receipt(.resubscribed, 0, at: 50))
        #expect(back.unsuppressed.map(\.address) == ["p0-1@example.com"])
        // The first unsubscribing once more does not undo that.
        #expect(try await take(ledger, receipt(.unsubscribed, 1)).suppressed == [])
        #expect(try await ledger.suppressionList().entries == 1)
        try await check(ledger)
    }

    private func mail(_ kind: ProviderReceipt.Kind, _ reason: ResponseReason, _ index: Int, recipient: String? = nil) -> ProviderReceipt {
        var one = receipt(kind, index, at: nil, detail: "as mail tells")
        one.word = reason.rawValue
        (one.webhook, one.recipient) = (recipient == nil ? ProviderReceipt.returnedMail : ProviderReceipt.unsignedMail, recipient ?? "")
        return one
    }

    @Test(arguments: Engine.all) func aBounceByMailHasItsReasonAndSuppressesAnAddressThatIsNoGood(engine: Engine) async throws {
        let ledger = try await open(engine)
        let bounces = [mail(.bounced, .unknownUser, 0), mail(.bounced, .policy, 1), mail(.undelivered, .unknownUser, 2)]
        let summary = try await ledger.write(receipts: bounces, letters: [], now: now + 30)
        #expect(summary.moved == [.failed: 3] && summary.counted == [.bounced: 2, .undelivered: 1])
        #expect(summary.suppressed.map(\.reason) == [.hardBounce])
        #expect(try await ledger.suppressions(of: "p0-0@example.com", .email).first?.source == "\(id).0.0")
        let report = try #require(try await ledger.report(id, now: now))
        #expect(Set(report.responses.map(\.reason)) == [.unknownUser, .policy])
        // The same mails again, as of a process that was killed.
        let again = try await ledger.write(receipts: bounces, letters: [], now: now + 40)
        #expect(again.duplicates == 3 && again.moved == [:])
        #expect(try await ledger.report(id, now: now)?.events[.bounced] == .init(count: 3, recipients: 3))
        try await check(ledger)
    }

    /// Whoever has seen one Message-ID can make those of all others.
    @Test(arguments: Engine.all) func mailToNoSignedAddressNeedsTheRecipientOfItsMessage(engine: Engine) async throws {
        let ledger = try await open(engine)
        let right = mail(.bounced, .unknownUser, 0, recipient: "<P0-0@EXAMPLE.com>".filter { !"<>".contains($0) })
        let wrong = [
            mail(.bounced, .unknownUser, 1, recipient: "p0-0@example.com"), mail(.complained, .complaint, 2, recipient: "x"),
            mail(.bounced, .unknownUser, 9, recipient: "p0-0@example.com"),
        ]
        let summary = try await ledger.write(receipts: [right] + wrong, letters: [], now: now + 30)
        #expect(summary.forged == 3 && summary.aside == 0 && summary.moved == [.failed: 1] && summary.suppressed.count == 1)
        #expect(try await states(ledger) == [.planned: 2, .sent: 2, .failed: 1])
        try await check(ledger)
    }

    @Test(arguments: Engine.all, [ProviderReceipt.Kind.accepted, .delivered, .deferred, .bounced, .complained, .opened, .unsubscribed])
    func uncertainIsSettled(engine: Engine, kind: ProviderReceipt.Kind) async throws {
        let ledger = try await open(engine, results: [uncertain(0), uncertain(1), uncertain(2)])
        #expect(try await states(ledger)[.uncertain] == 3)
        _ = try await take(ledger, receipt(kind, 1))
        let expected: RecipientState = kind == .delivered ? .delivered : kind == .bounced ? .failed : .sent
        #expect(try await states(ledger) == [.planned: 2, .uncertain: 2, expected: 1])
        try await check(ledger)
    }

    @Test(arguments: Engine.all) func whatAMachineOpensIsNoPersons(engine: Engine) async throws {
        let ledger = try await open(engine)
        var machine = receipt(.opened, 0)
        machine.isMachine = true
        #expect(try await take(ledger, machine).machines == 1)
        #expect(try await ledger.report(id, now: now)?.events == [:])
        #expect(
            try await take(ledger, receipt(.opened, 0), receipt(.clicked, 0, detail: "https://a.example")).counted == [
                .opened: 1, .clicked: 1,
            ])
        #expect(try await ledger.report(id, now: now)?.events.count == 2)
    }

    /// A provider that tells no time, as Twilio, sends again what is not answered.
    @Test(arguments: Engine.all) func withoutATimeOneOfAKindCounts(engine: Engine) async throws {
        let ledger = try await open(engine)
        var again = receipt(.bounced, 0, at: nil, detail: "30003")
        #expect(try await take(ledger, again).counted == [.bounced: 1])
        again.arrived += 60_000
        #expect(try await take(ledger, again).duplicates == 1)
        #expect(try await ledger.report(id, now: now)?.events[.bounced]?.count == 1)
    }

    /// In any order, in any parts and twice, receipts, results and visits come to the same.
    @Test(arguments: Engine.all) func theOrderDoesNotMatter(engine: Engine) async throws {
        let ledger = try await open(engine, results: [])
        var random = SeededGenerator(seed: 36)
        let kinds: [ProviderReceipt.Kind] = [.delivered, .bounced, .opened, .accepted, .undelivered]
        var expected: [[RecipientState: Int]] = []
        for mailing in 1...6 {
            let other = Example.id(mailing)
            try await Example.plan(ledger, other, batches: [3])
            var draw = SeededGenerator(seed: 99)
            var steps: [(result: RecipientResult?, receipt: ProviderReceipt?)] = (0..<3).map { (sent($0), nil) }
            for number in 0..<9 {
                var one = receipt(kinds.randomElement(using: &draw) ?? .opened, 0, at: Int64(number))
                one.messageID = "\(other).0.\(Int.random(in: 0..<3, using: &draw))@x"
                steps.append((nil, one))
            }
            for (place, step) in (steps + steps).shuffled(using: &random).enumerated() {
                if let result = step.result {
                    let group = resultGroup(sequence: place, mailing: other, [result])
                    _ = try await ledger.write(groups: [group], events: [], letters: [], now: now)
                }
                if let one = step.receipt { _ = try await take(ledger, one) }
            }
            expected.append(try #require(try await ledger.report(other, now: now)).states)
            #expect(try await ledger.recount(other) == [])
        }
        #expect(Set(expected.map { $0.map { "\($0.key) \($0.value)" }.sorted() }).count == 1)
    }

    @Test(arguments: Engine.all) func anErasureTakesPeopleOutOfWhatIsAside(engine: Engine) async throws {
        let ledger = try await open(engine)
        var one = byID(.bounced, "none")
        (one.recipient, one.detail) = ("p0-0@example.com", "550 <p0-0@example.com> unknown")
        _ = try await take(ledger, one)
        _ = try await ledger.erase(ErasedPerson(["p0-0@example.com"]), note: nil, now: now)
        let left = try #require(try await ledger.unknownReceipts(after: nil, limit: 1).first?.receipt)
        #expect(!left.recipient.contains("p0-0") && !left.detail.contains("p0-0"))
        // Nor do they come back with what is told later.
        _ = try await take(ledger, receipt(.bounced, 0, detail: "550 <p0-0@example.com> unknown"))
        #expect(try await ledger.report(id, now: now)?.events[.bounced]?.count == 1)
        let store = try #require(ledger as? any MessageStore)
        #expect(try await store.recipients(ofMessage: "m0", provider: nil, limit: 9).flatMap(\.events).allSatisfy(\.detail.isEmpty))
    }
}
