import Foundation
import Model
import Signing
import TestServers
import Testing

@testable import Ledger

/// What trackers ask, and what recipients save on the page of preferences, on both engines.
@Suite struct AnswerConformanceTests {
    private let folder: TemporaryFolder
    private let id = Example.id()
    private let now = Example.start
    private let later = Example.start + 1_000_000

    init() throws { folder = try TemporaryFolder() }

    private func open(_ engine: Engine, category: String? = "news") async throws -> (ledger: any LedgerStore, number: UInt32) {
        let ledger = try await engine.open(folder)
        var mailing = Example.mailing()
        mailing.tracking = MailingTracking()
        mailing.category = category
        try await Example.plan(ledger, id, batches: [2, 2], mailing: mailing)
        return (ledger, try #require(try await ledger.number(of: id)))
    }

    private func question(_ kind: Question.Kind, _ number: UInt32, batch: UInt32 = 1, _ index: UInt32 = 0) -> Question {
        Question(kind, mailing: number, batch: batch, index: index)
    }

    private func choices(_ ledger: any LedgerStore, _ number: UInt32, batch: UInt32 = 1, _ index: UInt32 = 0) async throws -> String {
        let found = try await ledger.preferences(of: [question(.preferences, number, batch: batch, index)], now: later)[0]
        guard let found else { return "gone" }
        return "\(found.all) " + found.categories.map { "\($0.name):\($0.choice)" }.joined(separator: " ")
    }

    @discardableResult
    private func save(
        _ ledger: any LedgerStore, _ number: UInt32, _ text: String, batch: UInt32 = 1, _ index: UInt32 = 0, from sequence: UInt64
    ) async throws -> EventSummary {
        var event = TrackedEvent(.preferences, by: .post, mailing: number, batch: batch, index: index, time: later + Int64(sequence))
        let change: PreferenceChange = try #require(PreferenceChange(text))
        event.change = change
        return try await ledger.write(
            events: [EventBatch(source: 1, sequence: sequence, events: [event])], letters: [], .none, now: later + Int64(sequence))
    }

    private func prune(_ ledger: any LedgerStore) async throws {
        _ = try await ledger.dispatchBatches([(id, 2)], now: now)
        let groups = (0..<2).map { resultGroup(batch: $0, closing: .done, mailing: id, [sent(0), sent(1)]) }
        _ = try await ledger.write(groups: groups, events: [], now: now)
        #expect(try await ledger.complete([id], now: now) == [id])
        while try await !ledger.prunePart(id, RetentionRule(cutoff: later), budget: .seconds(1), note: nil, now: later).isLast {}
    }

    @Test(arguments: Engine.all) func recipientsAreFoundByTheNumbersOfTheirLinks(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        let questions = [
            question(.view, number), question(.link, number, batch: 0, 1), question(.view, number, 9), question(.view, number, batch: 7),
            question(.view, number &+ 1), question(.view, number),
        ]
        let found = try await ledger.asked(about: questions)
        #expect(found.map { $0?.values?[0, 1] } == ["p1-0@example.com", "p0-1@example.com", nil, nil, nil, "p1-0@example.com"])
        #expect(found[0]?.batch == BatchID(mailing: id, number: 1) && found[0]?.values?.width == 3 && found[4] == nil)
        #expect(try await ledger.asked(about: []).isEmpty)
    }

    @Test(arguments: Engine.all) func nothingIsKnownOfWhoIsErasedOrPruned(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        try await prune(ledger)
        let found = try await ledger.asked(about: [question(.view, number)])[0]
        #expect(found?.batch.mailing == id && found?.values == nil)
        // What stands for the address is kept.
        #expect(try await choices(ledger, number) == "wanted news:wanted")
        _ = try await ledger.erase(ErasedPerson(["p1-0@example.com"], withSuppressions: true), note: nil, now: later)
        #expect(try await choices(ledger, number) == "gone")
        let other = Example.id(1)
        try await Example.plan(ledger, other, batches: [2])
        let second = try #require(try await ledger.number(of: other))
        // Whoever is still to be sent to is not erased.
        _ = try await ledger.dispatchBatches([(other, 1)], now: later)
        let dispatch = Dispatch(batch: BatchID(mailing: other, number: 0), dispatchNumber: 1)
        _ = try await ledger.write(
            groups: [ResultGroup(dispatch, worker: "w.1", sequence: 0, closing: .done, groups: 1, results: [sent(0), sent(1)])], events: [],
            letters: [],
            now: later)
        _ = try await ledger.erase(ErasedPerson(["p0-0@example.com"], withSuppressions: true), note: nil, now: later)
        #expect(try await ledger.asked(about: [question(.view, second, batch: 0)])[0]?.values == nil)
        #expect(try await choices(ledger, second, batch: 0) == "gone")
    }

    @Test(arguments: Engine.all) func choicesBecomeSuppressionsAndTheirLifting(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        _ = try await ledger.addCategories(["offers"], note: nil, now: now)
        #expect(try await choices(ledger, number) == "wanted news:wanted offers:wanted")
        let first = try await save(ledger, number, "-offers", from: 0)
        #expect(first.suppressed.map(\.key) == [.init(.email, "p1-0@example.com", category: "offers")])
        #expect(first.suppressed.first?.source == "\(id).1.0" && first.suppressed.first?.reason == .unsubscribe)
        #expect(try await choices(ledger, number) == "wanted news:wanted offers:declined")
        try await save(ledger, number, "-*", from: 1)
        #expect(try await choices(ledger, number) == "declined news:wanted offers:declined")
        let back = try await save(ledger, number, "+* -news +offers", from: 2)
        #expect(back.unsuppressed.count == 2 && back.suppressed.map(\.key.category) == ["news"])
        #expect(try await choices(ledger, number) == "wanted news:declined offers:wanted")
        // Of another recipient nothing has changed, and the audit log has it.
        #expect(try await choices(ledger, number, 1) == "wanted news:wanted offers:wanted")
        let report = try #require(try await ledger.eventReport(id))
        #expect(report[.preferences].all == .init(total: 3, unique: 1) && report[.unsubscribe].all.total == 0)
        #expect(try await ledger.checkEvents(id) == [])
    }

    @Test(arguments: Engine.all) func nobodyMakesCategoriesOrLiftsWhatOthersDecided(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        #expect(try await save(ledger, number, "-unheard-of", from: 0).suppressed.isEmpty)
        #expect(try await ledger.categories() == ["news"])
        let key = Suppression.Key(.email, "p1-0@example.com", category: "news")
        _ = try await ledger.suppress([Suppression(key, reason: .complaint, at: now)], audit: nil, now: now)
        #expect(try await choices(ledger, number) == "wanted news:excluded")
        #expect(try await save(ledger, number, "+news", from: 1).unsuppressed.isEmpty)
        #expect(try await choices(ledger, number) == "wanted news:excluded")
    }

    /// An entry that is read twice counts once, and workers are told again.
    @Test(arguments: Engine.all) func whatIsReadTwiceChangesNothing(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        try await save(ledger, number, "-news", from: 0)
        try await save(ledger, number, "+news", from: 1)
        let again = try await save(ledger, number, "-news", from: 0)
        #expect(again.duplicates == 1 && again.suppressed.isEmpty)
        #expect(try await choices(ledger, number) == "wanted news:wanted")
        try await save(ledger, number, "-news", from: 2)
        #expect(try await save(ledger, number, "-news", from: 2).suppressedBefore.map(\.key.category) == ["news"])
    }

    @Test(arguments: Engine.all) func whoChoosesByALinkOfAPrunedMailingIsHeard(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        try await prune(ledger)
        let summary = try await save(ledger, number, "-news", from: 0)
        #expect(summary.suppressed.count == 1 && summary.suppressed.allSatisfy { AddressHasher.isHash($0.key.address) })
        #expect(try await choices(ledger, number) == "wanted news:declined")
        // By a link of a mailing whose recipients are kept it is seen, and can be taken back.
        let other = Example.id(1)
        var mailing = Example.mailing()
        mailing.tracking = MailingTracking()
        try await Example.plan(ledger, other, batches: [2, 2], mailing: mailing)
        let second = try #require(try await ledger.number(of: other))
        #expect(try await choices(ledger, second) == "wanted news:declined")
        #expect(try await save(ledger, second, "+news", from: 1).unsuppressed.count == 1)
        #expect(try await choices(ledger, second) == "wanted news:wanted")
    }
}
