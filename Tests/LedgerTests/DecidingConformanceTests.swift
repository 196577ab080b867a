import Foundation
import Ledger
import Model
import TestServers
import Testing

@Suite struct DecidingConformanceTests {
    let id = Example.id()
    let now = Example.start

    /// A mailing of batches of three, of each of which the first two recipients are held and the third got it.
    private func held(
        _ engine: Engine, _ folder: TemporaryFolder, batches: Int = 1, lifetime: Double = 3600
    ) async throws -> any LedgerStore {
        let ledger = try await engine.open(folder)
        try await Example.plan(
            ledger, batches: Array(repeating: 3, count: batches), mailing: Example.mailing(lifetime: lifetime))
        _ = try await ledger.dispatchBatches([(id, batches)], now: now)
        _ = try await ledger.write(
            groups: (0..<batches).map {
                resultGroup(batch: $0, closing: .done, [uncertain(0), uncertain(1, attempts: 3, at: now + 2000), sent(2)])
            }, events: [], now: now)
        return ledger
    }

    @Test(arguments: Engine.all) func sendsAgainToThoseNamed(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await held(engine, folder)
        let done = try await ledger.decide(
            id, recipients: ["P0-0@Example.com", "r0-1", "p0-2@example.com", "nobody", "nobody"], as: .resend, now: now + 5)
        #expect(done.count == 2 && done.notHeld == ["p0-2@example.com", "nobody"])
        let batch = try #require(try await ledger.dispatchBatches([(id, 1)], now: now + 6).first)
        #expect(batch.open == [OpenRecipient(index: 0, attempts: 1), OpenRecipient(index: 1, attempts: 3)])
        let report = try #require(try await ledger.report(id, now: now))
        #expect(report.uncertain.listed == 2 && report.uncertain.held == 0 && report.uncertain.redelivered == 2)
        let person = try #require(try await ledger.recipient(id, "r0-0"))
        #expect(person.uncertain.map(\.settled) == [now + 5] && person.uncertain.map(\.outcome) == [.resend])
        #expect(person.state == .planned && person.lastAnswer == nil)
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func whatWasDecidedIsNotAskedAgain(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await held(engine, folder)
        #expect(try await ledger.decide(id, recipients: nil, as: .resend, now: now + 5).count == 2)
        // The same report by another worker, and one of a dispatch before.
        _ = try await ledger.write(groups: [resultGroup(worker: "v", [uncertain(0), uncertain(1)])], events: [], now: now)
        _ = try await ledger.write(groups: [resultGroup(dispatchNumber: 0, worker: "v", [uncertain(0)])], events: [], now: now)
        #expect(try await ledger.progress(id)?[.planned] == 2)
        // A later dispatch in which it happens again is a new question.
        _ = try await ledger.dispatchBatches([(id, 1)], now: now + 6)
        let again = resultGroup(dispatchNumber: 2, closing: .done, [uncertain(0, at: now + 7), sent(1, attempts: 4)])
        #expect(try await ledger.write(groups: [again], events: [], now: now).closed.count == 1)
        let list = try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 9)
        #expect(list.map(\.index) == [0, 0, 0, 1] && list.map(\.listing.dispatchNumber) == [0, 1, 2, 1])
        let waiting = try await ledger.uncertain(id, onlyHeld: true, after: nil, limit: 9)
        // The report of the dispatch before came after the decision; it waits with the new question.
        #expect(Set(waiting.map(\.index)) == [0])
        #expect(try await ledger.decide(id, recipients: nil, as: .sent, now: now + 9).count == 1)
        #expect(try await ledger.progress(id)?.isComplete == true)
        #expect(try await ledger.setState(id, to: .sent, from: [.sending], reason: .none, now: now))
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func settlesByHandWithCountersReasonsAndTimeline(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await held(engine, folder)
        #expect(try await ledger.decide(id, recipients: ["r0-0"], as: .failed, now: now + 90_000).count == 1)
        #expect(try await ledger.decide(id, recipients: ["r0-1"], as: .sent, now: now + 90_000).count == 1)
        var report = try #require(try await ledger.report(id, now: now))
        #expect(report[.failed] == 1 && report[.sent] == 2 && report[.uncertain] == 0 && report.balances)
        #expect(report.failures == ["none": 1] && report.responses.map(\.text) == ["settled by hand"])
        // It shows when the messages were in flight, not when somebody decided.
        #expect(report.timeline.map(\.sent) == [1, 1] && report.timeline.map(\.failed) == [1, 0])
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now + 99_000).isEmpty)
        #expect(try await ledger.recount(id) == [])
        // The dead worker's own responses come after all.
        _ = try await ledger.write(groups: [resultGroup(worker: "a", [sent(0), failed(1)])], events: [], now: now)
        report = try #require(try await ledger.report(id, now: now))
        #expect(report[.failed] == 0 && report[.sent] == 3 && report.failures == [:])
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func sendsNothingOfAMailingThatIsOver(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await held(engine, folder, lifetime: 60)
        await #expect(throws: LedgerError.self) {
            try await ledger.decide(id, recipients: nil, as: .resend, now: now + 60_000)
        }
        _ = try await ledger.setState(id, to: .stopped, from: [.sending], reason: .none, now: now)
        await #expect(throws: LedgerError.self) { try await ledger.decide(id, recipients: nil, as: .resend, now: now + 1) }
        await #expect(throws: LedgerError.self) {
            try await ledger.decide(Example.id(7), recipients: nil, as: .sent, now: now + 1)
        }
        #expect(try await ledger.progress(id)?[.uncertain] == 2)
        #expect(try await ledger.decide(id, recipients: nil, as: .failed, now: now + 60_000).count == 2)
        #expect(try await ledger.decide(id, recipients: nil, as: .failed, now: now + 60_000).count == 0)
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func aBatchThatIsWithTheWorkersFeedsTheRestLater(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [2])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        _ = try await ledger.write(groups: [resultGroup([uncertain(0)])], events: [], now: now)
        #expect(try await ledger.decide(id, recipients: nil, as: .resend, now: now).count == 1)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now).isEmpty)
        #expect(try await ledger.recount(id) == [])
        let closing = resultGroup(sequence: 1, closing: .done, [sent(1)])
        #expect(try await ledger.write(groups: [closing], events: [], now: now).closed.count == 1)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: now).first?.open?.map(\.index) == [0])
    }

    @Test(arguments: Engine.all) func listsPageByPageAndDecidesInSteps(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await held(engine, folder, batches: 120)
        _ = try await ledger.write(
            groups: [resultGroup(batch: 7, worker: "v", [sent(0), uncertain(1, due: now + 1)])], events: [], now: now)
        func pages(onlyHeld: Bool, of limit: Int) async throws -> [UncertainRecipient] {
            var all: [UncertainRecipient] = []
            while true {
                let page = try await ledger.uncertain(id, onlyHeld: onlyHeld, after: all.last, limit: limit)
                #expect(page.count <= limit)
                if page.isEmpty { return all }
                all += page
            }
        }
        let all = try await pages(onlyHeld: false, of: 7)
        let whole = try await ledger.uncertain(id, onlyHeld: false, after: nil, limit: 1000)
        #expect(all.count == 241 && all == whole)
        let first = try #require(all.first)
        #expect(first.id == "r0-0" && first.address == "p0-0@example.com" && first.state == .uncertain)
        #expect(first.listing.at == now && first.listing.isHeld && first.listing.worker == "w")
        #expect(first.listing.why == "worker w died with it in flight" && first.listing.outcome == nil)
        let held = try await pages(onlyHeld: true, of: 100)
        #expect(held.count == 239 && !held.contains { $0.batch == 7 && $0.index == 0 })
        let report = try #require(try await ledger.report(id, now: now))
        #expect(report.uncertain.listed == 240 && report.uncertain.held == 239 && report.uncertain.redelivered == 0)
        let object = try #require(try JSONSerialization.jsonObject(with: report.json()) as? [String: Any])
        #expect(object["uncertain"] as? [String: Int] == ["listed": 240, "held": 239, "redelivered": 0, "unresolved": 0])
        #expect(try await ledger.decide(id, recipients: nil, as: .sent, now: now).count == 239)
        #expect(try await pages(onlyHeld: true, of: 9).isEmpty)
        #expect(try await ledger.progress(id)?[.sent] == 360)
        #expect(try await ledger.recount(id) == [])
    }
}
