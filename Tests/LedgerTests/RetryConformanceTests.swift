import Foundation
import Model
import Synchronization
import TestServers
import Testing

@testable import Ledger

/// Who failed is sent to again by a person's order, and nobody else: the next round.
@Suite struct RetryConformanceTests {
    let id = Example.id()
    let now = Example.start
    let order = AuditNote(.retryFailed, actor: "ann")
    static let full = RetryFilter(reasons: [.full])

    static func full(_ index: Int, attempts: Int = 1, code: Int = 452, at: Int64 = Example.start) -> RecipientResult {
        RecipientResult(
            index: index, state: .failed, attempts: attempts, at: at,
            response: ProviderResponse(.full, .fail, about: .recipient, stage: .rcpt, code: code, text: "4.2.2 full"))
    }

    /// Batches of four, of each of which the first two failed as full, the third as unknown, and the fourth got it.
    private func ended(_ engine: Engine, _ folder: TemporaryFolder, batches: Int = 1) async throws -> any LedgerStore {
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: Array(repeating: 4, count: batches))
        _ = try await ledger.dispatchBatches([(id, batches)], now: now)
        _ = try await ledger.write(
            groups: (0..<batches).map {
                resultGroup(batch: $0, closing: .done, [Self.full(0), Self.full(1, attempts: 5), failed(2), sent(3)])
            }, events: [], now: now)
        #expect(try await ledger.complete([id], now: now) == [id])
        return ledger
    }

    @Test(arguments: Engine.all) func whoFailedForTheReasonIsSentToAgainAndNobodyElse(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await ended(engine, folder)
        let later = now + 7_200_000
        let dry = try await ledger.retriable(id, Self.full, now: later)
        #expect(dry.count == 2 && dry.round == nil)
        #expect(try await ledger.mailing(id)?.state == .sent)
        let done = try await ledger.retry(id, Self.full, note: order, now: later)
        #expect(done.count == 2 && done.round == 2 && done.mayHaveIt == 0 && done.interrupted == nil)
        #expect(try await ledger.recount(id) == [])
        let record = try #require(try await ledger.mailing(id))
        // The lifetime of an hour begins anew.
        #expect(record.state == .sending && record.finished == nil && record.expires == later + 3_600_000)
        #expect(try await ledger.expireOverdue(id, now: later + 3_599_999) == 0)
        let batch = try #require(try await ledger.dispatchBatches([(id, 9)], now: later + 1).first)
        #expect(batch.open == [OpenRecipient(index: 0, attempts: 0), OpenRecipient(index: 1, attempts: 0)])
        #expect(batch.dispatchNumber == 2 && batch.expires == later + 3_600_000)
        _ = try await ledger.write(
            groups: [resultGroup(dispatchNumber: 2, closing: .done, [sent(0, at: later + 2), Self.full(1, at: later + 2)])], events: [],
            now: later + 2)
        #expect(try await ledger.complete([id], now: later + 3) == [id])
        let report = try #require(try await ledger.report(id, now: later + 3))
        #expect(report.balances && report[.sent] == 2 && report[.failed] == 2 && report.failures == ["full": 1, "unknown_user": 1])
        #expect(report.rounds.map(\.number) == [1, 2] && report.rounds.map(\.recipients) == [4, 2])
        #expect(report.rounds[0].states == [.sent: 1, .failed: 3] && report.rounds[1].states == [.sent: 1, .failed: 1])
        #expect(report.rounds[1].actor == "ann" && report.rounds[1].reasons == "full" && report.rounds[1].at == later)
        #expect(try await ledger.rounds(id) == report.rounds)
        let person = try #require(try await ledger.recipient(id, "r0-1"))
        #expect(person.retried == [RetriedRecipient(round: 2, at: later, state: .failed)] && person.attempts == 1)
        let entry = try #require(try await ledger.audit(AuditFilter(), limit: 1).first)
        #expect(entry.order == "retry_failed" && entry.actor == "ann")
        #expect(entry.before == #"{"failed":3,"state":"sent"}"#)
        #expect(entry.after == #"{"failed":1,"reasons":"full","recipients":2,"round":2,"state":"sending"}"#)
        // A third round has the one who failed again.
        #expect(try await ledger.retry(id, Self.full, note: order, now: later + 9).round == 3)
        let rounds = try await ledger.rounds(id)
        #expect(rounds.map(\.states) == [[.sent: 1, .failed: 3], [.sent: 1, .failed: 1], [.planned: 1]])
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func choosesByReasonCodeTimeAndProvider(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [6])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        var one = resultGroup([Self.full(0, at: now + 10), Self.full(1, code: 552, at: now + 20), failed(2, at: now + 30)])
        one.provider = "first"
        var other = resultGroup(
            sequence: 1, closing: .done,
            [
                Self.full(3, at: now + 40), sent(4),
                RecipientResult(index: 5, state: .expired, attempts: 0, at: now + 50, response: nil),
            ])
        other.provider = "second"
        _ = try await ledger.write(groups: [one, other], events: [], now: now + 3_600_000)
        func count(_ filter: RetryFilter) async throws -> Int { try await ledger.retriable(id, filter, now: now + 60).count }
        #expect(try await count(Self.full) == 3)
        #expect(try await count(RetryFilter(codes: [552, 550])) == 2)
        #expect(try await count(RetryFilter(reasons: [.full], codes: [550])) == 0)
        #expect(try await count(RetryFilter(reasons: [.full, .unknownUser], since: now + 20)) == 3)
        #expect(try await count(RetryFilter(reasons: [.full, .unknownUser], since: now + 20, until: now + 39)) == 2)
        #expect(try await count(RetryFilter(reasons: [.full], provider: "first")) == 2)
        #expect(try await count(RetryFilter(reasons: [.full], provider: "third")) == 0)
        // Nobody answered for the one that expired without an attempt: that is no reason of a provider.
        #expect(try await count(RetryFilter(reasons: [.unknown])) == 0)
        #expect(try await ledger.retriable(id, Self.full, now: now + 15).count == 1)
        for filter in [RetryFilter(reasons: [.spam]), RetryFilter(reasons: [.full], provider: "third")] {
            let none = try await ledger.retry(id, filter, note: order, now: now + 60)
            #expect(none.count == 0 && none.round == nil)
        }
        #expect(try await ledger.audit(AuditFilter(), limit: 9).isEmpty)
        #expect(try await ledger.rounds(id).isEmpty)
    }

    @Test(arguments: Engine.all) func nobodyWhoMayHaveTheMessageIsSentToAgain(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [5], mailing: Example.mailing(uncertain: .hold))
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        _ = try await ledger.write(groups: [resultGroup(worker: "v", [uncertain(0), uncertain(1, due: now + 1)])], events: [], now: now)
        let closing = resultGroup(sequence: 1, closing: .done, (0..<5).map { Self.full($0) })
        _ = try await ledger.write(groups: [closing], events: [], now: now)
        let opened = RecipientEvent(batch: 0, index: 2, kind: .opened, at: now + 5)
        _ = try await ledger.write(groups: [], events: [EventGroup(mailing: id, events: [opened])], now: now + 5)
        _ = try await ledger.erase(ErasedPerson(["p0-3@example.com"]), note: nil, now: now + 6)
        let done = try await ledger.retry(id, Self.full, note: order, now: now + 9)
        #expect(done.count == 1 && done.mayHaveIt == 3 && done.erased == 1)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now + 9).first?.open?.map(\.index) == [4])
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func whatComesLateOfTheRoundBeforeChangesNothingButThatItArrived(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await ended(engine, folder)
        #expect(try await ledger.retry(id, Self.full, note: order, now: now + 100).count == 2)
        // Another worker had the batch, too.
        let late = [Self.full(0, attempts: 9, at: now + 200), deferred(1, attempts: 9, due: now + 9999, at: now + 200)]
        _ = try await ledger.write(groups: [resultGroup(worker: "v", late)], events: [], now: now + 200)
        #expect(try await ledger.recipient(id, "r0-0")?.state == .planned)
        #expect(try await ledger.recount(id) == [])
        let batch = try #require(try await ledger.dispatchBatches([(id, 1)], now: now + 200).first)
        #expect(batch.open == [OpenRecipient(index: 0, attempts: 0), OpenRecipient(index: 1, attempts: 0)])
        let last = resultGroup(worker: "v", sequence: 1, [Self.full(0, at: now + 300), sent(1, at: now + 300)])
        _ = try await ledger.write(groups: [last], events: [], now: now + 300)
        let closing = resultGroup(dispatchNumber: 2, closing: .done, [Self.full(0, at: now + 400), Self.full(1, at: now + 400)])
        #expect(try await ledger.write(groups: [closing], events: [], now: now + 400).closed.count == 1)
        // Who has the message by the earlier attempt is sent to no more.
        #expect(try await ledger.progress(id)?[.sent] == 2)
        #expect(try await ledger.retriable(id, Self.full, now: now + 500).count == 1)
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func aMessageThatCameBackIsSentAgainOnceForEachOrder(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await ended(engine, folder)
        func bounce(at time: Int64) -> ProviderReceipt {
            var receipt = ProviderReceipt(.bounced, word: "full")
            (receipt.time, receipt.arrived) = (time, time)
            receipt.messageID = BatchID(mailing: id, number: 0).message(3)
            receipt.detail = "552 5.2.2 full"
            receipt.webhook = ProviderReceipt.returnedMail
            return receipt
        }
        let day: Int64 = 86_400_000
        _ = try await ledger.write(receipts: [bounce(at: now + day)], letters: [], now: now + day)
        #expect(try await ledger.recipient(id, "r0-3")?.state == .failed)
        #expect(try await ledger.retry(id, RetryFilter(reasons: [.full], since: now + day), note: order, now: now + 2 * day).count == 1)
        #expect(try await ledger.recount(id) == [])
        // The same bounce once more, and one more of the message of before.
        _ = try await ledger.write(receipts: [bounce(at: now + day), bounce(at: now + day + 5000)], letters: [], now: now + 2 * day + 1)
        #expect(try await ledger.recipient(id, "r0-3")?.state == .planned)
        let batch = try #require(try await ledger.dispatchBatches([(id, 1)], now: now + 2 * day).first)
        #expect(batch.open?.map(\.index) == [3])
        let closing = resultGroup(dispatchNumber: 2, closing: .done, [sent(3, at: now + 2 * day)])
        _ = try await ledger.write(groups: [closing], events: [], now: now + 2 * day)
        #expect(try await ledger.recipient(id, "r0-3")?.state == .sent)
        #expect(try await ledger.recount(id) == [])
        _ = try await ledger.write(receipts: [bounce(at: now + 3 * day)], letters: [], now: now + 3 * day)
        #expect(try await ledger.recipient(id, "r0-3")?.state == .failed)
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func stoppedPrunedAndUnknownMailingsAreRefusedAndAPausedOneWaits(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [2])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        _ = try await ledger.write(groups: [resultGroup(closing: .done, [Self.full(0), Self.full(1)])], events: [], now: now)
        #expect(try await ledger.complete([id], now: now) == [id])
        // Nobody was sent to.
        #expect(try await ledger.mailing(id)?.state == .failed)
        _ = try await ledger.retry(id, Self.full, note: order, now: now + 1)
        let again = try #require(try await ledger.mailing(id))
        #expect(again.state == .sending && again.reason.isEmpty)
        _ = try await ledger.setState(id, to: .paused, from: [.sending], reason: .none, now: now)
        _ = try await ledger.write(groups: [resultGroup(dispatchNumber: 2, [sent(0)])], events: [], now: now + 2)
        #expect(try await ledger.retry(id, Self.full, note: order, now: now + 3).count == 0)
        #expect(try await ledger.mailing(id)?.state == .paused)
        _ = try await ledger.setState(id, to: .stopped, from: [.paused], reason: .none, now: now + 4)
        await #expect(throws: LedgerError.self) { try await ledger.retry(id, Self.full, note: order, now: now + 5) }
        await #expect(throws: LedgerError.self) { try await ledger.retriable(id, Self.full, now: now + 5) }
        await #expect(throws: LedgerError.self) { try await ledger.retry(Example.id(7), Self.full, note: order, now: now + 5) }
        #expect(try await ledger.stopOpen(id, now: now + 6) == 1)
        #expect(try await ledger.recount(id) == [])
        #expect(try await ledger.rounds(id).map(\.states) == [[.failed: 2], [.sent: 1, .stopped: 1]])
        let rule = RetentionRule(cutoff: now + 9999)
        _ = try await ledger.prune(id, rule, note: nil, now: now + 9999)
        #expect(try await ledger.rounds(id).map(\.states) == [[:], [.sent: 1, .stopped: 1]])
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func twoAtTheSameMomentDoubleNobody(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await ended(engine, folder, batches: 40)
        let counts = try await withThrowingTaskGroup(of: Int.self) { group in
            for actor in ["ann", "bob", "eve"] {
                group.addTask { try await ledger.retry(id, Self.full, note: AuditNote(.retryFailed, actor: actor), now: now + 5).count }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(counts.sorted() == [0, 0, 80])
        let rounds = try await ledger.rounds(id)
        #expect(rounds.map(\.recipients) == [160, 80])
        #expect(try await ledger.recount(id) == [])
    }

    /// The command is killed within a later step: what was done is whole, and the next call does the rest.
    @Test(arguments: Engine.all) func aCommandThatIsKilledIsGivenAgain(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let count = 4100
        let ledger = try #require(try await engine.open(folder) as? SQLLedger)
        try await Example.plan(ledger, batches: [count, count])
        _ = try await ledger.dispatchBatches([(id, 2)], now: now)
        for batch in 0..<2 {
            let results = (0..<count).map { Self.full($0) }
            _ = try await ledger.write(groups: [resultGroup(batch: batch, closing: .done, results)], events: [], now: now)
        }
        let killed = KilledEngine(ledger.engine)
        let command = SQLLedger(killed)
        var done = 0
        for statements in [3, 12, 19, 27] {
            killed.left.withLock { $0 = statements }
            if let selection = try? await command.retry(id, Self.full, note: order, now: now + 1) { done += selection.count }
            #expect(try await ledger.recount(id) == [])
        }
        killed.left.withLock { $0 = nil }
        _ = try await command.retry(id, Self.full, note: order, now: now + 1)
        #expect(try await ledger.progress(id)?[.planned] == 2 * count)
        #expect(try await ledger.rounds(id).dropFirst().reduce(0) { $0 + $1.recipients } == 2 * count)
        #expect(try await ledger.recount(id) == [])
    }
}
