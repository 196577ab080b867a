import Foundation
import Logging
import Model
import TestServers
import Testing

@testable import Ledger

/// Rows of recipients are in parts: those of a month together, those of a large mailing by themselves.
@Suite struct PostgreSQLPartitionTests {
    private let quiet = Logger(label: "test")
    private let later = Example.start + 1_000_000

    private func open(retryTime: Duration = .seconds(5)) async throws -> (SQLLedger, PostgreSQLConnection) {
        let url = try await Engine.postgreSQL(TemporaryFolder())
        let options = PostgreSQLSession.Options(retryTime: retryTime)
        return (
            try SQLLedger.open(postgreSQL: url, logger: quiet, sessions: 2, options: options), try PostgreSQLConnection(url: url)
        )
    }

    /// Plans, sends and ends a mailing of two batches.
    private func ended(_ ledger: SQLLedger, _ number: Int, fileSize: Int64? = nil) async throws -> MailingID {
        let id = Example.id(number)
        try await ledger.create(id, mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: Example.start)
        var step = PlanStep(mailing: id)
        step.batches = (0..<2).map { PlannedBatch(number: $0, recipients: Example.recipients(batch: $0, count: 2)) }
        step.sourceSize = fileSize
        #expect(try await ledger.writePlan([step], now: Example.start) == [:])
        try await ledger.finishPlan(id, now: Example.start)
        _ = try await ledger.dispatchBatches([(id, 9)], now: Example.start)
        let groups = (0..<2).map { resultGroup(batch: $0, closing: .done, mailing: id, [sent(0), failed(1)]) }
        _ = try await ledger.write(groups: groups, events: [], now: Example.start)
        #expect(try await ledger.complete([id], now: Example.start) == [id])
        return id
    }

    /// Rows of `batch` by the part that they are in.
    private func parts(_ connection: PostgreSQLConnection) throws -> [String: Int64] {
        let statement = PostgreSQLStatement(
            name: "parts", sql: "SELECT tableoid::regclass::text, count(*) FROM batch GROUP BY 1")
        let rows = try connection.run(statement)
        return try Dictionary(
            uniqueKeysWithValues: (0..<rows.count).map { (try rows.text($0, 0) ?? "", try rows.integer($0, 1) ?? 0) })
    }

    @Test func aLargeMailingHasPartsOfItsOwnWhichGoAtOnce() async throws {
        let (ledger, connection) = try await open()
        let small = try await ended(ledger, 0)
        let large = try await ended(ledger, 1, fileSize: 1 << 30)
        #expect(try parts(connection) == ["batch_2023_11": 2, "batch_of_\(large)": 2])
        #expect(try await ledger.history(address: "p0-0@example.com", limit: 9).map(\.mailing) == [large, small])
        #expect(try await ledger.recount(large) == [])
        #expect(try await ledger.recount(small) == [])

        #expect(try await ledger.prune(large, RetentionRule(cutoff: later), note: nil, now: later) == 4)
        #expect(try parts(connection) == ["batch_2023_11": 2])
        let left = PostgreSQLStatement(name: "left", sql: "SELECT count(*) FROM pg_class WHERE relname LIKE '%\\_of\\_%'")
        #expect(try connection.run(left).integer(0, 0) == 0)
        #expect(try await ledger.recount(large) == [])
        #expect(try await ledger.recount(small) == [])
        #expect(try await ledger.history(address: "p0-0@example.com", limit: 9).map(\.mailing) == [small])
        #expect(try await ledger.prune(small, RetentionRule(cutoff: later), note: nil, now: later) == 4)
        #expect(try parts(connection) == [:])
    }

    /// A planner ended between the making of a part and its attaching: its rows would be refused by both.
    @Test func aPartThatWasHalfMadeIsMadeAnew() async throws {
        let (ledger, connection) = try await open()
        _ = try await ended(ledger, 0)
        let large = Example.id(1)
        for table in PostgreSQLPartitions.tables where ["batch", "result"].contains(table.name) {
            let script = PostgreSQLPartitions.make(table, of: large, besides: "\(table.name)_2023_11")
            try connection.run("BEGIN; \(script); COMMIT")
        }
        #expect(try await ended(ledger, 1, fileSize: 1 << 30) == large)
        #expect(try parts(connection) == ["batch_2023_11": 2, "batch_of_\(large)": 2])
        #expect(try await ledger.recount(large) == [])
        // A small one that is found so goes to the others' parts, and nobody is refused.
        #expect(try await ended(ledger, 2) == Example.id(2))
    }

    /// What keeps rows out of the parts of others goes before the first row is written, also where the mailing seems small by now. Until
    /// then the mailing waits.
    @Test func aPartThatWasHalfMadeRefusesNobody() async throws {
        let url = try await Engine.postgreSQL(TemporaryFolder())
        let ledger = try SQLLedger.open(postgreSQL: url, logger: quiet, sessions: 2)
        let connection = try PostgreSQLConnection(url: url)
        _ = try await ended(ledger, 0)
        let id = Example.id(1)
        for table in PostgreSQLPartitions.tables where ["batch", "result"].contains(table.name) {
            try connection.run("BEGIN; \(PostgreSQLPartitions.make(table, of: id, besides: "\(table.name)_2023_11")); COMMIT")
        }
        try connection.run("BEGIN; LOCK TABLE batch_2023_11 IN ACCESS SHARE MODE; SET LOCAL idle_in_transaction_session_timeout = '3s'")
        try await ledger.create(id, mailing: Example.mailing(), source: nil, origin: "", state: .collecting, now: Example.start)
        var step = PlanStep(mailing: id)
        step.batches = [PlannedBatch(number: 0, recipients: Example.recipients(batch: 0, count: 2))]
        // It waits for the lock, which the reader holds for three seconds.
        #expect(try await ledger.writePlan([step], now: Example.start) == [:])
        let after = try PostgreSQLConnection(url: url)
        #expect(try parts(after) == ["batch_2023_11": 3])
        let left = PostgreSQLStatement(
            name: "left",
            sql: "SELECT (SELECT count(*) FROM pg_constraint WHERE conname LIKE 'without%')"
                + " + (SELECT count(*) FROM pg_class WHERE relname LIKE '%\\_of\\_%')")
        #expect(try after.run(left).integer(0, 0) == 0)
    }

    /// Somebody who reads for long keeps the parts from being attached, and nothing else.
    @Test func whereNoPartCanBeMadeTheMailingIsSentAsUsual() async throws {
        let (ledger, connection) = try await open(retryTime: .milliseconds(200))
        _ = try await ended(ledger, 0)
        try connection.run("BEGIN; SELECT count(*) FROM batch")
        let large = try await ended(ledger, 1, fileSize: 1 << 30)
        try connection.run("COMMIT")
        #expect(try parts(connection) == ["batch_2023_11": 4])
        #expect(try await ledger.recount(large) == [])
        #expect(try await ledger.prune(large, RetentionRule(cutoff: later), note: nil, now: later) == 4)
        #expect(try parts(connection) == ["batch_2023_11": 2])
    }

    @Test func theSizeOfAMailingIsGuessedFromItsFile() {
        var step = PlanStep(mailing: Example.id())
        #expect(step.expectedRecipients == 0)
        step.batches = [PlannedBatch(number: 0, recipients: Example.recipients(batch: 0, count: 10))]
        #expect(step.expectedRecipients == 10)
        step.sourceSize = Int64(step.bytes) * 1000
        #expect(step.expectedRecipients == 10_000)
        step.sourceSize = .max
        #expect(step.expectedRecipients > PostgreSQLPartitions.large)
        step.ending = .whole
        #expect(step.expectedRecipients == 10)
    }

    @Test(arguments: [1_700_000_000_000, 1_796_040_000_000, 1_099_511_627_776, 2_199_023_255_551] as [Int64])
    func anIDTellsWhenItsMailingWasAdded(time: Int64) {
        var generator = SystemRandomNumberGenerator()
        let id = MailingID(milliseconds: time, using: &generator)
        #expect(id.added == time && MailingID(firstOf: time) <= id && id < MailingID(firstOf: time + 1) || time == 2_199_023_255_551)
    }
}
