import Foundation
import Glibc
import TestServers
import Testing

@testable import Ledger

@Suite struct FolderWatchTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ name: String, _ text: String) throws {
        let file = open(folder.path + "/" + name, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(file) }
        #expect(text.withCString { Glibc.write(file, $0, strlen($0)) } == text.utf8.count)
    }

    private func isReadable(_ descriptor: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    @Test func writesToOtherFilesOfTheFolderWakeNobody() throws {
        try write("ledger", "a")
        try write("planner.log", "a")
        let watch = try FolderWatch(folder: folder.path, names: ["ledger", "ledger-wal"])
        for _ in 0..<100 { try write("planner.log", "line\n") }
        #expect(!isReadable(watch.descriptor))
        try write("ledger", "b")
        #expect(isReadable(watch.descriptor))
        #expect(watch.events().isModified)
    }

    @Test func aFileThatComesLaterIsWatchedFromThenOn() throws {
        let watch = try FolderWatch(folder: folder.path, names: ["ledger", "ledger-wal"])
        try write("ledger-wal", "a")
        try write("other", "a")
        #expect(watch.events().arrived == ["ledger-wal"])
        try write("ledger-wal", "b")
        #expect(watch.events().isModified)
    }

    @Test func aFileThatTakesTheNameIsWatchedInItsPlace() throws {
        try write("ledger", "a")
        let watch = try FolderWatch(folder: folder.path, names: ["ledger"])
        try write("restored", "a")
        #expect(rename(folder.path + "/restored", folder.path + "/ledger") == 0)
        let events = watch.events()
        #expect(events.arrived == ["ledger"])
        #expect(!events.isOver)
        try write("ledger", "b")
        #expect(watch.events().isModified)
    }

    @Test func aFolderThatIsGoneEndsTheWatch() throws {
        try write("ledger", "a")
        let watch = try FolderWatch(folder: folder.path, names: ["ledger"])
        try FileManager.default.removeItem(atPath: folder.path)
        #expect(watch.events().isOver)
    }
}
