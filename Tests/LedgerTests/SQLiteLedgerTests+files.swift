import Foundation
import GRDB
import Logging
import Model
import TestServers
import Testing
@testable import Ledger

/// The files of a ledger: rights, locks, and the version of SQLite.
extension SQLiteLedgerTests {
    @Test func onlyItsOwnerReadsALedger() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("ledger.sqlite")
        func rights(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        let ledger = try SQLiteLedger.open(path, logger: Logger(label: "test"))
        let lock = try LedgerLock.acquire(ledger: path)
        for suffix in ["", "-wal", "-shm", ".lock"] { #expect(try rights(path + suffix) == 0o600, "\(suffix)") }
        lock.release()
        try ledger.close()
        // As versions before made them.
        for suffix in ["", ".lock"] { try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path + suffix) }
        let again = try SQLiteLedger.open(path, logger: Logger(label: "test"))
        let second = try LedgerLock.acquire(ledger: path)
        for suffix in ["", "-wal", "-shm", ".lock"] { #expect(try rights(path + suffix) == 0o600, "\(suffix)") }
        second.release()
        try again.close()
    }

    @Test func aPlantedLockIsNotWrittenTo() throws {
        let folder = try TemporaryFolder()
        let victim = try folder.write("precious", to: "victim")
        let manager = FileManager.default
        try manager.createSymbolicLink(atPath: folder.path("a.lock"), withDestinationPath: victim)
        try manager.linkItem(atPath: victim, toPath: folder.path("b.lock"))
        #expect(mkfifo(folder.path("c.lock"), 0o600) == 0)
        for name in ["a", "b", "c"] {
            #expect(throws: LedgerError.self, "\(name)") { try LedgerLock.acquire(ledger: folder.path(name)) }
        }
        #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
    }

    @Test func anOldSQLiteIsRefused() throws {
        try SQLiteLedger.check(sqlite: "3.38.0")
        let error = #expect(throws: LedgerError.self) { try SQLiteLedger.check(sqlite: "3.37.2") }
        #expect(error?.description.contains("3.37.2") == true && error?.description.contains("3.38") == true)
    }
}
