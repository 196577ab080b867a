import Ledger
import Model
import TestServers
import Testing

@Suite struct UncertainConformanceTests {
    let id = Example.id()
    let now = Example.start

    @Test(arguments: Engine.all) func oneThatIsSentAgainIsListedAndStillAwaited(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [2])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        let listing = resultGroup(worker: "v", [uncertain(0, attempts: 2, due: now + 1)])
        var summary = try await ledger.write(
            groups: [listing, resultGroup(worker: "v", sequence: 1, closing: .done, [sent(1)])], events: [], now: now)
        #expect(summary.moved == [.sent: 1] && summary.closed.isEmpty)
        #expect(try await ledger.progress(id)?[.planned] == 1)
        #expect(try await ledger.recipient(id, "r0-0")?.attempts == 2)
        summary = try await ledger.write(
            groups: [resultGroup(worker: "v", sequence: 2, [sent(0, attempts: 1)])], events: [], now: now)
        #expect(summary.closed.count == 1)
        #expect(try await ledger.recipient(id, "r0-0")?.attempts == 2)
        #expect(try await ledger.recount(id) == [])
    }

    /// A provider that takes each message and answers too late: the second copy is the last one.
    @Test(arguments: Engine.all) func nobodyIsSentAThirdCopyWithoutAQuestion(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [2])
        for dispatch in 1...2 {
            #expect(try await ledger.dispatchBatches([(id, 1)], now: now + Int64(dispatch)).count == 1)
            let results = [uncertain(0, attempts: dispatch, due: now + 1, missed: .timedOut), deferred(0, due: now + 1)]
            let group = resultGroup(
                dispatchNumber: dispatch, worker: "w\(dispatch)", closing: .done, dispatch == 1 ? results + [sent(1)] : results)
            // A group may be written twice.
            for _ in 0..<2 { _ = try await ledger.write(groups: [group], events: [], now: now) }
            #expect(try await ledger.progress(id)?[dispatch == 1 ? .deferred : .uncertain] == 1)
        }
        #expect(try await ledger.dispatchBatches([(id, 9)], now: now + 99).isEmpty)
        let list = try await ledger.uncertain(id, onlyHeld: true, after: nil, limit: 9)
        #expect(list.map(\.index) == [0] && list.first?.listing.why.contains("no third one") == true)
        #expect(try await ledger.recount(id) == [])
    }

    /// A server that ends kept connections without a word may never have seen the message.
    @Test(arguments: Engine.all, [MissedResponse.connectionEnded, .workerEnded])
    func whoeverIsOnTheListForAConnectionThatEndedIsSentToAgain(engine: Engine, missed: MissedResponse) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [1])
        for dispatch in 1...4 {
            #expect(try await ledger.dispatchBatches([(id, 1)], now: now + Int64(dispatch)).count == 1)
            // One time-out among them is no second one.
            let results = [
                uncertain(0, attempts: dispatch, due: now + 1, missed: dispatch == 2 ? .timedOut : missed), deferred(0, due: now + 1),
            ]
            _ = try await ledger.write(
                groups: [resultGroup(dispatchNumber: dispatch, closing: .done, results)], events: [], now: now)
            #expect(try await ledger.progress(id)?[.deferred] == 1)
        }
        #expect(try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 9).count == 4)
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func aHeldRecipientIsNotDispatchedAgainUnlessItsResponseComesAfterAll(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [3])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        let results = [uncertain(0), deferred(1, due: now + 1), sent(2)]
        let summary = try await ledger.write(groups: [resultGroup(closing: .done, results)], events: [], now: now)
        #expect(summary.moved == [.uncertain: 1, .deferred: 1, .sent: 1] && summary.closed.count == 1)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now + 1).first?.open?.map(\.index) == [1])
        // The response that its dead worker had: a deferral decides nothing, an acceptance does.
        _ = try await ledger.write(groups: [resultGroup(worker: "a", [deferred(0, due: now + 1)])], events: [], now: now)
        #expect(try await ledger.progress(id)?[.uncertain] == 1)
        _ = try await ledger.write(groups: [resultGroup(worker: "b", [sent(0)])], events: [], now: now)
        #expect(try await ledger.progress(id)?[.uncertain] == 0)
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func aDispatchGivenUpListsWhoIsAwaited(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let other = Example.id(1)
        try await Example.plan(ledger, batches: [3])
        try await Example.plan(ledger, other, batches: [3], mailing: Example.mailing(uncertain: .hold))
        let taken = try await ledger.dispatchBatches([(id, 1), (other, 1)], now: now)
        let dispatches = taken.map { Dispatch(batch: $0.id, dispatchNumber: $0.dispatchNumber) }
        _ = try await ledger.write(
            groups: [resultGroup([sent(0)]), resultGroup(mailing: other, [deferred(0, due: now + 1), sent(1)])], events: [], now: now)
        let lost = try await ledger.giveUp(dispatches, why: "Redis is new", now: now)
        #expect(lost.batches == 2 && lost.listed == 3)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now).first?.open?.map(\.index) == [1, 2])
        #expect(try await ledger.progress(id)?[.uncertain] == 0)
        #expect(try await ledger.progress(other)?[.uncertain] == 1)
        let retry = try await ledger.dispatchBatches([(other, 9)], now: now + 1)
        #expect(retry.map(\.id) == [taken[1].id] && retry.first?.open?.map(\.index) == [0])
        // Under this dispatch number only the deferred one is awaited; held, it waits for no further attempt.
        let again = Dispatch(batch: taken[1].id, dispatchNumber: 2)
        #expect(try await ledger.giveUp([again], why: "again", now: now).listed == 1)
        #expect(try await ledger.dispatchBatches([(other, 9)], now: now + 99).isEmpty)
        let report = try #require(try await ledger.report(other, now: now))
        #expect(report[.uncertain] == 2 && report[.deferred] == 0 && report.deferrals.isEmpty && report.balances)
        for mailing in [id, other] { #expect(try await ledger.recount(mailing) == []) }
    }
}
