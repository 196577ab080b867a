import Ledger
import Model
import TestServers
import Testing

@Suite struct DispatchConformanceTests {
    let id = Example.id()
    let now = Example.start

    @Test(arguments: Engine.all) func feedsEachBatchOnceAndWhole(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [3, 2, 1])
        let first = try await ledger.dispatchBatches([(id, 2)], now: now + 1)
        #expect(first.map(\.id.number) == [0, 1])
        #expect(first[0].recipients == Example.recipients(batch: 0, count: 3).encoded())
        #expect(first[0].count == 3 && first[0].open == nil && first[0].dispatchNumber == 1)
        #expect(first[0].expires == now + 3_600_000 && first[0].dispatched == now + 1)
        #expect(try await ledger.dispatchBatches([(id, 9)], now: now).map(\.id.number) == [2])
        #expect(try await ledger.dispatchBatches([(id, 9)], now: now).isEmpty)
        let marks = try await ledger.openDispatches(of: [id])[id, default: []]
        #expect(marks.map(\.number) == [0, 1, 2] && marks.allSatisfy { $0.dispatchNumber == 1 })
        #expect(try await ledger.progress(id)?.dispatched == 3)
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func aBatchKeepsItsChannel(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await ledger.create(id, mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: now)
        let batches = [Channel.email, nil].enumerated().map { number, channel in
            PlannedBatch(number: number, recipients: Example.recipients(batch: number, count: 2), channel: channel)
        }
        try await ledger.appendPlan(id, batches: batches, exclusions: [], rowsRead: 4)
        try await ledger.finishPlan(id, now: now)
        #expect(try await ledger.dispatchBatches([(id, 9)], now: now).map(\.channel) == [.email, nil])
    }

    @Test(arguments: Engine.all) func statusesSayOfAllMailingsWhatEachSaysByItself(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        for number in 0..<4 { try await Example.plan(ledger, Example.id(number), batches: [4, 2]) }
        for number in 0..<3 { _ = try await ledger.dispatchBatches([(Example.id(number), number)], now: now) }
        _ = try await ledger.write(
            groups: [resultGroup(closing: .done, mailing: Example.id(1), [sent(0), deferred(1, due: now + 500), failed(2), sent(3)])],
            events: [], now: now)
        _ = try await ledger.setState(Example.id(3), to: .stopped, from: [.sending], reason: StateReason(text: "tea"), now: now)
        for states in [nil, [MailingState.sending], [.stopped, .failed]] as [Set<MailingState>?] {
            let statuses = try await ledger.statuses(states: states, limit: 9)
            #expect(try await statuses.map(\.record) == ledger.mailings(states: states, limit: 9))
            for status in statuses { #expect(try await status.progress == ledger.progress(status.record.id)) }
        }
        #expect(try await ledger.statuses(states: nil, limit: 2).count == 2)
        #expect(try await ledger.statuses(states: [.sending], limit: 9).contains { $0.progress.dispatched == 2 && $0.next == nil })
        let first = try await ledger.statuses(states: [.sending], limit: 9).first { $0.record.id == Example.id(0) }
        #expect(first?.next == 0)
        #expect(try await ledger.noteStuck(Example.id(2), why: "tea", now: now))
        let (sending, watched) = try await (ledger.statuses(states: [.sending], limit: 9), ledger.watched())
        #expect(watched.map(\.id).sorted() == sending.map(\.record.id).sorted() && watched.filter(\.isStuck).map(\.id) == [Example.id(2)])
        for status in sending {
            let one = try #require(watched.first { $0.id == status.record.id })
            #expect(one.progress == status.progress && one.next == status.next)
            #expect(one.channel == status.record.mailing.channel && one.provider == status.record.mailing.provider)
        }
    }

    @Test(arguments: Engine.all) func feedsNothingOfAMailingThatIsPaused(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [1])
        _ = try await ledger.setState(id, to: .paused, from: [.sending], reason: .none, now: now)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now).isEmpty)
        _ = try await ledger.setState(id, to: .sending, from: [.paused], reason: .none, now: now)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now).count == 1)
    }

    @Test(arguments: Engine.all) func feedsRetriesWhenTheyAreDueWithTheirAttempts(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [4])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        let results = [sent(0), deferred(1, due: now + 500), deferred(2, attempts: 2, due: now + 900), failed(3)]
        let summary = try await ledger.write(groups: [resultGroup(closing: .done, results)], events: [], now: now)
        #expect(summary.closed == [BatchID(mailing: id, number: 0)])
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now + 499).isEmpty)
        let retry = try await ledger.dispatchBatches([(id, 1)], now: now + 600)
        #expect(retry.first?.open == [OpenRecipient(index: 1, attempts: 1)] && retry.first?.dispatchNumber == 2)
        _ = try await ledger.write(
            groups: [resultGroup(dispatchNumber: 2, closing: .done, [sent(1, attempts: 2)])], events: [], now: now)
        // An eighth of the wait later than it is due: who is due by then comes with it.
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now + 1_011).isEmpty)
        let last = try await ledger.dispatchBatches([(id, 1)], now: now + 1_012)
        #expect(last.first?.open == [OpenRecipient(index: 2, attempts: 2)])
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func neitherRetriesNorFirstAttemptsStarve(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: Array(repeating: 1, count: 12))
        _ = try await ledger.dispatchBatches([(id, 6)], now: now)
        _ = try await ledger.write(
            groups: (0..<6).map { resultGroup(batch: $0, closing: .done, [deferred(0, due: now + 10 - Int64($0))]) },
            events: [], now: now)
        let mixed = try await ledger.dispatchBatches([(id, 4)], now: now + 12)
        #expect(mixed.map(\.id.number) == [5, 4, 6, 7])
        let rest = try await ledger.dispatchBatches([(id, 20)], now: now + 12)
        #expect(rest.count == 8)
    }

    @Test(arguments: Engine.all) func dispatchesALostBatchAgain(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [3])
        let batch = BatchID(mailing: id, number: 0)
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        // What is known meanwhile is not handed out again.
        _ = try await ledger.write(groups: [resultGroup([sent(1)])], events: [], now: now)
        for (number, ended) in [(2, 0), (1, 1), (1, 0)] {
            #expect(try await ledger.takeBack([Dispatch(batch: batch, dispatchNumber: number)], now: now) == ended)
        }
        let next = try await ledger.dispatchBatches([(id, 1)], now: now)
        #expect(next.first?.dispatchNumber == 2 && next.first?.open?.map(\.index) == [0, 2])
    }

    @Test(arguments: Engine.all) func aDispatchEndsOnlyWhenEachOfItsRecipientsHasAResult(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [3])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        // The closing group overtakes the first one.
        var summary = try await ledger.write(
            groups: [resultGroup(sequence: 1, closing: .done, [deferred(2, due: now)])], events: [], now: now)
        #expect(summary.closed.isEmpty)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now + 1).isEmpty)
        summary = try await ledger.write(groups: [resultGroup([sent(0), sent(1)])], events: [], now: now)
        #expect(summary.closed.count == 1)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now + 1).first?.open?.map(\.index) == [2])
    }

    @Test(arguments: Engine.all) func aGroupThatRedisDidNotCountStandsInForNoOther(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [3])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        // A worker that lost the batch tells what it had sent after the batch was closed.
        let zombie = resultGroup(worker: "z", groups: 0, [sent(2)])
        let closing = resultGroup(worker: "v", closing: .released, groups: 2, [])
        var summary = try await ledger.write(groups: [closing, zombie], events: [], now: now)
        #expect(summary.closed.isEmpty && summary.over.isEmpty)
        // A copy that was offered again, and the original behind it: the group counts once it is known to.
        let first = resultGroup([sent(0)])
        summary = try await ledger.write(groups: [resultGroup(groups: 0, [sent(0)])], events: [], now: now)
        #expect(summary.closed.isEmpty)
        summary = try await ledger.write(groups: [first], events: [], now: now)
        #expect(summary.duplicates == 1 && summary.closed.count == 1)
        #expect(summary.over == [Dispatch(batch: BatchID(mailing: id, number: 0), dispatchNumber: 1)])
        // Written once more it changes nothing, and is still said to be over: Redis may not have heard it.
        summary = try await ledger.write(groups: [first], events: [], now: now)
        #expect(summary.closed.isEmpty && summary.over.count == 1)
    }

    @Test(arguments: Engine.all) func ofTwoCopiesTheOneThatClosesMayComeSecond(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [3])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        _ = try await ledger.write(groups: [resultGroup(groups: 0, [sent(0)])], events: [], now: now)
        let closing = resultGroup(closing: .released, groups: 1, [sent(0)])
        let summary = try await ledger.write(groups: [closing], events: [], now: now)
        #expect(summary.duplicates == 1 && summary.closed.count == 1)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now).first?.open?.map(\.index) == [1, 2])
    }

    @Test(arguments: Engine.all) func aReleasedRestIsDispatchedAgainOnceAllOfItsGroupsAreIn(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [3])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        // The second worker's, which took over from the first, is the third of them.
        let closing = resultGroup(worker: "v", closing: .released, groups: 3, [])
        _ = try await ledger.write(groups: [closing], events: [], now: now)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now).isEmpty)
        _ = try await ledger.write(groups: [resultGroup([sent(1)]), closing], events: [], now: now)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now).isEmpty)
        let last = try await ledger.write(groups: [resultGroup(sequence: 1, [])], events: [], now: now)
        #expect(last.closed == [BatchID(mailing: id, number: 0)])
        let next = try await ledger.dispatchBatches([(id, 1)], now: now)
        #expect(next.first?.open?.map(\.index) == [0, 2] && next.first?.dispatchNumber == 2)
        // A closing group of the dispatch before says nothing about this one.
        let late = try await ledger.write(groups: [resultGroup(worker: "x", closing: .done, [])], events: [], now: now)
        #expect(late.late == 1 && late.closed.isEmpty)
        #expect(try await ledger.openDispatches(of: [id])[id, default: []].count == 1)
    }

    @Test(arguments: Engine.all) func aGroupThatRedisDidNotCountReleasesNothing(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [2])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        let groups = [resultGroup([sent(0)]), resultGroup(sequence: 1, closing: .released, groups: 0, [])]
        #expect(try await ledger.write(groups: groups, events: [], now: now).closed.isEmpty)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now).isEmpty)
        #expect(try await ledger.takeBack([Dispatch(batch: groups[0].batch, dispatchNumber: 1)], now: now) == 1)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now).first?.open?.map(\.index) == [1])
    }

    @Test(arguments: Engine.all) func stoppingLeavesWhatIsWithTheWorkers(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [4, 2])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        var results = [sent(0), deferred(1, due: now + 9), sent(2)]
        results.append(RecipientResult(index: 3, state: .uncertain, attempts: 1, at: now))
        _ = try await ledger.setState(id, to: .stopped, from: [.sending], reason: .none, now: now)
        #expect(try await ledger.stopOpen(id, now: now) == 2)
        _ = try await ledger.write(groups: [resultGroup(closing: .done, results)], events: [], now: now)
        #expect(try await ledger.stopOpen(id, now: now) == 1)
        let report = try #require(try await ledger.report(id, now: now))
        #expect(report[.stopped] == 3 && report[.sent] == 2 && report[.uncertain] == 1 && report[.planned] == 0)
        #expect(report.balances)
        #expect(try await ledger.recount(id) == [])
        // A message that was on its way after all.
        _ = try await ledger.write(groups: [resultGroup(worker: "v", [sent(1)])], events: [], now: now)
        #expect(try await ledger.progress(id)?[.stopped] == 2)
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func expiresWhatIsOverdue(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [2, 1], mailing: Example.mailing(lifetime: 1))
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        _ = try await ledger.write(
            groups: [resultGroup(closing: .done, [sent(0), deferred(1, due: now + 9000)])], events: [], now: now)
        #expect(try await ledger.expireOverdue(id, now: now + 999) == 0)
        #expect(try await ledger.expireOverdue(id, now: now + 1000) == 2)
        let report = try #require(try await ledger.report(id, now: now))
        #expect(report[.expired] == 2 && report.failures == ["unknown": 1, "none": 1] && report.balances)
        #expect(report.deferrals.isEmpty)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now + 9000).isEmpty)
        #expect(try await ledger.recount(id) == [])
        // Late results still win, and take their reasons with them.
        _ = try await ledger.write(groups: [resultGroup(worker: "v", [sent(1)])], events: [], now: now)
        _ = try await ledger.write(groups: [resultGroup(batch: 1, worker: "v", [sent(0)])], events: [], now: now)
        #expect(try await ledger.report(id, now: now)?.failures == [:])
        #expect(try await ledger.recount(id) == [])
    }
}
