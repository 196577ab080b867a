import Logging
import Model
import TestServers
import Testing

@testable import Ledger

/// `ledger check` of a ledger in PostgreSQL knows the rules that it knows of a file.
@Suite(.timeLimit(.minutes(3))) struct PostgreSQLInspectionTests {
    private let folder: TemporaryFolder
    private let quiet = Logger(label: "test")

    init() throws { folder = try TemporaryFolder() }

    /// A ledger with a mailing of three recipients, one of whom opened it.
    private func sound() async throws -> (address: PostgreSQLAddress, connection: PostgreSQLConnection) {
        let url = try await Engine.postgreSQL(folder)
        let ledger = try SQLLedger.open(postgreSQL: url, logger: quiet, sessions: 1)
        try await Example.plan(ledger, batches: [2, 1])
        _ = try await ledger.dispatchBatches([(Example.id(), 2)], now: Example.start)
        _ = try await ledger.write(
            groups: [resultGroup(closing: .done, [sent(0), failed(1)])],
            events: [EventGroup(mailing: Example.id(), events: [RecipientEvent(batch: 0, index: 0, kind: .opened, at: 1)])],
            now: Example.start)
        try ledger.close()
        return (try PostgreSQLAddress(url: url), try PostgreSQLConnection(url: url))
    }

    @Test func aSoundLedgerHasNoFaults() async throws {
        let (address, _) = try await sound()
        let inspection = try SQLLedger.inspect(address)
        #expect(inspection.faults == [] && inspection.mailings == 1 && inspection.recipients == 3)
    }

    @Test(arguments: [
        ("UPDATE counter_part SET n = n + 1 WHERE state = 'sent'", LedgerInspection.Fault.Kind.counts),
        ("UPDATE event_counter_part SET n = 7", .counts),
        ("UPDATE progress SET states = 'q' || substr(states, 2) WHERE number = 0", .counts),
        ("UPDATE batch SET recipients = replace(recipients, '[', '') WHERE number = 0", .content),
        ("UPDATE batch SET recipients = replace(recipients, 'p0-1', 'p0-9') WHERE number = 0", .content),
        ("UPDATE fingerprint SET hashes = decode('0000000000000000', 'hex') WHERE batch = 0", .content),
        ("DELETE FROM progress WHERE number = 1", .content),
        ("UPDATE result SET data = '[[' || data", .content),
        ("DELETE FROM batch WHERE number = 1", .orphans),
        ("INSERT INTO timeline_part VALUES ('nobody', 1, 1, 1, 1, 1, 0, 0, 0)", .orphans),
        ("UPDATE recipient_error SET failure = 999", .orphans),
        ("UPDATE event SET idx = 2", .orphans),
        ("UPDATE suppression_list SET entries = 7", .orphans),
        ("INSERT INTO dead_letter_field VALUES (99, 0, 'x', 'x')", .orphans),
        ("INSERT INTO upload_part VALUES ('nobody', 0, 'x')", .orphans),
        ("UPDATE mailing SET definition = '{}'", .mailing),
        ("DROP TABLE dead_letter_field", .schema),
        ("DROP INDEX mailing_work", .schema),
        ("ALTER TABLE audit DROP COLUMN actor", .schema),
        ("DROP VIEW timeline", .schema),
    ])
    func eachFaultIsNamed(change sql: String, kind: LedgerInspection.Fault.Kind) async throws {
        let (address, connection) = try await sound()
        try connection.run(sql)
        let faults = try SQLLedger.inspect(address).faults
        #expect(faults.contains { $0.kind == kind }, "\(faults)")
    }

    /// More batches than are read at a time.
    @Test func allBatchesAreRead() async throws {
        let url = try await Engine.postgreSQL(folder)
        let ledger = try SQLLedger.open(postgreSQL: url, logger: quiet, sessions: 1)
        try await Example.plan(ledger, batches: Array(repeating: 2, count: 40))
        try PostgreSQLConnection(url: url).run("UPDATE fingerprint SET hashes = decode('0000000000000000', 'hex') WHERE batch IN (0, 39)")
        let faults = try SQLLedger.inspect(PostgreSQLAddress(url: url)).faults
        #expect(faults.map(\.kind) == [.content, .content], "\(faults)")
    }
}
