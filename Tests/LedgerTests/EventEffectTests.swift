import Model
import Policy
import TestServers
import Testing

@testable import Ledger

/// A machine's visit triggers nothing; whatever else tells of a held delivery settles it.
@Suite struct EventEffectTests {
    private let folder: TemporaryFolder
    private let id = Example.id()
    private let now = Example.start
    private let rules = EventRules(EventClassifier()) { _ in [5] }
    private static let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"

    /// What a visitor does, and whether it settles a held delivery.
    struct Visit: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var actions: [(TrackedAction, TrackedMethod)]
        var agent = browser
        var network = ""
        var settles: Bool
    }

    static let visits = [
        Visit(testDescription: "an open", actions: [(.open, .get)], settles: true),
        Visit(testDescription: "a click", actions: [(.click, .get)], settles: true),
        Visit(testDescription: "a view", actions: [(.view, .get)], settles: true),
        Visit(testDescription: "an unsubscribe", actions: [(.unsubscribe, .post)], settles: true),
        Visit(
            testDescription: "an unsubscribe by a provider's server", actions: [(.unsubscribe, .post)], agent: "curl/8.5.0", settles: true),
        Visit(testDescription: "an open by a proxy", actions: [(.open, .get)], agent: "GoogleImageProxy", settles: true),
        Visit(testDescription: "a machine's open", actions: [(.open, .get)], agent: "Mozilla/5.0", network: "apple-proxy", settles: false),
        Visit(testDescription: "a machine's click", actions: [(.click, .get)], agent: "curl/8.5.0", settles: false),
        Visit(testDescription: "HEAD", actions: [(.click, .head), (.unsubscribe, .head)], settles: false),
        Visit(testDescription: "a vendor's network", actions: [(.click, .get)], network: "proofpoint", settles: false),
        Visit(
            testDescription: "a burst",
            actions: Array(repeating: (TrackedAction.click, TrackedMethod.get), count: 5) + [(.unsubscribe, .get)], settles: false),
    ]

    init() throws { folder = try TemporaryFolder() }

    /// Two held recipients and one who was sent to.
    private func plan(_ ledger: any LedgerStore, _ id: MailingID) async throws {
        try await Example.plan(ledger, id, batches: [3], mailing: Example.mailing(uncertain: .hold))
        _ = try await ledger.dispatchBatches([(id, 9)], now: now)
        let group = resultGroup(closing: .done, mailing: id, [uncertain(0), uncertain(1), sent(2)])
        _ = try await ledger.write(groups: [group], events: [], now: now)
        #expect(try await ledger.progress(id)?[.uncertain] == 2)
    }

    /// Counted at once, and among so many that others wait.
    @Test(arguments: Engine.all, [0, 1000]) func onlyWhoIsNoMachineSettles(engine: Engine, most: Int) async throws {
        let ledger = try await engine.open(folder)
        for (place, visit) in Self.visits.enumerated() {
            let id = Example.id(place)
            try await plan(ledger, id)
            let number = try #require(try await ledger.number(of: id))
            let events = visit.actions.enumerated().map { place, what in
                var event = TrackedEvent(
                    what.0, by: what.1, mailing: number, batch: 0, index: 0, link: what.0 == .click ? UInt16(place) : 0,
                    time: now + Int64(place * 100))
                (event.agent, event.network, event.visitor) = (visit.agent, visit.network, 9)
                return event
            }
            let batch = EventBatch(source: UInt64(place), sequence: 0, events: events)
            let summary = try await ledger.write(events: [batch], letters: [], rules, countingAtMost: most, now: now)
            _ = try await ledger.countEvents(of: nil, inSlicesOf: 1, rules, now: now)
            #expect(summary.settled == (visit.settles ? 1 : 0), "\(visit.testDescription)")
            #expect(try await ledger.progress(id)?[.uncertain] == (visit.settles ? 1 : 2), "\(visit.testDescription)")
            #expect(try await ledger.recount(id) + ledger.checkEvents(id) == [])
            // Only a POST unsubscribes.
            let isChoice = visit.actions.contains { $0.0 == .unsubscribe && $0.1 == .post }
            #expect(summary.suppressed.count == (isChoice ? 1 : 0))
            #expect(try await ledger.suppressionList().entries == summary.suppressed.count)
            #expect(try await ledger.eventReport(id)?[.unsubscribe].all.total ?? 0 == summary.suppressed.count)
            // The next mailing is sent to them again.
            _ = try await ledger.unsuppress(summary.suppressed.map(\.key), audit: nil, now: now)
        }
    }

    /// It takes a while until it is known that nothing is known of a message: somebody may have come by then.
    @Test(arguments: Engine.all, [browser, "curl/8.5.0"]) func aVisitOfBeforeSettles(engine: Engine, agent: String) async throws {
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, id, batches: [3], mailing: Example.mailing(uncertain: .hold))
        _ = try await ledger.dispatchBatches([(id, 9)], now: now)
        let number = try #require(try await ledger.number(of: id))
        var event = TrackedEvent(.click, mailing: number, batch: 0, index: 0, time: now + 5)
        event.agent = agent
        let batch = EventBatch(source: 1, sequence: 0, events: [event])
        #expect(try await ledger.write(events: [batch], letters: [], rules, now: now).settled == 0)
        let group = resultGroup(closing: .done, [uncertain(0), uncertain(1), sent(2)])
        _ = try await ledger.write(groups: [group], events: [], now: now)
        let isPerson = agent == Self.browser
        #expect(try await ledger.countEvents(of: nil, inSlicesOf: 1, rules, now: now).settled == (isPerson ? 1 : 0))
        #expect(try await ledger.progress(id)?[.uncertain] == (isPerson ? 1 : 2))
        #expect(try await ledger.recount(id) == [])
        #expect(try await ledger.countEvents(of: nil, inSlicesOf: 1, rules, now: now).settled == 0)
    }

    /// A receipt, a bounce, and a late acceptance.
    @Test(arguments: Engine.all, [RecipientState.delivered, .failed, .sent]) func whatAProviderTellsSettles(
        engine: Engine, state: RecipientState
    ) async throws {
        let ledger = try await engine.open(folder)
        try await plan(ledger, id)
        var result = state == .failed ? failed(0, at: now + 5) : sent(0, at: now + 5)
        result.state = state
        _ = try await ledger.write(groups: [resultGroup(worker: "receipts", sequence: 1, [result])], events: [], now: now + 5)
        #expect(try await ledger.progress(id)?[.uncertain] == 1)
        #expect(try await ledger.recipient(id, "r0-0")?.state == state)
        #expect(try await ledger.recount(id) == [])
    }
}
