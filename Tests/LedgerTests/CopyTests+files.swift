import Foundation
import GRDB
import Logging
import Model
import TestServers
import Testing
@testable import Ledger

/// A ledger whose file is moved, replaced or overwritten while it is open.
extension CopyTests {
    // MARK: - A file that is not there

    @Test func aLedgerThatWasMovedIsRefusedUntilItIsBack() async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [2])
        try move(path, folder.path("away"))
        await #expect(throws: LedgerError.replaced(path: path)) { try await ledger.work() }
        await #expect(throws: LedgerError.replaced(path: path)) { try await ledger.dispatchBatches([(id, 1)], now: Example.start) }
        #expect(throws: LedgerError.replaced(path: path)) { try ledger.checkFile() }
        #expect(ledger.problem == .replaced(path: path))
        try move(folder.path("away"), path)
        #expect(try await ledger.dispatchBatches([(id, 1)], now: Example.start).count == 1)
        #expect(ledger.problem == nil)
    }

    @Test func aLedgerThatWasReplacedIsRefused() async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [2])
        _ = try LedgerBackup.make(of: path, to: copy)
        for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
        try FileManager.default.copyItem(atPath: copy, toPath: path)
        await #expect(throws: LedgerError.replaced(path: path)) { try await ledger.work() }
        // The end of the one that is gone leaves the one that is there alone.
        let other = try open()
        #expect(try await other.dispatchBatches([(id, 1)], now: Example.start).count == 1)
        try? ledger.close()
        #expect(try await other.work().first?.dispatched == 1)
    }

    /// `cp copy ledger; rm ledger-wal ledger-shm` while roles run.
    @Test func aLedgerThatWasOverwrittenIsRefusedAndWhatIsThereStays() async throws {
        try await Example.plan(open(), batches: [2])
        _ = try LedgerBackup.make(of: path, to: copy)
        let content = try Data(contentsOf: URL(fileURLWithPath: copy))
        do {
            let ledger = try open()
            _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start)
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try file.write(contentsOf: content)
            try file.truncate(atOffset: UInt64(content.count))
            try file.close()
            for end in ["-wal", "-shm"] { try FileManager.default.removeItem(atPath: path + end) }
            await #expect(throws: LedgerError.replaced(path: path)) { try await ledger.work() }
            try ledger.close()
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == content)
    }

    /// `cp copy ledger` while roles run, which leaves the log as it is.
    @Test func aLedgerThatWasOverwrittenBesideItsLogIsRefusedAndItsLogIsSetAside() async throws {
        var options = SQLiteLedger.Options()
        options.overwriteLook = .zero
        let ledger = try SQLiteLedger.open(path, logger: logger, options: options)
        try await Example.plan(ledger, batches: [2, 2, 2])
        _ = try LedgerBackup.make(of: path, to: copy)
        let content = try Data(contentsOf: URL(fileURLWithPath: copy))
        let commits = try await ledger.commits()
        // Checkpoints by others, and whole new texts of the same ledger, are no reason to stop.
        for command in ["PRAGMA wal_checkpoint", "VACUUM", "PRAGMA wal_checkpoint"] {
            _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start)
            #expect(try ServerProcess("sqlite3", [path, ".timeout 5000", command], package: "sqlite3").wait() == 0)
            _ = try await ledger.work()
        }
        #expect(try await ledger.commits() > commits)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.write(contentsOf: content)
        try file.truncate(atOffset: UInt64(content.count))
        try file.close()
        await #expect(throws: LedgerError.replaced(path: path)) { try await ledger.work() }
        await #expect(throws: LedgerError.replaced(path: path)) { try await ledger.dispatchBatches([(id, 1)], now: Example.start) }
        try ledger.close()
        // Whoever starts when all roles have ended has the copy, whole: this process still holds its lock.
        let place = folder.path("place.sqlite")
        try FileManager.default.copyItem(atPath: path, toPath: place)
        #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
        let next = try SQLiteLedger.open(place, logger: logger)
        #expect(try await next.commits() == commits)
        #expect(try await next.recount(id) == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).contains { $0.contains("overwritten") })
    }

    /// sqlite3's `.restore` writes by way of the log, which a checkpoint brings into the file as soon as it is long.
    @Test func anOlderCopyThatCameThroughTheLogIsOneAndNotAForeignFile() async throws {
        var options = SQLiteLedger.Options()
        options.overwriteLook = .zero
        let ledger = try SQLiteLedger.open(path, logger: logger, options: options)
        try await Example.plan(ledger, batches: [2, 2, 2])
        _ = try LedgerBackup.make(of: path, to: copy)
        func sqlite(_ commands: String...) throws {
            #expect(try ServerProcess("sqlite3", [path, ".timeout 5000"] + commands, package: "sqlite3").wait() == 0)
        }
        for _ in 0..<3 { _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start) }
        try sqlite("PRAGMA wal_checkpoint")
        _ = try await ledger.work()
        // Another process looked before that.
        let other = try SQLiteLedger.open(path, logger: logger, options: options)
        _ = try await ledger.dispatchBatches([(id, 0)], now: Example.start)
        try sqlite(".restore \(copy)")
        _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start)
        #expect(try await ledger.copyMark() == CopyMark(commits: 1, olderThan: 3))
        try sqlite("PRAGMA wal_checkpoint")
        for _ in 0..<2 {
            #expect(try await ledger.work().first?.dispatched == 1)
            #expect(try await other.work().first?.dispatched == 1)
            _ = try await other.dispatchBatches([(id, 0)], now: Example.start)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains("overwritten") })
    }

    /// Nothing is left in the log that would hide a copy that was written into the file.
    @Test func aLedgerThatWasOverwrittenBesideAnEmptyLogIsRefused() async throws {
        var options = SQLiteLedger.Options()
        options.overwriteLook = .seconds(1000)
        let ledger = try SQLiteLedger.open(path, logger: logger, options: options)
        try await Example.plan(ledger, batches: [2, 2, 2])
        _ = try LedgerBackup.make(of: path, to: copy)
        for _ in 0..<3 { _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start) }
        #expect(try ServerProcess("sqlite3", [path, "PRAGMA wal_checkpoint(TRUNCATE)"], package: "sqlite3").wait() == 0)
        let next = try SQLiteLedger.open(path, logger: logger, options: options)
        let content = try Data(contentsOf: URL(fileURLWithPath: copy))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.write(contentsOf: content)
        try file.truncate(atOffset: UInt64(content.count))
        try file.close()
        await #expect(throws: LedgerError.replaced(path: path)) { try await next.setRedisProblem("x") }
        await #expect(throws: LedgerError.replaced(path: path)) { try await next.work() }
    }

    /// SQLite would make a new file and delete the log, or write the log into whatever is there.
    @Test(arguments: [false, true]) func aStopLeavesTheLogOfALedgerThatIsNotThere(isReplaced: Bool) async throws {
        let ledger = try open()
        try await Example.plan(ledger, batches: [2])
        _ = try LedgerBackup.make(of: path, to: copy)
        _ = try await ledger.dispatchBatches([(id, 1)], now: Example.start)
        let content = try Data(contentsOf: URL(fileURLWithPath: copy))
        try FileManager.default.moveItem(atPath: path, toPath: folder.path("away"))
        if isReplaced { try FileManager.default.moveItem(atPath: copy, toPath: path) }
        try? ledger.close()
        #expect(FileManager.default.fileExists(atPath: path + "-wal"))
        #expect(FileManager.default.contents(atPath: path) == (isReplaced ? content : nil))
        if !isReplaced {
            try FileManager.default.moveItem(atPath: folder.path("away"), toPath: path)
            #expect(try await open().commits() == 1)
        }
    }

    @Test func aLinkAndItsFileHaveOneLock() throws {
        _ = try open()
        try FileManager.default.createSymbolicLink(atPath: folder.path("link.sqlite"), withDestinationPath: path)
        try FileManager.default.createSymbolicLink(atPath: folder.path("folder"), withDestinationPath: folder.path)
        let lock = try LedgerLock.acquire(ledger: path)
        for other in ["link.sqlite", "folder/ledger.sqlite", "folder/link.sqlite"] {
            #expect(throws: LedgerError.held(path: folder.path(other), pid: getpid())) {
                try LedgerLock.acquire(ledger: folder.path(other))
            }
        }
        lock.release()
    }
}
