import Foundation
import Logging
import Model
import Signing
import TestServers
import Testing

@testable import Ledger

/// Whoever unsubscribes by a message of a mailing whose recipients are pruned is not sent to any more.
@Suite struct PrunedAddressTests {
    private let folder: TemporaryFolder
    private let id = Example.id()
    private let now = Example.start
    private let later = Example.start + 1_000_000
    private let target = SuppressionTarget(.email)

    init() throws { folder = try TemporaryFolder() }

    private func open(_ engine: Engine, isTracked: Bool = true) async throws -> (ledger: any LedgerStore, number: UInt32) {
        let ledger = try await engine.open(folder)
        var mailing = Example.mailing()
        mailing.tracking = isTracked ? MailingTracking() : nil
        try await end(ledger, id, mailing)
        return (ledger, try #require(try await ledger.number(of: id)))
    }

    /// A mailing to which all were sent.
    private func end(_ ledger: any LedgerStore, _ id: MailingID, _ mailing: Mailing, batches: Int = 2) async throws {
        try await Example.plan(ledger, id, batches: Array(repeating: 2, count: batches), mailing: mailing)
        _ = try await ledger.dispatchBatches([(id, batches)], now: now)
        let groups = (0..<batches).map { resultGroup(batch: $0, closing: .done, mailing: id, [sent(0), sent(1)]) }
        _ = try await ledger.write(groups: groups, events: [], now: now)
        #expect(try await ledger.complete([id], now: now) == [id])
    }

    private func prune(_ ledger: any LedgerStore, _ budget: Duration = .seconds(1)) async throws {
        while try await !ledger.prunePart(id, RetentionRule(cutoff: later), budget: budget, note: nil, now: later).isLast {}
    }

    private func choose(
        _ ledger: any LedgerStore, _ action: TrackedAction, _ number: UInt32, batch: UInt32 = 1, _ index: UInt32 = 0, at time: Int64 = 0,
        from sequence: UInt64 = 0
    ) async throws -> EventSummary {
        let event = TrackedEvent(action, by: .post, mailing: number, batch: batch, index: index, time: later + time)
        return try await ledger.write(
            events: [EventBatch(source: 1, sequence: sequence, events: [event])], letters: [], .none, now: later + time)
    }

    @Test(arguments: Engine.all) func theyAreSuppressedByWhatStandsForTheirAddress(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        // A part has next to no time: each keeps a batch.
        try await prune(ledger, .nanoseconds(1))
        let summary = try await choose(ledger, .unsubscribe, number)
        let one = try #require(summary.suppressed.first)
        #expect(AddressHasher.isHash(one.key.address) && one.reason == .unsubscribe && one.source == "\(id).1.0")
        #expect(summary.gone == 1 && summary.withoutAddress == 0)
        let addresses = ["x@example.com", "p1-0@example.com", "p1-1@example.com"]
        #expect(try await ledger.suppressed(addresses, for: target, now: later) == [1: one])
        #expect(try await ledger.suppressions(of: "p1-0@example.com", .email) == [one])
        #expect(try await ledger.suppressions(of: "p1-1@example.com", .email) == [])
        // The same again changes nothing, and taking it back lifts it.
        #expect(try await choose(ledger, .unsubscribe, number, from: 1).suppressed == [])
        let back = try await choose(ledger, .resubscribe, number, at: 5, from: 2)
        #expect(back.unsuppressed == [one.key])
        #expect(try await ledger.suppressed(addresses, for: target, now: later) == [:])
    }

    /// A pruning is done in parts, and the hashes of later batches are not kept yet.
    @Test(arguments: Engine.all) func whoUnsubscribesDuringAPruningIsHeard(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        let rule = RetentionRule(cutoff: later)
        #expect(try await !ledger.prunePart(id, rule, budget: .nanoseconds(1), note: nil, now: later).isLast)
        #expect(try await choose(ledger, .unsubscribe, number, batch: 0).suppressed.count == 1)
        let summary = try await choose(ledger, .unsubscribe, number, from: 1)
        #expect(summary.suppressed.count == 1 && summary.withoutAddress == 0)
        // It is the same hash that is kept in the end.
        try await prune(ledger)
        #expect(try await choose(ledger, .unsubscribe, number, from: 2).suppressed == [])
    }

    /// An erasure reads them in parts.
    @Test func anErasureReachesTheLastOfManyBatches() async throws {
        let ledger = try SQLiteLedger.open(folder.path("many.sqlite"), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        var mailing = Example.mailing()
        mailing.tracking = MailingTracking()
        try await end(ledger, id, mailing, batches: 203)
        let number = try #require(try await ledger.number(of: id))
        try await prune(ledger)
        _ = try await ledger.erase(ErasedPerson(["p0-0@example.com", "p202-0@example.com"], withSuppressions: true), note: nil, now: later)
        #expect(try await choose(ledger, .unsubscribe, number, batch: 0).withoutAddress == 1)
        #expect(try await choose(ledger, .unsubscribe, number, batch: 202, from: 1).withoutAddress == 1)
        #expect(try await choose(ledger, .unsubscribe, number, batch: 202, 1, from: 2).suppressed.count == 1)
        try ledger.close()
    }

    /// A mailing that was planned before is not sent to them either.
    @Test(arguments: Engine.all) func theyAreSkippedWhenABatchIsDispatched(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        try await prune(ledger)
        let next = Example.id(1)
        try await Example.plan(ledger, next, batches: [2, 2])
        _ = try await choose(ledger, .unsubscribe, number)
        _ = try await ledger.dispatchBatches([(next, 9)], now: later)
        #expect(try await ledger.skipped(next, after: nil, limit: 9).map(\.address) == ["p1-0@example.com"])
    }

    @Test(arguments: Engine.all) func whoWasErasedLeavesNothing(engine: Engine) async throws {
        let (ledger, number) = try await open(engine)
        try await prune(ledger)
        let removing = ErasedPerson(["P1-0@example.com"], withSuppressions: true)
        _ = try await choose(ledger, .unsubscribe, number)
        #expect(try await ledger.erase(removing, note: nil, now: later).suppressions == 1)
        #expect(try await ledger.suppressions(of: "p1-0@example.com", .email) == [])
        let summary = try await choose(ledger, .unsubscribe, number, from: 1)
        #expect(summary.suppressed == [] && summary.withoutAddress == 1)
        // Who is beside them is heard.
        #expect(try await choose(ledger, .unsubscribe, number, 1, from: 2).suppressed.count == 1)
    }

    @Test(arguments: Engine.all) func nothingIsKeptOfMessagesWithoutLinksNorForEver(engine: Engine) async throws {
        let (ledger, number) = try await open(engine, isTracked: false)
        try await prune(ledger)
        let none = try await choose(ledger, .unsubscribe, number)
        #expect(none.suppressed == [] && none.withoutAddress == 1)
        #expect(try await choose(ledger, .unsubscribe, 5, from: 1).withoutAddress == 1)

        let tracked = Example.id(2)
        var mailing = Example.mailing()
        mailing.tracking = MailingTracking()
        try await end(ledger, tracked, mailing)
        _ = try await ledger.prune(tracked, RetentionRule(cutoff: later), note: nil, now: later)
        let second = try #require(try await ledger.number(of: tracked))
        #expect(try await choose(ledger, .unsubscribe, second, from: 2).suppressed.count == 1)
        // Years later another mailing is pruned.
        let last = Example.id(3)
        try await end(ledger, last, mailing)
        _ = try await ledger.prune(last, RetentionRule(cutoff: later), note: nil, now: later + PrunedAddresses.time + 1)
        #expect(try await choose(ledger, .unsubscribe, second, 1, from: 3).withoutAddress == 1)
    }

    /// A copy that takes the ledger's place has not yet heard of an erasure.
    @Test func aRestoreBringsNoErasedPersonBack() async throws {
        let (path, copy) = (folder.path("ledger.sqlite"), folder.path("copy.sqlite"))
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var ledger = try SQLiteLedger.open(path, logger: quiet)
        var mailing = Example.mailing()
        mailing.tracking = MailingTracking()
        try await end(ledger, id, mailing)
        let number = try #require(try await ledger.number(of: id))
        try await prune(ledger)
        _ = try LedgerBackup.make(of: path, to: copy)
        _ = try await ledger.erase(ErasedPerson(["p1-0@example.com"], withSuppressions: true), note: nil, now: later)
        try ledger.close()
        _ = try LedgerBackup.restore(copy, to: path, isForced: true, now: later)
        ledger = try SQLiteLedger.open(path, logger: quiet)
        #expect(try await choose(ledger, .unsubscribe, number).withoutAddress == 1)
        #expect(try await choose(ledger, .unsubscribe, number, 1, from: 1).suppressed.count == 1)
        try ledger.close()
    }
}
