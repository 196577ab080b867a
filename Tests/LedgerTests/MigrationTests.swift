import GRDB
import Ledger
import Logging
import Model
import TestServers
import Testing

@Suite struct MigrationTests {
    /// As the roles of a fleet do that start together: each step of making the tables may be another's.
    @Test func aNewLedgerCanBeOpenedByManyAtOnce() async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        for _ in 0..<20 {
            let folder = try TemporaryFolder()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { @concurrent in try SQLiteLedger.open(folder.path + "/ledger.sqlite", logger: logger).close() }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func aLedgerOfBeforeThereWereStartsIsTakenOver() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/ledger.sqlite"
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let old = try SQLiteLedger.open(path, logger: logger)
        try await old.create(
            Example.id(), mailing: Example.mailing(), source: nil, origin: "", state: .scheduled, now: 5)
        try old.close()
        let file = try DatabaseQueue(path: path)
        try await file.write { db in
            try db.execute(sql: "ALTER TABLE mailing DROP COLUMN start")
            try db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier = '2 start'")
        }
        try file.close()
        let new = try SQLiteLedger.open(path, logger: logger)
        let record = try #require(try await new.mailing(Example.id()))
        #expect(record.start == nil && record.state == .scheduled && record.mailing == Example.mailing())
    }

    @Test func aLedgerOfBeforeLimitsCouldBeSetIsTakenOver() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/ledger.sqlite"
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try SQLiteLedger.open(path, logger: logger).close()
        let file = try DatabaseQueue(path: path)
        try await file.write { db in
            try db.execute(sql: "DROP TABLE limit_override")
            try db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier = '3 limits'")
        }
        try file.close()
        let ledger = try SQLiteLedger.open(path, logger: logger)
        #expect(try await ledger.limits().isEmpty)
        #expect(try await ledger.setLimit("channel:sms", "1/s", now: 1) == nil)
    }
}
