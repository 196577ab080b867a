import Foundation
import Ledger
import Model
import TestServers
import Testing

@Suite struct ResultConformanceTests {
    let id = Example.id()
    let now = Example.start

    @Test(arguments: Engine.all) func writingTwiceChangesNothing(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [3])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        let groups = [
            resultGroup([sent(0), failed(1)]), resultGroup(sequence: 1, closing: .done, [deferred(2, due: now + 5)]),
        ]
        let events = [EventGroup(mailing: id, events: [RecipientEvent(batch: 0, index: 0, kind: .opened, at: 7)])]
        let first = try await ledger.write(groups: groups, events: events, now: now)
        #expect(first.moved == [.sent: 1, .failed: 1, .deferred: 1] && first.events == 1 && first.duplicates == 0)
        let report = try await ledger.report(id, now: now)
        let second = try await ledger.write(groups: groups, events: events, now: now)
        #expect(second.moved == [:] && second.events == 0 && second.duplicates == 2)
        #expect(try await ledger.report(id, now: now) == report)
        #expect(try await ledger.recount(id) == [])
    }

    /// A worker's time comes through Redis, where another program may have written it.
    @Test(arguments: Engine.all) func nobodyExpiresBeforeTheTimeOfTheLedger(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [2])
        func expired(_ dispatch: Int, at: Int64) -> ResultGroup {
            let results = [0, 1].map { RecipientResult(index: $0, state: .expired, attempts: 0, at: at) }
            return resultGroup(dispatchNumber: dispatch, closing: .done, results)
        }
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        #expect(try await ledger.write(groups: [expired(1, at: now)], events: [], now: now).early == 2)
        #expect(try await ledger.progress(id)?[.deferred] == 2)
        #expect(try await ledger.recount(id) == [])
        let again = try #require(try await ledger.dispatchBatches([(id, 1)], now: now + 1).first)
        #expect(again.dispatchNumber == 2 && again.open?.count ?? 2 == 2)
        // The worker's clock is ahead of the ledger's.
        let summary = try await ledger.write(groups: [expired(2, at: now + 3_600_000)], events: [], now: now + 2)
        #expect(summary.early == 0 && summary.moved == [.expired: 2])
    }

    @Test(arguments: Engine.all) func leavesOutWhatCannotBe(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [2])
        let groups = [
            resultGroup(mailing: Example.id(5), [sent(0)]), resultGroup(batch: 3, [sent(0)]), resultGroup([sent(2)]),
            resultGroup([sent(-1)]),
            resultGroup([sent(0, at: -5)]), resultGroup([deferred(0, due: Int64.max)]),
            resultGroup([sent(0, attempts: -1)]),
        ]
        let events = [
            EventGroup(
                mailing: id,
                events: [
                    RecipientEvent(batch: 0, index: 9, kind: .opened, at: 7),
                    RecipientEvent(batch: 4, index: 0, kind: .opened, at: 7),
                ])
        ]
        let summary = try await ledger.write(groups: groups, events: events, now: now)
        #expect(summary.unknown == 3 && summary.invalid == 6 && summary.moved == [:] && summary.events == 0)
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func tellsWhoGotWhat(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [3, 2])
        _ = try await ledger.dispatchBatches([(id, 2)], now: now)
        _ = try await ledger.write(
            groups: [resultGroup(closing: .done, [deferred(0, due: now + 50), failed(1), sent(2)])], events: [],
            now: now)
        _ = try await ledger.dispatchBatches([(id, 2)], now: now + 50)
        var second = resultGroup(dispatchNumber: 2, closing: .done, [sent(0, attempts: 2, at: now + 60)])
        second.provider = "relay"
        _ = try await ledger.write(
            groups: [second],
            events: [
                EventGroup(
                    mailing: id,
                    events: [
                        RecipientEvent(batch: 0, index: 0, kind: .clicked, at: 99, detail: "https://example.com")
                    ])
            ], now: now)
        let person = try #require(try await ledger.recipient(id, "P0-0@Example.COM"))
        #expect(person.id == "r0-0" && person.state == .sent && person.attempts == 2 && person.due == nil)
        #expect(person.values.map(\.field) == ["id", "email", "name"] && person.values[2].text == "Ann \"0\"")
        #expect(person.history.map(\.state) == [.deferred, .sent] && person.history.map(\.at) == [now, now + 60])
        #expect(person.history.map(\.provider) == ["", "relay"])
        #expect(person.lastAnswer?.code == 250 && person.messageID == "m0")
        #expect(person.events.map(\.kind) == [.clicked])
        #expect(try await ledger.recipient(id, "r0-1")?.lastAnswer?.text == "5.1.1 no such user")
        #expect(try await ledger.recipient(id, "r1-1")?.state == .planned)
        #expect(try await ledger.recipient(id, "r1") == nil)
        #expect(try await ledger.recipient(Example.id(3), "r1-1") == nil)
    }

    @Test(arguments: Engine.all) func findsAPersonInAllMailings(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        for number in 0..<3 { try await Example.plan(ledger, Example.id(number), batches: [2, 2]) }
        let history = try await ledger.history(address: "p1-0@example.com", limit: 9)
        #expect(history.map(\.mailing) == [Example.id(2), Example.id(1), Example.id(0)])
        #expect(history.allSatisfy { $0.id == "r1-0" && $0.batch == 1 && $0.state == .planned })
        #expect(try await ledger.history(address: "p1-0@example.com", limit: 2).count == 2)
        #expect(try await ledger.history(address: "nobody@example.com", limit: 9).isEmpty)
    }

    @Test(arguments: Engine.all) func countsFailuresByClassAndResponse(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [1000])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        // Equal but for the address, and then more different texts than are kept.
        var results = (0..<500).map { failed($0, text: "5.1.1 <p0-\($0)@example.com> unknown, id 7700\($0)ab") }
        results += (500..<999).map { index in
            failed(
                index,
                text: "no " + String(index).map { String(UnicodeScalar(UInt8($0.asciiValue ?? 48) + 49)) }.joined())
        }
        results.append(RecipientResult(index: 999, state: .failed, attempts: 0, at: now))
        _ = try await ledger.write(groups: [resultGroup(closing: .done, results)], events: [], now: now)
        let report = try #require(try await ledger.report(id, now: now))
        #expect(report.failures == ["unknown_user": 999, "none": 1] && report.balances)
        #expect(report.responses.first?.text == "5.1.1 <address> unknown, id #" && report.responses.first?.count == 500)
        #expect(report.responses.contains { $0.text == "other" && $0.count == 300 })
        #expect(report.responses.count == 10)
        #expect(try await ledger.recount(id) == [])
    }

    @Test(arguments: Engine.all) func reportsRateTimeAndJSON(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [10])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        let results = (0..<9).map { sent($0, at: now + Int64($0) * 500) } + [deferred(9, due: now + 60_000)]
        _ = try await ledger.write(groups: [resultGroup(closing: .done, results)], events: [], now: now)
        let report = try #require(try await ledger.report(id, now: now + 4500))
        #expect(report.seconds == 4.5 && report.messagesPerSecond == 2)
        #expect(report.timeline.map(\.sent) == [2, 2, 2, 2, 1] && report.timeline[0].deferred == 1 && report.step == 1)
        #expect(report.deferrals.map(\.text) == ["4.2.0 <address> try later"])
        let object = try #require(try JSONSerialization.jsonObject(with: report.json()) as? [String: Any])
        #expect(object["recipients"] as? Int == 10 && object["planned"] as? Int == 10)
        #expect(object["messages_per_second"] as? Double == 2)
        #expect(object["started"] as? String == "2023-11-14T22:13:20.000Z" && object.keys.contains("finished"))
        let states = try #require(object["states"] as? [String: Int])
        #expect(
            states == ["planned": 0, "deferred": 1, "uncertain": 0, "stopped": 0, "skipped": 0, "expired": 0, "failed": 0, "sent": 9])
    }

    @Test(arguments: Engine.all) func aLongMailingsTimelineStaysShort(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [1000])
        _ = try await ledger.dispatchBatches([(id, 1)], now: now)
        let results = (0..<1000).map { sent($0, at: now + Int64($0) * 60_000) }
        _ = try await ledger.write(groups: [resultGroup(closing: .done, results)], events: [], now: now)
        let report = try #require(try await ledger.report(id, now: now))
        #expect(report.timeline.count <= 210 && report.timeline.reduce(0) { $0 + $1.sent } == 1000)
    }

    @Test(arguments: Engine.all) func countsEventsAndTheirRecipients(engine: Engine) async throws {
        let folder = try TemporaryFolder()
        let ledger = try await engine.open(folder)
        try await Example.plan(ledger, batches: [3])
        let events = [(0, 1), (0, 2), (0, 2), (1, 1)].map {
            RecipientEvent(batch: 0, index: $0.0, kind: .opened, at: Int64($0.1))
        }
        _ = try await ledger.write(groups: [], events: [EventGroup(mailing: id, events: events)], now: now)
        let opened = try #require(try await ledger.report(id, now: now)?.events[.opened])
        #expect(opened.count == 3 && opened.recipients == 2)
    }
}
