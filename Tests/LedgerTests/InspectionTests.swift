import Foundation
import GRDB
import Ledger
import Logging
import Model
import TestServers
import Testing

/// Making, migrating and checking a ledger as a whole.
@Suite struct InspectionTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let folder: TemporaryFolder
    private var path: String { folder.path + "/ledger.sqlite" }

    init() throws { folder = try TemporaryFolder() }

    private func change(_ sql: String) throws {
        let file = try DatabaseQueue(path: path)
        try file.inDatabase { try $0.execute(sql: sql) }
        try file.close()
    }

    /// A ledger with a mailing of three recipients, one of whom opened it.
    private func sound() async throws {
        let ledger = try SQLiteLedger.open(path, logger: logger)
        try await Example.plan(ledger, batches: [2, 1])
        _ = try await ledger.dispatchBatches([(Example.id(), 2)], now: Example.start)
        _ = try await ledger.write(
            groups: [resultGroup(closing: .done, [sent(0), failed(1)])],
            events: [EventGroup(mailing: Example.id(), events: [RecipientEvent(batch: 0, index: 0, kind: .opened, at: 1)])],
            now: Example.start)
        try ledger.close()
    }

    @Test func aMistypedPathMakesNoLedger() throws {
        #expect(throws: LedgerError.missing(path: path)) { try SQLiteLedger.open(path, mustExist: true, logger: logger) }
        #expect(throws: LedgerError.missing(path: path)) { try SQLiteLedger.version(of: path) }
        #expect(throws: LedgerError.missing(path: path)) { try SQLiteLedger.inspect(path) }
        #expect(throws: LedgerError.missing(path: path)) { try SQLiteLedger.migrate(path, logger: logger) }
        #expect(throws: LedgerError.missing(path: path)) { try LedgerBackup.make(of: path, to: path + ".copy") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        // An empty file is what somebody has begun with who was interrupted.
        try folder.write("", to: "ledger.sqlite")
        #expect(throws: LedgerError.missing(path: path)) { try SQLiteLedger.open(path, mustExist: true, logger: logger) }
        let version = try SQLiteLedger.make(path, logger: logger)
        #expect(try SQLiteLedger.version(of: path) == version)
        try SQLiteLedger.open(path, mustExist: true, logger: logger).close()
    }

    @Test func aNewLedgerTakesNothingElsesPlace() throws {
        _ = try SQLiteLedger.make(path, logger: logger)
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(throws: LedgerError.self) { try SQLiteLedger.make(path, logger: logger) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
        let text = try folder.write("id,email\n", to: "recipients.csv")
        #expect(throws: LedgerError.self) { try SQLiteLedger.make(text, logger: logger) }
        #expect(try String(contentsOfFile: text, encoding: .utf8) == "id,email\n")
        #expect(throws: LedgerError.self) { try SQLiteLedger.make(folder.path, logger: logger) }
    }

    @Test func anOlderLedgerIsBroughtForwardUnderTheLock() throws {
        let file = try DatabaseQueue(path: path)
        try file.write { try $0.execute(sql: String(decoding: PackageResources.ledger_2026_11_22_sql, as: UTF8.self)) }
        try file.close()
        let old = try SQLiteLedger.version(of: path)
        let inspection = try SQLiteLedger.inspect(path)
        #expect(inspection.faults.map(\.kind) == [.version] && inspection.version == old)
        let lock = try LedgerLock.acquire(ledger: path)
        #expect(throws: LedgerError.held(path: path, pid: getpid())) { try SQLiteLedger.migrate(path, logger: logger) }
        #expect(try SQLiteLedger.version(of: path) == old)
        lock.release()
        let (from, to) = try SQLiteLedger.migrate(path, logger: logger)
        #expect(from == old && to > old)
        #expect(try SQLiteLedger.version(of: path) == to)
        #expect(try SQLiteLedger.migrate(path, logger: logger).from == to)
        #expect(try SQLiteLedger.inspect(path).faults == [])
    }

    @Test func aNewerLedgerIsRefusedInAllThatIsDoneWithIt() throws {
        _ = try SQLiteLedger.make(path, logger: logger)
        try change("INSERT INTO grdb_migrations VALUES ('999 later')")
        let newer = LedgerError.newer(path: path, found: ["999 later"])
        #expect(throws: newer) { try SQLiteLedger.migrate(path, logger: logger) }
        #expect(throws: newer) { try SQLiteLedger.inspect(path) }
        #expect(throws: newer) { try SQLiteLedger.make(path, logger: logger) }
    }

    @Test func aSoundLedgerHasNoFaults() async throws {
        try await sound()
        let inspection = try SQLiteLedger.inspect(path)
        #expect(inspection.faults == [] && inspection.mailings == 1 && inspection.recipients == 3)
    }

    @Test(arguments: [
        ("UPDATE counter SET n = n + 1 WHERE state = 'sent'", LedgerInspection.Fault.Kind.counts),
        ("UPDATE event_counter SET n = 7", .counts),
        ("UPDATE progress SET states = 'q' || substr(states, 2) WHERE number = 0", .counts),
        ("UPDATE batch SET recipients = replace(recipients, '[', '') WHERE number = 0", .content),
        ("UPDATE batch SET recipients = replace(recipients, 'p0-1', 'p0-9') WHERE number = 0", .content),
        ("UPDATE fingerprint SET hashes = zeroblob(8) WHERE batch = 0", .content),
        ("DELETE FROM progress WHERE number = 1", .content),
        ("UPDATE result SET data = '[[' || data", .content),
        ("DELETE FROM batch WHERE number = 1", .orphans),
        ("INSERT INTO timeline VALUES ('nobody', 1, 1, 1, 1, 0, 0, 0)", .orphans),
        ("UPDATE recipient_error SET failure = 999", .orphans),
        ("UPDATE event SET idx = 2", .orphans),
        ("UPDATE mailing SET definition = '{}'", .mailing),
        ("DROP INDEX mailing_work", .schema),
        ("DROP TABLE audit", .schema),
        ("DROP VIEW delivery", .schema),
    ])
    func eachFaultIsNamed(change sql: String, kind: LedgerInspection.Fault.Kind) async throws {
        try await sound()
        try change(sql)
        let faults = try SQLiteLedger.inspect(path).faults
        #expect(faults.contains { $0.kind == kind }, "\(faults)")
    }

    @Test func aDamagedFileIsSaidToBeDamaged() async throws {
        try await sound()
        let file = try #require(FileHandle(forWritingAtPath: path))
        for page in 3..<20 {
            try file.seek(toOffset: UInt64(page) * 8192)
            try file.write(contentsOf: [UInt8](repeating: 0xA5, count: 4096))
        }
        try file.close()
        let faults = try SQLiteLedger.inspect(path).faults
        #expect(faults.contains { $0.kind == .file }, "\(faults)")
    }
}
