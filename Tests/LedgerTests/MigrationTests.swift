import Foundation
import GRDB
import Ledger
import Logging
import Model
import Policy
import TestServers
import Testing
import Text

@Suite struct MigrationTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let folder: TemporaryFolder
    private var path: String { folder.path + "/ledger.sqlite" }

    init() throws { folder = try TemporaryFolder() }

    /// As the roles of a fleet do that start together: each step of making the tables may be another's.
    @Test func aNewLedgerCanBeOpenedByManyAtOnce() async throws {
        for round in 0..<20 {
            let path = folder.path + "/\(round).sqlite"
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { @concurrent in try SQLiteLedger.open(path, logger: logger).close() }
                }
                try await group.waitForAll()
            }
        }
    }

    /// The ledger of the release of 2026-11-22.
    /// - Parameter changes: SQL that makes an older one of it.
    private func openOld(_ changes: String = "") throws -> SQLiteLedger {
        let file = try DatabaseQueue(path: path)
        try file.write { db in
            try db.execute(sql: String(decoding: PackageResources.ledger_2026_11_22_sql, as: UTF8.self))
            try db.execute(sql: changes)
        }
        try file.close()
        return try SQLiteLedger.open(path, logger: logger)
    }

    private func id(_ number: Int) throws -> MailingID {
        try #require(MailingID("00000000000" + (number < 10 ? "0" : "") + "\(number)"))
    }

    private func query(_ sql: String) throws -> [String] {
        let file = try DatabaseQueue(path: path)
        return try file.read { try String.fetchAll($0, sql: sql) }
    }

    @Test func aLedgerOfBeforeThereWereStartsIsTakenOver() async throws {
        let ledger = try openOld(
            """
            ALTER TABLE mailing DROP COLUMN start;
            DROP TABLE limit_override;
            DELETE FROM grdb_migrations WHERE identifier IN ('2 start', '3 limits')
            """)
        let record = try #require(try await ledger.mailing(id(9)))
        #expect(record.start == nil && record.state == .scheduled && record.mailing.provider == "relay")
        #expect(try await ledger.limits().isEmpty)
        #expect(try await ledger.setLimit(.channel(.sms), "1/s", now: 1) == nil)
    }

    @Test func nothingIsLostOfAnOldLedger() async throws {
        let ledger = try openOld()
        for number in 1...10 { #expect(try await ledger.recount(id(number)) == []) }
        let detail = try #require(try await ledger.recipient(id(1), "p1@example.com"))
        #expect(detail.state == .deferred && detail.due == 1_800_000_000_000 && detail.history.map(\.dispatchNumber) == [1])
        #expect(detail.history[0].provider.isEmpty && detail.history[0].worker == "w1")
        #expect(try await ledger.uncertain(id(1), onlyHeld: true, after: nil, limit: 9).map(\.address) == ["p4@example.com"])
        #expect(try await ledger.leader(Leadership.planning)?.fencingToken == 7)
        #expect(try await ledger.identity() == "0123456789abcdef")
        // What was sent before the brake was is counted by it.
        let facts = try #require(try await ledger.brakeFacts(id(1), now: 1_700_000_002_000))
        #expect(facts.since == 0 && facts.windows.total(.hour, at: 1_700_000_002_000) == BrakeCounts(sent: 1))
    }

    @Test func mailingsOfBeforeAreKnownByTheirFiles() async throws {
        let file = try folder.write("name: x", to: "mailing.yaml")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/link.yaml", withDestinationPath: file)
        let ledger = try openOld("UPDATE mailing SET origin = '\(folder.path)/link.yaml' WHERE id LIKE '%01'")
        let record = try #require(try await ledger.mailing(id(1)))
        #expect(record.identity == .file(RealPath.of(file)) && !record.onlyNew && record.stateChanged == nil)
        #expect(try await ledger.earlier(.file(RealPath.of(file))).unfinished?.id == id(1))
        #expect(try await ledger.audit(AuditFilter(), limit: 9) == [])
    }

    @Test func textsThatWereStateBecomeColumns() async throws {
        let ledger = try openOld()
        let expected: [(number: Int, kind: StateReason.Kind?, actor: String, reason: String)] = [
            (1, nil, "", ""), (2, .person, "alice@ops1", "paused by alice@ops1"), (3, .providerRefused, "", "535 5.7.8 refused"),
            (4, .late, "", "its start 2026-12-01T08:00:00Z is 3 h past, and at most 1 h is allowed"),
            (5, .person, "bob@ops2", "stopped by bob@ops2"), (7, .input, "", "r.csv, line 7: no end"),
            (8, nil, "", "stuck: nobody got a result for 10 min"),
        ]
        for (number, kind, actor, reason) in expected {
            let record = try #require(try await ledger.mailing(id(number)))
            #expect(record.stateReason.kind == kind && record.stateReason.actor == actor && record.reason == reason)
            #expect((record.stuckSince != nil) == (number == 8))
        }
        #expect(try await ledger.mailing(id(8))?.stuckReason == "nobody got a result for 10 min")
        #expect(try await ledger.noteStuck(id(8), why: nil, now: 5))
        #expect(try await ledger.mailing(id(8))?.reason == "")
    }

    @Test func theDispatcherGoesOnWithAnOldLedger() async throws {
        let ledger = try openOld()
        let work = try await ledger.work()
        #expect(try work.map(\.id) == [1, 2, 3, 4, 5, 8].map(id))
        var first = MailingWork(id: try id(1), state: .sending, channel: .email, provider: "relay")
        first.speed = "9/s"
        first.expires = 1_700_086_400_000
        (first.planned, first.batches, first.isPlanned, first.open, first.uncertain) = (6, 2, true, 4, 1)
        (first.dispatched, first.busy, first.next) = (1, 1, 0)
        #expect(work.first == first && work.last?.speed == "7/s")
        #expect(
            try await ledger.openDispatches(of: [id(1)]) == [
                id(1): [DispatchMark(number: 0, dispatchNumber: 3, dispatched: 1_700_000_005_000)]
            ])
        let now: Int64 = 1_700_000_010_000
        #expect(try await ledger.dispatchBatches([(id(1), 5)], now: now).map(\.dispatchNumber) == [2])
        // A domain's limit that is changed has those tried again who wait for it.
        _ = try await ledger.setLimit(.domain("example.com"), "100/s", now: now)
        let due = try #require(try await ledger.recipient(id(1), "p1@example.com")?.due)
        #expect(due < now + 5000)
        let summary = try await ledger.write(
            groups: [
                resultGroup(dispatchNumber: 3, closing: .done, mailing: id(1), [sent(3, at: now)]),
                resultGroup(batch: 1, dispatchNumber: 2, closing: .done, mailing: id(1), [sent(1, at: now)]),
            ], events: [], now: now)
        #expect(summary.closed.count == 2)
        _ = try await ledger.decide(id(1), recipients: nil, as: .sent, now: now)
        #expect(try await ledger.dispatchBatches([(id(1), 5)], now: now + 10_000).map(\.open?.count) == [1])
        _ = try await ledger.write(
            groups: [resultGroup(dispatchNumber: 4, closing: .done, mailing: id(1), [sent(1, at: now)])], events: [], now: now)
        #expect(try await ledger.complete([id(1)], now: now) == [id(1)])
        #expect(try await ledger.recount(id(1)) == [])
        #expect(try await ledger.waiting(only: nil, now: now, limit: 9).next == 1_900_000_000_000)
    }

    @Test func classesOfBeforeAreReasons() async throws {
        let ledger = try openOld()
        let old = ["temporary", "throttled", "domain_throttled", "unreachable", "bad_recipient", "rejected", "misconfigured"]
        #expect(try query("SELECT DISTINCT class FROM failure").allSatisfy { !old.contains($0) })
        let detail = try #require(try await ledger.recipient(id(1), "p1@example.com"))
        #expect(detail.history.last?.response?.reason == .rate)
        try ledger.close()
    }

    @Test func viewsHaveTheirNamesOfBeforeToo() async throws {
        let ledger = try openOld()
        #expect(try query("SELECT address FROM answer WHERE state = 'failed'") == ["p2@example.com"])
        #expect(try query("SELECT address FROM last_error WHERE origin = 'domain_limit'") == ["p1@example.com"])
        #expect(try query("SELECT recipient || why || held FROM doubt") == ["4w0 died1"])
        #expect(try query("SELECT address || dispatch FROM uncertain_delivery") == ["p4@example.com1"])
        #expect(try query("SELECT generation || '=' || dispatch || provider FROM attempt WHERE idx = 2") == ["1=1"])
        try ledger.close()
    }
}
