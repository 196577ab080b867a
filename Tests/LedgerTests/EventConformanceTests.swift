import Model
import Policy
import TestServers
import Testing

@testable import Ledger

/// What visitors do is kept and counted once, whatever comes twice, late or in another order.
@Suite struct EventConformanceTests {
    private let folder: TemporaryFolder
    private let id = Example.id()
    private let now = Example.start

    init() throws { folder = try TemporaryFolder() }

    private func open(_ engine: Engine, batches: [Int] = [3, 2]) async throws -> (ledger: any LedgerStore, number: UInt32) {
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: batches)
        return (ledger, try #require(try await ledger.number(of: id)))
    }

    /// Three different links within two seconds are a machine's.
    private let rules = EventRules { visits, _ in
        visits.map { visit in
            if visit.agent == "scanner" { return .machine }
            let near = visits.filter { $0.action == .click && abs($0.time - visit.time) <= 2000 }
            return Set(near.map(\.link)).count >= 3 ? .machine : .human
        }
    }

    private func event(
        _ action: TrackedAction, _ number: UInt32, batch: UInt32 = 0, _ index: UInt32 = 0, link: UInt16 = 0, at: Int64 = 0,
        by method: TrackedMethod = .get, agent: String = "Mozilla/5.0"
    ) -> TrackedEvent {
        var event = TrackedEvent(action, by: method, mailing: number, batch: batch, index: index, link: link, time: now + at)
        (event.agent, event.visitor) = (agent, 7)
        return event
    }

    private func write(
        _ ledger: any LedgerStore, _ events: [TrackedEvent], source: UInt64 = 1, from sequence: UInt64 = 0
    ) async throws -> EventSummary {
        try await ledger.write(
            events: [EventBatch(source: source, sequence: sequence, events: events)], letters: [], rules, now: now)
    }

    @Test(arguments: Engine.all) func eventsCountOnce(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        let events = [event(.open, number), event(.click, number, link: 1, at: 5), event(.open, number, batch: 1, 1)]
        #expect(try await write(ledger, events).counted == [.open: 2, .click: 1])
        let report = try await ledger.eventReport(id)
        #expect(report?[.open][.human] == .init(total: 2, unique: 2) && report?[.click].all == .init(total: 1, unique: 1))
        // The same entry again, and one that overlaps it.
        #expect(try await write(ledger, events).duplicates == 3)
        let next = try await write(ledger, Array(events[1...]) + [event(.click, number, link: 1, at: 9000)], from: 1)
        #expect(next.duplicates == 2 && next.counted == [.click: 1])
        let after = try #require(try await ledger.eventReport(id))
        #expect(after[.click][.human] == .init(total: 2, unique: 1) && after.links.map(\.number) == [1])
        #expect(after.timeline.count == 1 && after.timeline[0].count(.open, .human) == 2)
        #expect(try await ledger.report(id, now: now)?.visits == after)
        #expect(try await ledger.checkEvents(id) == [])
        let visits = try await ledger.recipient(id, "p0-0@example.com")?.visits
        #expect(visits?.map(\.action) == [.open, .click, .click] && visits?.last?.agent == "Mozilla/5.0" && visits?.last?.link == 1)
    }

    /// Entries of one tracker that two collectors read are written in any order.
    @Test(arguments: Engine.all) func aLaterEntryDoesNotHideAnEarlierOne(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        #expect(try await write(ledger, [event(.open, number)], from: 10).counted == [.open: 1])
        #expect(try await write(ledger, (0..<10).map { event(.open, number, at: $0) }).counted == [.open: 10])
        #expect(try await write(ledger, (0..<11).map { event(.open, number, at: $0) }).duplicates == 11)
        #expect(try await write(ledger, [event(.open, number)], source: .max, from: 10).counted == [.open: 1])
        #expect(try await ledger.eventReport(id)?[.open].all == .init(total: 12, unique: 1))
    }

    @Test(arguments: Engine.all) func laterEventsMoveWhatEarlierOnesCountAs(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        _ = try await write(ledger, [event(.click, number, link: 0), event(.click, number, link: 1, at: 100)])
        #expect(try await ledger.eventReport(id)?[.click][.human] == .init(total: 2, unique: 1))
        _ = try await write(ledger, [event(.click, number, link: 2, at: 200), event(.click, number, 1, link: 2)], from: 2)
        let report = try #require(try await ledger.eventReport(id))
        #expect(report[.click][.human] == .init(total: 1, unique: 1) && report[.click][.machine] == .init(total: 3, unique: 1))
        #expect(report[.click].all == .init(total: 4, unique: 2))
        #expect(report.links.first { $0.number == 0 }?.counts[.human] == .init(total: 0, unique: 0))
        #expect(try await ledger.checkEvents(id) == [])
    }

    /// In any order and split in any way, the numbers are the same.
    @Test(arguments: Engine.all) func theOrderDoesNotMatter(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        let other = Example.id(1)
        try await Example.plan(ledger, other, batches: [3, 2])
        let second = try #require(try await ledger.number(of: other))
        var generator = SeededGenerator(seed: 30)
        let events = (0..<120).map { _ in
            event(
                [.open, .click, .view].randomElement(using: &generator) ?? .open, number, .random(in: 0..<3, using: &generator),
                link: .random(in: 0..<4, using: &generator), at: .random(in: 0..<20_000, using: &generator))
        }
        _ = try await write(ledger, events)
        var rest = events.map { event in
            var copy = event
            copy.mailing = second
            return copy
        }
        rest.shuffle(using: &generator)
        var sequence: UInt64 = 0
        while !rest.isEmpty {
            let part = Array(rest.prefix(Int.random(in: 1...40, using: &generator)))
            rest.removeFirst(part.count)
            _ = try await write(ledger, part, source: 2, from: sequence)
            sequence += UInt64(part.count)
        }
        #expect(try await ledger.eventReport(id) == ledger.eventReport(other))
        #expect(try await ledger.checkEvents(id) + ledger.checkEvents(other) == [])
    }

    @Test(arguments: Engine.all) func aRecountAppliesOtherRulesAndCountsWhatComesMeanwhile(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        let agents = ["scanner", "Mozilla/5.0"]
        _ = try await write(ledger, (0..<6).map { event(.open, number, UInt32($0 % 3), at: Int64($0), agent: agents[$0 % 2]) })
        #expect(try await ledger.eventReport(id)?[.open][.machine].total == 3)
        let first = try await ledger.recountEvents(id, after: nil, limit: 2, .none)
        #expect(first.recipients == 2 && first.changed == 2 && first.last == EventPlace(batch: 0, index: 1))
        #expect(try await ledger.checkEvents(id) == [])
        // One of those behind, and one of those before.
        _ = try await ledger.write(
            events: [EventBatch(source: 9, sequence: 0, events: [event(.open, number, 2), event(.open, number, 0)])], letters: [], .none,
            now: now)
        let last = try await ledger.recountEvents(id, after: first.last, limit: 2, .none)
        #expect(last.recipients == 1 && last.last == nil)
        #expect(try await ledger.eventReport(id)?[.open][.human] == .init(total: 8, unique: 3))
        #expect(try await ledger.checkEvents(id) == [])
        #expect(try await ledger.recountEvents(id, rules, now: now).changed == 3)
        #expect(try await ledger.recountEvents(id, rules, now: now).changed == 0)
        #expect(try await ledger.checkEvents(id) == [])
    }

    @Test(arguments: Engine.all) func onlyAPOSTUnsubscribes(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        let looked = [TrackedMethod.get, .head].map { event(.unsubscribe, number, by: $0) }
        #expect(try await write(ledger, looked).suppressed.count == 0)
        #expect(try await ledger.suppressionList().entries == 0)
        #expect(try await ledger.eventReport(id) == nil)

        #expect(try await write(ledger, [event(.unsubscribe, number, at: 50, by: .post)], from: 2).suppressed.count == 1)
        let found = try await ledger.suppressions(of: "p0-0@example.com", .email)
        #expect(found.map(\.reason) == [.unsubscribe] && found.first?.source == "\(id).0.0" && found.first?.at == now + 50)
        #expect(try await ledger.audit(AuditFilter(), limit: 1).map(\.order) == ["suppress"])
        #expect(try await ledger.eventReport(id)?[.unsubscribe].all == .init(total: 1, unique: 1))
        // Whoever wrote it may have ended before workers were told.
        let again = try await write(ledger, [event(.unsubscribe, number, at: 50, by: .post)], from: 2)
        #expect(again.duplicates == 1 && again.suppressed == [] && again.suppressedBefore.map(\.key.address) == ["p0-0@example.com"])
        // A token works again and again, and changes nothing more; of two choices the later one holds, whichever comes first.
        #expect(try await write(ledger, [event(.unsubscribe, number, at: 60, by: .post)], from: 3).suppressed.count == 0)
        #expect(try await write(ledger, [event(.resubscribe, number, at: 40, by: .post)], from: 4).unsuppressed.count == 0)
        #expect(try await write(ledger, [event(.resubscribe, number, at: 70, by: .post)], from: 5).unsuppressed == found.map(\.key))
        #expect(try await ledger.suppressions(of: "p0-0@example.com", .email) == [])
        #expect(try await write(ledger, [event(.unsubscribe, number, at: 50, by: .post)], from: 2).suppressedBefore == [])
        #expect(try await ledger.checkEvents(id) == [])
    }

    /// What a provider or a person of ours knows is not undone by a link.
    @Test(arguments: Engine.all) func aLinkLiftsOnlyWhatALinkSuppressed(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        let one = Suppression(Suppression.Key(.email, "p0-0@example.com"), reason: .complaint, at: now)
        _ = try await ledger.suppress([one], audit: nil, now: now)
        #expect(try await write(ledger, [event(.resubscribe, number, at: 70, by: .post)]).unsuppressed.count == 0)
        #expect(try await ledger.suppressionList().entries == 1)
    }

    @Test(arguments: Engine.all) func aVisitOfAPersonSettlesAHeldRecipient(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        _ = try await ledger.dispatchBatches([(id, 2)], now: now)
        let groups = [
            resultGroup(closing: .done, [uncertain(0), uncertain(1), sent(2)]), resultGroup(batch: 1, closing: .done, [sent(0), sent(1)]),
        ]
        _ = try await ledger.write(groups: groups, events: [], now: now)
        #expect(try await ledger.progress(id)?[.uncertain] == 2)
        let machine = event(.open, number, 1, at: 5, agent: "scanner")
        #expect(try await write(ledger, [event(.open, number, 0, at: 5), machine, event(.open, number, 2)]).settled == 1)
        #expect(try await ledger.progress(id)?[.uncertain] == 1)
        #expect(try await ledger.progress(id)?[.sent] == 4)
        #expect(try await ledger.recount(id) == [])
        #expect(try await write(ledger, [event(.open, number, 0, at: 9)], from: 3).settled == 0)
    }

    @Test(arguments: Engine.all) func whatIsOfNobodyIsDropped(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        let strange = [
            event(.open, number + 7), event(.open, .max), event(.open, number, 3), event(.open, number, batch: 2),
            event(.open, number, batch: .max), event(.open, number, .max), event(.open, number, at: -now - 1),
        ]
        let summary = try await write(ledger, strange)
        #expect(summary.gone == 2 && summary.invalid == 5 && summary.counted == [:])
        #expect(try await ledger.eventReport(id) == nil)
    }

    /// Whoever asks for one token for ever costs no more than the bound.
    @Test(arguments: Engine.all) func aRecipientsEventsAreBounded(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        let summary = try await write(ledger, (0..<700).map { event(.open, number, at: $0) })
        #expect(summary.counted == [.open: 500] && summary.excess == 200)
        #expect(try await write(ledger, [event(.unsubscribe, number, at: 999, by: .post)], from: 700).suppressed.count == 1)
        // Choosing for ever keeps nobody from unsubscribing.
        let again = (0..<200).map { event(.resubscribe, number, at: 1_000 + Int64($0), by: .post) }
        #expect(try await write(ledger, again, from: 701).unsuppressed.count == 1)
        #expect(try await write(ledger, [event(.unsubscribe, number, at: 2_000, by: .post)], from: 901).suppressed.count == 1)
        #expect(try await ledger.checkEvents(id) == [])
    }

    @Test(arguments: Engine.all) func pruningLeavesTheCounters(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        _ = try await write(ledger, [event(.open, number), event(.click, number, batch: 1, 1, link: 3)])
        let report = try await ledger.eventReport(id)
        _ = try await ledger.setState(id, to: .stopped, from: [.sending], reason: .none, note: nil, now: now)
        _ = try await ledger.stopOpen(id, now: now)
        let later = now + 1_000_000
        #expect(try await ledger.prune(id, RetentionRule(cutoff: later), note: nil, now: later) == 5)
        #expect(try await ledger.eventReport(id) == report)
        #expect(try await ledger.checkEvents(id) == [])
        #expect(try await write(ledger, [event(.open, number)], from: 2).gone == 1)
    }

    @Test(arguments: Engine.all) func anErasureTakesWhereVisitsCameFrom(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        _ = try await ledger.dispatchBatches([(id, 9)], now: now)
        _ = try await ledger.write(groups: [resultGroup(closing: .done, [sent(0), sent(1), sent(2)])], events: [], now: now)
        var visit = event(.open, number)
        visit.address = "192.0.2.7"
        _ = try await write(ledger, [visit])
        #expect(try await ledger.recipient(id, "r0-0")?.visits.first?.address == "192.0.2.7")
        _ = try await ledger.erase(ErasedPerson(["p0-0@example.com"]), note: nil, now: now)
        #expect(try await ledger.recipient(id, "r0-0")?.visits.map(\.address) == [""])
        // A later visit does not bring it back. Others' addresses stay.
        visit.time += 9
        var other = visit
        other.index = 1
        _ = try await write(ledger, [visit, other], from: 1)
        #expect(try await ledger.recipient(id, "r0-0")?.visits.map(\.address) == ["", ""])
        #expect(try await ledger.recipient(id, "r0-1")?.visits.map(\.address) == ["192.0.2.7"])
        #expect(try await ledger.checkEvents(id) == [])
    }

    /// The first receipt does not make the message one of one recipient.
    @Test(arguments: Engine.all) func ratesAreOfAllWhoWereSentTo(engine: Engine) async throws {
        let (ledger, _) = try await open(engine, batches: [3])
        _ = try await ledger.dispatchBatches([(id, 9)], now: now)
        let delivered = RecipientResult(index: 0, state: .delivered, attempts: 1, at: now)
        _ = try await ledger.write(groups: [resultGroup(closing: .done, [delivered, sent(1), sent(2)])], events: [], now: now)
        let report = try #require(try await ledger.report(id, now: now))
        #expect(report.reached.count == 3 && !report.reached.isDelivered && report.delivered == 1 && report.accepted == 3)
        // Once they tell of most, who has no receipt has no message.
        let second = RecipientResult(index: 1, state: .delivered, attempts: 1, at: now)
        _ = try await ledger.write(groups: [resultGroup(sequence: 1, [second])], events: [], now: now)
        let later = try #require(try await ledger.report(id, now: now))
        #expect(later.reached.count == 2 && later.reached.isDelivered && later.delivered == 2 && later.accepted == 3)
    }

    @Test(arguments: Engine.all) func unreadableEntriesAreKept(engine: Engine) async throws {
        let (ledger, _) = try await open(engine)
        let letter = DeadLetter(source: .status(0), entry: "1-0", reason: "no sense", fields: [.init(name: "d", value: [0])])
        _ = try await ledger.write(events: [], letters: [letter], rules, now: now)
        #expect(try await ledger.deadLetters(after: nil, limit: 9).count == 1)
    }
}
