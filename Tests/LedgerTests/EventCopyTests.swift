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

    private func write(
        _ ledger: SQLLedger, _ mailing: MailingID, from sequence: UInt64, agent: String, countingAtMost most: Int = 1000
    ) async throws {
        let number = try #require(try await ledger.number(of: mailing))
        let events = (0..<3).map { place in
            var event = TrackedEvent(
                .click, mailing: number, batch: 0, index: UInt32(place), link: UInt16(place), time: now + Int64(sequence) + Int64(place))
            event.agent = agent
            return event
        }
        _ = try await ledger.write(
            events: [EventBatch(source: 5, sequence: sequence, events: events)], letters: [], EventRules.none, countingAtMost: most,
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
