import Model
import Policy
import TestServers
import Testing

@testable import Ledger

/// Whoever is refused for good, and certainly for their own sake, is not sent to by the next mailing.
@Suite struct BounceConformanceTests {
    private let folder: TemporaryFolder
    private let id = Example.id()
    private let now = Example.start
    private let day: Int64 = 86_400_000

    init() throws { folder = try TemporaryFolder() }

    private func open(_ engine: Engine) async throws -> any LedgerStore {
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [3, 2])
        return ledger
    }

    private func refused(
        _ index: Int, _ reason: ResponseReason, _ action: ResponseAction = .fail, about subject: ResponseSubject = .recipient,
        state: RecipientState = .failed, at: Int64 = Example.start
    ) -> RecipientResult {
        RecipientResult(
            index: index, state: state, attempts: 1, at: at,
            response: ProviderResponse(reason, action, about: subject, stage: .rcpt, code: 550, text: "5.0.0 \(reason.rawValue)"))
    }

    /// Writes what came by Redis.
    @discardableResult
    private func write(
        _ ledger: any LedgerStore, batch: Int = 0, sequence: Int = 0, mailing: MailingID = Example.id(), _ results: [RecipientResult]
    ) async throws -> WriteSummary {
        let base = results.map(\.at).min() ?? 0
        var group = resultGroup(
            batch: batch, sequence: sequence, mailing: mailing, try [RecipientResult](decoding: results.encoded(base: base), base: base))
        group.provider = "main"
        return try await ledger.write(groups: [group], events: [], letters: [], now: now + 5)
    }

    private func list(_ ledger: any LedgerStore) async throws -> [Suppression] {
        try await ledger.suppressions(SuppressionFilter(), after: nil, limit: 99)
    }

    @Test(arguments: Engine.all) func aCertainRefusalSuppressesTheAddress(engine: Engine) async throws {
        let ledger = try await open(engine)
        let before = try await ledger.suppressionList()
        try await write(ledger, [refused(0, .unknownUser, at: now + 3), sent(1), refused(2, .unknownHost)])
        try await write(ledger, batch: 1, [refused(1, .moved)])
        let found = try await list(ledger)
        #expect(found.map(\.key.address) == ["p0-0@example.com", "p0-2@example.com", "p1-1@example.com"])
        #expect(found.allSatisfy { $0.reason == .hardBounce && $0.key.category.isEmpty && $0.key.channel == .email })
        #expect(found.first?.source == "\(id).0.0" && found.first?.at == now + 3)
        // Mailings that are planned already do not look for it.
        #expect(try await ledger.suppressionList() == SuppressionList(revision: before.revision, entries: 3))
        #expect(try await ledger.audit(AuditFilter(), limit: 9).isEmpty)
        // The same groups again, and another mailing that is refused: one entry stays.
        try await write(ledger, [refused(0, .unknownUser, at: now + 3), sent(1), refused(2, .unknownHost)])
        try await Example.plan(ledger, Example.id(1), batches: [3])
        try await write(ledger, mailing: Example.id(1), [refused(0, .unknownUser, at: now + 4)])
        #expect(try await list(ledger) == found)
        #expect(try await ledger.suppressionList().entries == 3)
    }

    /// Nobody is suppressed for a fault of ours, nor for what may be one.
    @Test(arguments: Engine.all) func nothingElseSuppresses(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [40])
        var results = ResponseReason.allCases.filter {
            ![.unknownUser, .unknownHost, .moved, .inactive, .complaint, .accepted].contains($0)
        }
        .enumerated().map { refused($0, $1) }
        for reason in [ResponseReason.unknownUser, .unknownHost, .moved, .inactive] {
            // Nobody knows whose fault it is, or it may be better next time.
            results.append(refused(results.count, reason, about: .unclear))
            results.append(refused(results.count, reason, .retry))
            results.append(refused(results.count, reason, .retry, state: .expired))
        }
        results.append(RecipientResult(index: results.count, state: .stopped, attempts: 0, at: now))
        try await write(ledger, results)
        #expect(try await list(ledger).isEmpty)
        #expect(try await ledger.suppressionList() == SuppressionList())
    }

    @Test(arguments: Engine.all) func whatAPersonRemovedDoesNotComeBackWithAnOlderRefusal(engine: Engine) async throws {
        let ledger = try await open(engine)
        try await write(ledger, [refused(0, .unknownUser)])
        let keys = try await list(ledger).map(\.key)
        _ = try await ledger.unsuppress(keys, audit: nil, now: now + 10)
        try await Example.plan(ledger, Example.id(1), batches: [3])
        try await Example.plan(ledger, Example.id(2), batches: [3])
        try await write(ledger, mailing: Example.id(1), [refused(0, .unknownUser, at: now + 9)])
        #expect(try await list(ledger).isEmpty)
        try await write(ledger, mailing: Example.id(2), [refused(0, .unknownUser, at: now + 11)])
        #expect(try await list(ledger).count == 1)
    }

    @Test(arguments: Engine.all) func whoHasTheMessageAfterAllIsTakenOff(engine: Engine) async throws {
        let ledger = try await open(engine)
        try await write(ledger, [refused(0, .unknownUser), refused(1, .unknownUser)])
        let keys = try await list(ledger).map(\.key)
        // Another worker, taken for lost, has sent it.
        let summary = try await write(ledger, sequence: 1, [sent(0, at: now + 9)])
        #expect(summary.unsuppressed == [keys[0]])
        #expect(try await list(ledger).map(\.key) == [keys[1]])
        #expect(try await ledger.suppressionList().entries == 1)
        // Who has unsubscribed meanwhile stays.
        let unsubscribed = Suppression(keys[1], reason: .unsubscribe, at: now + 4)
        _ = try await ledger.suppress([unsubscribed], audit: nil, now: now + 4)
        #expect(try await write(ledger, sequence: 2, [sent(1, at: now + 9)]).unsuppressed.isEmpty)
        #expect(try await list(ledger) == [unsubscribed])
    }

    @Test(arguments: Engine.all) func providerAndExpiryAreThoseOfTheAnswer(engine: Engine) async throws {
        let ledger = try await open(engine)
        let reasons: [ResponseReason] = [.unknownUser, .unknownHost, .inactive]
        try await write(ledger, reasons.enumerated().map { refused($0, $1) })
        let found = try await list(ledger)
        #expect(found.map(\.provider) == ["main", "main", "main"])
        #expect(found.map(\.expires) == [nil, now + 180 * day, now + 180 * day])
        var rules = SuppressionRules()
        (rules.moved, rules.unknownHost) = (.seconds(86_400), nil)
        var group = resultGroup(batch: 1, [refused(0, .moved), refused(1, .unknownHost)])
        group.provider = "other"
        _ = try await ledger.write(groups: [group], events: [], letters: [], suppressing: rules, now: now)
        let others = try await ledger.suppressions(filter(provider: "other"), after: nil, limit: 9)
        #expect(others.map(\.expires) == [now + day, nil])
    }

    /// A refusal of the mailbox for now, by mailing after mailing.
    @Test(arguments: Engine.all) func severalSoftBouncesInARowCountAsHard(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        for number in 0..<6 {
            let id = Example.id(number)
            try await Example.plan(ledger, id, batches: [4])
            #expect(try await list(ledger).isEmpty)
            let at = now + Int64(number)
            let results = [
                refused(0, .full, .retry, at: at), refused(1, .greylisted, .retry, about: .unclear, at: at),
                number == 5 ? sent(2) : refused(2, .inactive, .retry, at: at), refused(3, .rate, .slowDown, about: .unclear, at: at),
            ]
            // One of a mailing counts, however often it is read.
            for sequence in 0...1 { try await write(ledger, sequence: sequence, mailing: id, number == 5 ? Array(results[2...]) : results) }
            if number == 3 { try await arrive(ledger, id, 1) }
            if number == 4 {
                let found = try await list(ledger)
                #expect(found.map(\.key.address) == ["p0-0@example.com", "p0-2@example.com"])
                #expect(found.allSatisfy { $0.reason == .hardBounce && $0.expires == at + 90 * day && $0.source.hasPrefix("\(id).0.") })
                _ = try await ledger.unsuppress(found.map(\.key), audit: nil, now: at)
            }
        }
    }

    /// The provider says that a message has arrived.
    private func arrive(_ ledger: any LedgerStore, _ id: MailingID, _ index: Int) async throws {
        var receipt = ProviderReceipt(.opened, word: "opened")
        (receipt.webhook, receipt.provider, receipt.messageID) = ("hook", "main", "\(id).0.\(index)@x")
        (receipt.time, receipt.arrived) = (now + 10, now + 10)
        _ = try await ledger.write(receipts: [receipt], letters: [], now: now + 20)
    }

    @Test(arguments: Engine.all) func softBouncesFarApartAndAfterAVisitAreNotInARow(engine: Engine) async throws {
        let ledger = try await engine.open(folder)
        var rules = SuppressionRules()
        rules.softBounces = 2
        let times: [Int64] = [0, 91, 92].map { now + $0 * day }
        for (number, at) in times.enumerated() {
            let id = Example.id(number)
            try await Example.plan(ledger, id, batches: [2])
            #expect(try await list(ledger).isEmpty)
            if number == 2 {
                var event = TrackedEvent(
                    .click, mailing: try #require(try await ledger.number(of: id)), batch: 0, index: 1, link: 1, time: at)
                event.agent = "Mozilla/5.0"
                let people = EventRules { visits, _ in visits.map { _ in .human } }
                _ = try await ledger.write(events: [EventBatch(source: 7, sequence: 0, events: [event])], letters: [], people, now: at)
            }
            let group = resultGroup(mailing: id, [refused(0, .full, .retry, at: at), refused(1, .full, .retry, at: at)])
            _ = try await ledger.write(groups: [group], events: [], letters: [], suppressing: rules, now: at)
        }
        #expect(try await list(ledger).map(\.key.address) == ["p0-0@example.com"])
        _ = try await ledger.erase(ErasedPerson(["p0-1@example.com"]), note: nil, now: now)
        rules.softBounces = 0
        try await Example.plan(ledger, Example.id(9), batches: [2])
        let group = resultGroup(mailing: Example.id(9), [refused(0, .full, .retry), refused(1, .full, .retry)])
        _ = try await ledger.write(groups: [group], events: [], letters: [], suppressing: rules, now: now)
        #expect(try await list(ledger).count == 1)
    }

    @Test(arguments: Engine.all) func aClassOfAProviderAndATimeIsUndone(engine: Engine) async throws {
        let ledger = try await open(engine)
        try await write(ledger, (0..<3).map { refused($0, .unknownUser, at: now + Int64($0)) })
        let manual = Suppression(.init(.email, "m@x.com"), reason: .manual, at: now)
        let other = Suppression(.init(.email, "o@x.com"), reason: .hardBounce, provider: "other", at: now)
        _ = try await ledger.suppress([manual, other], audit: nil, now: now)
        let before = try await ledger.suppressionList()
        let filter = filter(provider: "main", since: now, until: now + 2)
        #expect(try await ledger.suppressionCount(filter) == 2)
        var audit = SuppressionAudit(AuditNote(.unsuppress, actor: "ann"))
        let first = try await ledger.unsuppress(filter, limit: 1, audit: audit, now: now + 50)
        (audit.entry, audit.changed) = (first.entry, 1)
        let second = try await ledger.unsuppress(filter, limit: 1, audit: audit, now: now + 50)
        #expect((first.removed + second.removed).map(\.key.address) == ["p0-0@example.com", "p0-1@example.com"])
        #expect(first.entry == second.entry)
        let third = try await ledger.unsuppress(filter, limit: 1, audit: audit, now: now + 50)
        #expect(third.removed.isEmpty)
        #expect(try await list(ledger).map(\.key.address) == ["m@x.com", "o@x.com", "p0-2@example.com"])
        #expect(try await ledger.suppressionList() == SuppressionList(revision: before.revision + 2, entries: 3))
        let entries = try await ledger.audit(AuditFilter(), limit: 9)
        #expect(entries.count == 1 && entries.first?.object == .suppressions && entries.first?.actor == "ann")
        let period = #""since":"2023-11-14T22:13:20.000Z","suppressions":2,"until":"2023-11-14T22:13:20.002Z""#
        #expect(entries.first?.before == #"{"provider":"main","reason":"hard_bounce",\#(period)}"#)
    }

    private func filter(provider: String, since: Int64? = nil, until: Int64? = nil) -> SuppressionFilter {
        var filter = SuppressionFilter(reason: .hardBounce)
        (filter.provider, filter.since, filter.until) = (provider, since, until)
        return filter
    }

    /// A bounce that outlasts an order is kept in its place, and the order holds for mailings that are planned already.
    @Test(arguments: Engine.all) func anOrderIsNewsThoughTheAddressBounced(engine: Engine) async throws {
        let ledger = try await open(engine)
        try await Example.plan(ledger, Example.id(1), batches: [3])
        try await write(ledger, [refused(0, .unknownUser), refused(1, .unknownUser)])
        let key = Suppression.Key(.email, "p0-0@example.com")
        _ = try await ledger.suppress([Suppression(key, reason: .complaint, at: now, expires: now + day)], audit: nil, now: now)
        #expect(try await list(ledger).map(\.reason) == [.hardBounce, .hardBounce])
        let dispatched = try await ledger.dispatchBatches([(Example.id(1), 1)], now: now + 1)
        #expect(dispatched.first?.open?.map(\.index) == [1, 2])
    }

    @Test(arguments: Engine.all) func ofAnErasedPersonNothingIsCounted(engine: Engine) async throws {
        let ledger = try await open(engine)
        var rules = SuppressionRules()
        rules.softBounces = 2
        for number in 0..<2 {
            if number > 0 { try await Example.plan(ledger, Example.id(number), batches: [3]) }
            let group = resultGroup(mailing: Example.id(number), [refused(0, .full, .retry), refused(1, .full, .retry), sent(2)])
            _ = try await ledger.write(groups: [group], events: [], letters: [], suppressing: rules, now: now)
            if number == 0 { _ = try await ledger.erase(ErasedPerson(["p0-0@example.com"]), note: nil, now: now) }
        }
        #expect(try await list(ledger).map(\.key.address) == ["p0-1@example.com"])
    }
}
