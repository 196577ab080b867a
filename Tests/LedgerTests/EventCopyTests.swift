import Foundation
import GRDB
import Logging
import Model
import Policy
import TestServers
import Testing

@testable import Ledger

/// What visitors did moves with a ledger, and is kept where a copy takes its place.
@Suite struct EventCopyTests {
    private let folder: TemporaryFolder
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let id = Example.id()
    private let now = Example.start
    private var path: String { folder.path("ledger.sqlite") }

    init() throws { folder = try TemporaryFolder() }

    /// Puts the copy in the ledger's place.
    private func restore(_ copy: String, _ ledger: SQLLedger) throws -> SQLLedger {
        try ledger.close()
        _ = try LedgerBackup.restore(copy, to: path, isForced: true, now: now)
        return try SQLiteLedger.open(path, logger: quiet)
    }

    private func clicks(_ ledger: SQLLedger) async throws -> Int {
        _ = try await ledger.countEvents(inSlicesOf: 1, .none, now: now) { _ in }
        #expect(try await ledger.checkEvents(id) == [])
        return try await ledger.eventReport(id)?[.click].all.total ?? 0
    }

    private func unsubscribe(_ ledger: SQLLedger, _ index: UInt32, from sequence: UInt64) async throws {
        let number = try #require(try await ledger.number(of: id))
        let event = TrackedEvent(.unsubscribe, by: .post, mailing: number, batch: 0, index: index, time: now + Int64(sequence))
        _ = try await ledger.write(events: [EventBatch(source: 9, sequence: sequence, events: [event])], letters: [], .none, now: now + 50)
    }

    private func write(
        _ ledger: SQLLedger, _ mailing: MailingID, from sequence: UInt64, agent: String, countingAtMost most: Int = 1000, source: UInt64 = 5
    ) async throws {
        let number = try #require(try await ledger.number(of: mailing))
        let events = (0..<3).map { place in
            var event = TrackedEvent(
                .click, mailing: number, batch: 0, index: UInt32(place), link: UInt16(place), time: now + Int64(sequence) + Int64(place))
            event.agent = agent
            return event
        }
        _ = try await ledger.write(
            events: [EventBatch(source: source, sequence: sequence, events: events)], letters: [], EventRules.none, countingAtMost: most,
            now: now)
    }

    @Test func theServersLedgerHasThem() async throws {
        let ledger = try SQLiteLedger.open(path, logger: quiet)
        try await Example.plan(ledger, batches: [3])
        try await write(ledger, id, from: 0, agent: "one")
        let report = try await ledger.eventReport(id)
        try ledger.close()
        let url = try await PostgreSQLServer.shared.database()
        _ = try await LedgerCopy(of: path, logger: quiet, onProgress: { _ in }).run(to: url, now: now)
        let target = try SQLLedger.open(postgreSQL: url, logger: quiet)
        #expect(try await target.eventReport(id) == report)
        // The same entry again, and another client.
        try await write(target, id, from: 0, agent: "one")
        #expect(try await target.eventReport(id) == report)
        try await write(target, id, from: 3, agent: "two")
        #expect(try await target.eventReport(id)?[.click].all == .init(total: 6, unique: 3))
        #expect(try await target.checkEvents(id) == [])
    }

    @Test func aCopyThatTakesTheLedgersPlaceLosesNone() async throws {
        let copy = folder.path("copy.sqlite")
        var ledger = try SQLiteLedger.open(path, logger: quiet)
        try await Example.plan(ledger, batches: [3])
        try await write(ledger, id, from: 0, agent: "one")
        _ = try LedgerBackup.make(of: path, to: copy)
        try await write(ledger, id, from: 3, agent: "two")
        // A mailing that the copy lacks.
        let later = Example.id(1)
        try await Example.plan(ledger, later, batches: [3])
        try await write(ledger, later, from: 6, agent: "three")
        let reports = [try await ledger.eventReport(id), try await ledger.eventReport(later)]
        // One that is not counted yet, of each.
        for (mailing, sequence) in [(id, UInt64(9)), (later, UInt64(12))] {
            try await write(ledger, mailing, from: sequence, agent: "four", countingAtMost: 0)
        }
        try ledger.close()
        _ = try LedgerBackup.restore(copy, to: path, isForced: true, now: now)
        ledger = try SQLiteLedger.open(path, logger: quiet)
        // What the copy lacked of the first is logged, and of the other what was.
        let logged = try await [ledger.eventReport(id), ledger.eventReport(later)]
        #expect(logged.map { $0?.waiting } == [6, 3])
        #expect(try await ledger.countEvents(inSlicesOf: 1, .none, now: now) { _ in })
        let after = try await [ledger.eventReport(id), ledger.eventReport(later)]
        #expect(reports.map { $0?[.click].all.total } == [6, 3] && after.map { $0?[.click].all.total } == [9, 6])
        #expect(try await ledger.checkEvents(id) + ledger.checkEvents(later) == [])
        let agents = try await ledger.recipient(later, "r0-0")?.visits.map(\.agent)
        #expect(agents == ["three", "four"])
        // What is still in Redis counts no second time.
        try await write(ledger, id, from: 3, agent: "two")
        try await write(ledger, id, from: 9, agent: "four")
        #expect(try await ledger.eventReport(id) == after[0])
        try ledger.close()
        #expect(try SQLiteLedger.inspect(path).faults == [])
    }

    /// What Redis still has of a tracker: counted before, in part, or not; and a tracker of whom the copy knows nothing.
    @Test func whatIsInRedisCountsOnceAfterARestore() async throws {
        let copy = folder.path("copy.sqlite")
        var ledger = try SQLiteLedger.open(path, logger: quiet)
        try await Example.plan(ledger, batches: [3])
        try await write(ledger, id, from: 0, agent: "one")
        _ = try LedgerBackup.make(of: path, to: copy)
        try await write(ledger, id, from: 3, agent: "two")
        // 6 to 8 are not counted; a collector took 9 to 11 before them.
        try await write(ledger, id, from: 9, agent: "three")
        try await write(ledger, id, from: 0, agent: "other", source: 6)
        ledger = try restore(copy, ledger)
        #expect(try await clicks(ledger) == 12)
        for (sequence, agent) in [(UInt64(3), "two"), (9, "three"), (6, "four"), (6, "four")] {
            try await write(ledger, id, from: sequence, agent: agent)
        }
        try await write(ledger, id, from: 0, agent: "other", source: 6)
        try await write(ledger, id, from: 3, agent: "new", source: 6)
        #expect(try await clicks(ledger) == 18)
        try ledger.close()
    }

    /// Both have gone their way since the copy was made.
    @Test func aCopyThatWasUsedLosesNeitherLedgersVisits() async throws {
        let (copy, used) = (folder.path("copy.sqlite"), folder.path("used.sqlite"))
        var ledger = try SQLiteLedger.open(path, logger: quiet)
        try await Example.plan(ledger, batches: [3])
        try await write(ledger, id, from: 0, agent: "one")
        for file in [copy, used] { _ = try LedgerBackup.make(of: path, to: file) }
        let other = try SQLiteLedger.open(used, logger: quiet)
        try await write(other, id, from: 3, agent: "two")
        try await write(other, id, from: 6, agent: "three")
        try other.close()
        try await write(ledger, id, from: 3, agent: "two")
        try await write(ledger, id, from: 9, agent: "four")
        ledger = try restore(used, ledger)
        // The entry that both counted is one visit each.
        #expect(try await clicks(ledger) == 12)
        for sequence in [UInt64(3), 6, 9] { try await write(ledger, id, from: sequence, agent: "again") }
        #expect(try await clicks(ledger) == 12)
        try ledger.close()
    }

    /// A visit that unsubscribed is counted once more by the collector, and does not undo what was decided since.
    @Test func whoWasTakenOffTheListSinceIsNotPutBackByARestore() async throws {
        let copy = folder.path("copy.sqlite")
        var ledger = try SQLiteLedger.open(path, logger: quiet)
        try await Example.plan(ledger, batches: [3])
        _ = try LedgerBackup.make(of: path, to: copy)
        for index in 0..<2 as Range<UInt32> { try await unsubscribe(ledger, index, from: UInt64(index)) }
        let keys = (0..<2).map { Suppression.Key(.email, "p0-\($0)@example.com") }
        #expect(try await ledger.unsuppress([keys[0]], audit: nil, now: now + 100).count == 1)
        ledger = try restore(copy, ledger)
        _ = try await clicks(ledger)
        #expect(try await ledger.eventReport(id)?[.unsubscribe].all.total == 2)
        #expect(try await ledger.suppressions(SuppressionFilter(), after: nil, limit: 9).map(\.key) == [keys[1]])
        // A later one counts.
        try await unsubscribe(ledger, 0, from: 200)
        #expect(try await ledger.suppressions(of: keys[0].address, .email).count == 1)
        try ledger.close()
    }

    @Test func receiptsFindMessagesThatWereSentSinceTheCopy() async throws {
        let copy = folder.path("copy.sqlite")
        var ledger = try SQLiteLedger.open(path, logger: quiet)
        try await Example.plan(ledger, batches: [3])
        try await ledger.expectReceipts(of: ["main"], now: now)
        _ = try LedgerBackup.make(of: path, to: copy)
        var group = resultGroup([sent(0)])
        group.provider = "main"
        _ = try await ledger.write(groups: [group], events: [], letters: [], now: now)
        var receipt = ProviderReceipt(.delivered, word: "delivered")
        (receipt.webhook, receipt.provider, receipt.arrived) = ("hook", "main", now)
        receipt.providerID = "unknown"
        #expect(try await ledger.write(receipts: [receipt], letters: [], now: now).aside == 1)
        ledger = try restore(copy, ledger)
        #expect(try await ledger.unknownReceipts(after: nil, limit: 9).map(\.receipt.providerID) == ["unknown"])
        receipt.providerID = "m0"
        #expect(try await ledger.write(receipts: [receipt], letters: [], now: now).moved == [.delivered: 1])
        try ledger.close()
    }

    @Test func aRestoreSaysThatCountedVisitsAreNotKnown() async throws {
        let copy = folder.path("copy.sqlite")
        let ledger = try SQLiteLedger.open(path, logger: quiet)
        try await Example.plan(ledger, batches: [3])
        try await write(ledger, id, from: 0, agent: "one")
        _ = try LedgerBackup.make(of: path, to: copy)
        try await ledger.pool.write { db in try db.execute(sql: "UPDATE event_source SET counted = 'x'") }
        try ledger.close()
        let losses = try LedgerBackup.restore(copy, to: path, isForced: true, now: now).summary.merged?.losses
        #expect(losses?.lacksEvents == true && losses?.mailings == [:])
    }
}
