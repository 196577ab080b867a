import Ledger
import Model
import TestServers
import Testing

/// Who is suppressed after the plan is skipped at the dispatch.
@Suite struct SkippingConformanceTests {
    private let start = Example.start

    private func suppress(_ ledger: any LedgerStore, _ addresses: [String], _ category: String = "", expires: Int64? = nil) async throws {
        _ = try await ledger.suppress(
            addresses.map { SuppressionConformanceTests.one($0, category, reason: .complaint, at: start, expires: expires) }, audit: nil,
            now: start)
    }

    /// Plans a mailing that knows the list as it is.
    private func plan(_ ledger: any LedgerStore, _ number: Int = 0, category: String? = nil, batches: [Int]) async throws -> MailingID {
        var mailing = Example.mailing()
        mailing.category = category
        let id = Example.id(number)
        try await ledger.create(id, mailing: mailing, source: nil, origin: "", state: .scheduled, now: start)
        var step = PlanStep(mailing: id, ending: .whole)
        step.suppressionRevision = try await ledger.suppressionList().revision
        step.batches = batches.enumerated().map { number, count in
            PlannedBatch(number: number, recipients: Example.recipients(batch: number, count: count))
        }
        #expect(try await ledger.writePlan([step], now: start).isEmpty)
        return id
    }

    @Test(arguments: Engine.all) func theyAreEndedWithTheirReasonAndNotDispatched(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = try await plan(ledger, batches: [3, 2])
        try await suppress(ledger, ["p0-1@example.com", "p1-0@example.com", "p1-1@example.com", "nobody@example.com"])
        let batches = try await ledger.dispatchBatches([(id, 9)], now: start)
        #expect(batches.map(\.id.number) == [0] && batches[0].open?.map(\.index) == [0, 2])
        let progress = try #require(try await ledger.progress(id))
        #expect(progress[.skipped] == 3 && progress[.planned] == 2 && progress.balances)
        let skipped = try await ledger.skipped(id, after: nil, limit: 2)
        #expect(skipped.map(\.address) == ["p0-1@example.com", "p1-0@example.com"] && skipped.map(\.id) == ["r0-1", "r1-0"])
        #expect(skipped[0].reason == .suppressed && skipped[0].detail == "complaint, for all mailings, since 2023-11-14")
        #expect(try await ledger.skipped(id, after: skipped.last, limit: 2).map(\.address) == ["p1-1@example.com"])
        #expect(try await ledger.recipient(id, "p0-1@example.com")?.skipped == skipped[0])
        _ = try await ledger.write(groups: [resultGroup(closing: .done, [sent(0), sent(2)])], events: [], now: start)
        #expect(try await ledger.complete([id], now: start) == [id])
        let report = try #require(try await ledger.report(id, now: start))
        #expect(report.state == .sent && report.skipped == [.suppressed: 3] && report.balances)
        #expect(try await ledger.recount(id).isEmpty)
        // A pruned mailing keeps their number only.
        let later = start + 10 * 86_400_000
        let rule = RetentionRule(keeping: .seconds(86_400), now: later)
        #expect(try await ledger.prune(id, rule, note: AuditNote(.prune, actor: "ann"), now: later) == 5)
        #expect(try await ledger.skipped(id, after: nil, limit: 9).isEmpty)
        #expect(try await ledger.report(id, now: later)?.skipped == [.suppressed: 3])
    }

    @Test(arguments: Engine.all) func whomAWorkerDidNotStartIsSkippedToo(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = try await plan(ledger, batches: [3])
        #expect(try await ledger.dispatchBatches([(id, 9)], now: start).count == 1)
        let why = "unsubscribe, for all mailings, before it was started"
        let skip = RecipientResult(
            index: 1, state: .skipped, attempts: 0, at: start,
            response: ProviderResponse(.policy, .fail, about: .recipient, stage: .connect, code: 0, text: why))
        _ = try await ledger.write(groups: [resultGroup(closing: .done, [sent(0), skip, sent(2)])], events: [], now: start)
        #expect(try await ledger.complete([id], now: start) == [id])
        let report = try #require(try await ledger.report(id, now: start))
        #expect(report.state == .sent && report.skipped == [.suppressed: 1] && report.balances && report.failures.isEmpty)
        #expect(try await ledger.skipped(id, after: nil, limit: 2).map(\.detail) == [why])
        #expect(try await ledger.recipient(id, "p0-1@example.com")?.skipped?.detail == why)
        #expect(try await ledger.recount(id).isEmpty)
    }

    /// A planner that takes a plan up again knows a newer list; the batches of before do not.
    @Test(arguments: Engine.all) func aPlanIsAsOldAsItsFirstStep(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = Example.id()
        try await ledger.create(id, mailing: Example.mailing(), source: nil, origin: "", state: .scheduled, now: start)
        for number in 0..<2 {
            var step = PlanStep(mailing: id, ending: number == 1 ? .whole : .more)
            step.suppressionRevision = try await ledger.suppressionList().revision
            step.batches = [PlannedBatch(number: number, recipients: Example.recipients(batch: number, count: 2))]
            #expect(try await ledger.writePlan([step], now: start).isEmpty)
            if number == 0 { try await suppress(ledger, ["p0-1@example.com"]) }
        }
        #expect(try await ledger.dispatchBatches([(id, 9)], now: start).map { $0.open?.map(\.index) } == [[0], nil])
    }

    @Test(arguments: Engine.all) func aMailingOfWhichAllAreSkippedSaysSo(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = try await plan(ledger, batches: [1])
        try await suppress(ledger, ["p0-0@example.com"])
        #expect(try await ledger.dispatchBatches([(id, 9)], now: start).isEmpty)
        _ = try await ledger.complete([id], now: start)
        let record = try #require(try await ledger.mailing(id))
        #expect(record.state == .failed && record.stateReason.kind == .nobody && record.reason.contains("1 skipped"))
    }

    /// A message may have reached them before they were suppressed.
    @Test(arguments: Engine.all) func whoWasUncertainBeforeMayHaveBeenReached(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = try await plan(ledger, batches: [3, 1])
        let dispatched = try await ledger.dispatchBatches([(id, 1)], now: start)[0]
        let lost = Dispatch(batch: dispatched.id, dispatchNumber: dispatched.dispatchNumber)
        #expect(try await ledger.giveUp([lost], why: "killed", started: [lost: [0, 1]], now: start).listed == 2)
        try await suppress(ledger, (0..<3).map { "p0-\($0)@example.com" } + ["p1-0@example.com"])
        #expect(try await ledger.dispatchBatches([(id, 9)], now: start).isEmpty)
        let counts = UncertainCounts(listed: 2, held: 0, redelivered: 0, unresolved: 2)
        #expect(try await ledger.report(id, now: start)?.uncertain == counts)
        #expect(try await ledger.complete([id], now: start) == [id])
        let record = try #require(try await ledger.mailing(id))
        #expect(record.state == .failed && record.reason.contains("2 of them may have had a message"))
        #expect(try await ledger.recount(id).isEmpty)
        #expect(try await ledger.reached(by: id, after: -1, limit: 9).map(\.places) == [[0, 1], []])
        // Its totals tell the same when it is pruned.
        let later = start + 10 * 86_400_000
        _ = try await ledger.prune(id, RetentionRule(keeping: .seconds(86_400), now: later), note: nil, now: later)
        #expect(try await ledger.report(id, now: later)?.uncertain == counts)
    }

    /// Of a mailing of which all were skipped, results come after all.
    @Test(arguments: Engine.all) func aLateAcceptanceIsNoFailure(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = try await plan(ledger, batches: [2])
        let dispatched = try await ledger.dispatchBatches([(id, 1)], now: start)[0]
        let lost = Dispatch(batch: dispatched.id, dispatchNumber: dispatched.dispatchNumber)
        #expect(try await ledger.giveUp([lost], why: "lost", now: start).listed == 2)
        try await suppress(ledger, ["p0-0@example.com", "p0-1@example.com"])
        #expect(try await ledger.dispatchBatches([(id, 9)], now: start).isEmpty)
        _ = try await ledger.complete([id], now: start)
        #expect(try await ledger.mailing(id)?.state == .failed)
        _ = try await ledger.write(groups: [resultGroup([sent(0)])], events: [], now: start + 5)
        let record = try #require(try await ledger.mailing(id))
        #expect(record.state == .sent && record.reason.isEmpty)
        let report = try #require(try await ledger.report(id, now: start))
        #expect(report[.sent] == 1 && report[.skipped] == 1 && report.balances)
        #expect(report.uncertain == UncertainCounts(listed: 2, held: 0, redelivered: 0, unresolved: 1))
        #expect(try await ledger.recount(id).isEmpty)
    }

    @Test(arguments: Engine.all) func onlyWhatIsNewOfTheirCategoryAndInForceCounts(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        // Known when it was planned: the planner looked at it.
        try await suppress(ledger, ["p0-0@example.com"])
        let id = try await plan(ledger, category: "news", batches: [5])
        try await suppress(ledger, ["p0-1@example.com"], "offers")
        try await suppress(ledger, ["p0-2@example.com"], "news")
        try await suppress(ledger, ["p0-3@example.com"], expires: start + 10)
        let batches = try await ledger.dispatchBatches([(id, 9)], now: start + 10)
        #expect(batches.first?.open?.map(\.index) == [0, 1, 3, 4])
        #expect(try await ledger.skipped(id, after: nil, limit: 9).map(\.detail) == ["complaint, for news, since 2023-11-14"])
        let without = try await plan(ledger, 1, batches: [5])
        try await suppress(ledger, ["p0-4@example.com"], "news")
        #expect(try await ledger.dispatchBatches([(without, 9)], now: start).first?.open == nil)
    }

    /// An older release kept quotation marks that are not needed; whoever is suppressed today is known without them.
    @Test(arguments: Engine.all) func addressesOfAnOlderReleaseAreFoundByTheKeysOfToday(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = Example.id()
        try await ledger.create(id, mailing: Example.mailing(), source: nil, origin: "", state: .scheduled, now: start)
        var recipients = Recipients(width: 3)
        for (row, address) in ["\"ann\"@example.com", "\"bob lee\"@example.com", "\"c\\y\"@example.com"].enumerated() {
            recipients.append(row: ["\(row)", address, ""])
        }
        var step = PlanStep(mailing: id, ending: .whole)
        step.suppressionRevision = try await ledger.suppressionList().revision
        step.batches = [PlannedBatch(number: 0, recipients: recipients)]
        #expect(try await ledger.writePlan([step], now: start).isEmpty)
        try await suppress(ledger, ["ann@example.com", "\"bob lee\"@example.com", "cy@example.com"])
        #expect(try await ledger.dispatchBatches([(id, 9)], now: start).isEmpty)
        #expect(try await ledger.skipped(id, after: nil, limit: 9).count == 3)
    }

    @Test(arguments: Engine.all) func retriesAreLookedAtAgainAndALateResultWins(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        let id = try await plan(ledger, batches: [3])
        #expect(try await ledger.dispatchBatches([(id, 9)], now: start).count == 1)
        _ = try await ledger.write(
            groups: [resultGroup(closing: .done, [sent(0), deferred(1, due: start + 10), deferred(2, due: start + 10)])], events: [],
            now: start)
        try await suppress(ledger, ["p0-1@example.com", "p0-0@example.com"])
        let later = start + 60_000
        #expect(try await ledger.dispatchBatches([(id, 9)], now: later).first?.open?.map(\.index) == [2])
        let progress = try #require(try await ledger.progress(id))
        #expect(progress[.sent] == 1 && progress[.skipped] == 1 && progress[.deferred] == 1 && progress.balances)
        #expect(try await ledger.recount(id).isEmpty)
        // A worker that was thought lost had sent it.
        _ = try await ledger.write(groups: [resultGroup(worker: "late", [sent(1, attempts: 2)])], events: [], now: later)
        #expect(try await ledger.progress(id)?[.sent] == 2)
        #expect(try await ledger.skipped(id, after: nil, limit: 9).isEmpty)
        #expect(try await ledger.recount(id).isEmpty)
        // A skip may come as a result, too.
        let skip = RecipientResult(index: 2, state: .skipped, attempts: 1, at: later)
        _ = try await ledger.write(groups: [resultGroup(worker: "newer", [skip])], events: [], now: later)
        #expect(try await ledger.progress(id)?[.skipped] == 1)
        #expect(try await ledger.recount(id).isEmpty)
    }
}
