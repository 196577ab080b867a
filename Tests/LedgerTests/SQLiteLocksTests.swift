import Foundation
import Logging
import TestServers
import Testing
import Text

@testable import Ledger

/// A descriptor of our own would take SQLite's locks with it when it is closed ("How To Corrupt An SQLite Database File", 2.2): another
/// process would then cut off the shared memory, and this one would end by SIGBUS.
@Suite struct SQLiteLocksTests {
    @Test func locksOutliveTheLookForOtherLedgers() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("l.sqlite")
        try SQLiteLedger.open(folder.path("other.sqlite"), logger: Logger(label: "test")).close()
        let ledger = try SQLiteLedger.open(path, logger: Logger(label: "test"))
        defer { try? ledger.close() }
        let before = try Self.locks(path + "-shm")
        try #require(!before.isEmpty)
        try FileManager.default.linkItem(atPath: path, toPath: folder.path("linked.sqlite"))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.count >= 5)
        // What is in the log of an open ledger alone is not in its file.
        #expect(names.filter { SQLiteLedger.isLedger(folder.path($0)) }.contains("other.sqlite"))
        #expect(try Self.locks(path + "-shm") == before)
        #expect(try Self.locks(path).count >= 1)
    }

    /// The locks of this process on a file (proc(5), /proc/locks), without their numbers.
    private static func locks(_ path: String) throws -> [String] {
        let number = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
        let text = try String(contentsOfFile: "/proc/locks", encoding: .utf8)
        return text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }.filter { fields in
            fields.count > 5 && fields[4] == "\(getpid())" && fields[5].hasSuffix(":\(number ?? -1)")
        }.map { $0.dropFirst().joined(separator: " ") }
    }
}
