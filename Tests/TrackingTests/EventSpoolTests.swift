import Foundation
import Model
import TestServers
import Testing

@testable import Tracking

@Suite struct EventSpoolTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func batch(_ number: Int, bytes: Int = 100) -> [UInt8] { [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: bytes) }

    /// All that is in it, in order, taken out.
    private func drained(_ spool: inout EventSpool) throws -> [[UInt8]] {
        var all: [[UInt8]] = []
        while let file = spool.oldest() {
            all += try SpoolContents(of: file.path).batches
            spool.removeOldest()
        }
        return all
    }

    @Test func whatWasWrittenIsReadInOrder() throws {
        var spool = EventSpool(folder: folder.path, name: "events-0", limit: 100 << 20)
        let batches = (0..<50).map { batch($0, bytes: 100_000) }
        for batch in batches { #expect(spool.append([batch, batch]) == true) }
        #expect(spool.bytes == 50 * 2 * 100_008)
        let all = try drained(&spool)
        #expect(all == batches.flatMap { [$0, $0] })
        #expect(spool.isEmpty && spool.bytes == 0)
    }

    @Test func whatIsAddedWhileTheOldestIsReadComesBehindIt() throws {
        var spool = EventSpool(folder: folder.path, name: "events-0", limit: 1 << 20)
        #expect(spool.append([batch(1)]) == true)
        let first = spool.oldest()
        #expect(spool.append([batch(2)]) == true)
        let contents = try SpoolContents(of: try #require(first).path)
        #expect(contents.batches == [batch(1)])
        spool.removeOldest()
        let rest = try drained(&spool)
        #expect(rest == [batch(2)])
    }

    @Test func anotherLifeFindsWhatWasLeftAndEachStreamItsOwn() throws {
        var spool = EventSpool(folder: folder.path, name: "events-0", limit: 1 << 20)
        var other = EventSpool(folder: folder.path, name: "events-1", limit: 1 << 20)
        #expect(spool.append([batch(1)]) && other.append([batch(9)]) == true)
        spool.end()
        var again = EventSpool(folder: folder.path, name: "events-0", limit: 1 << 20)
        #expect(!again.isEmpty && again.append([batch(2)]))
        let all = try drained(&again)
        #expect(all == [batch(1), batch(2)])
    }

    @Test func itIsBounded() throws {
        var spool = EventSpool(folder: folder.path, name: "events-0", limit: 1000)
        #expect(spool.append([batch(1, bytes: 900)]) && !spool.append([batch(2, bytes: 100)]) == true)
        #expect(spool.problem.contains("tracker.spool_limit"))
        let all = try drained(&spool)
        #expect(all.count == 1)
        #expect(spool.append([batch(2, bytes: 100)]) == true)
    }

    /// The process was killed while it wrote, or the disk is bad.
    @Test(arguments: 0..<20 as Range<UInt64>) func aDamagedEndCostsNoMoreThanItself(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var spool = EventSpool(folder: folder.path, name: "events-0", limit: 1 << 20)
        let batches = (0..<9).map { batch($0, bytes: .random(in: 1...50, using: &random)) }
        for batch in batches { #expect(spool.append([batch]) == true) }
        let oldest = spool.oldest()
        let path = try #require(oldest).path
        let whole = try [UInt8](Data(contentsOf: URL(filePath: path)))
        let cut = Int.random(in: 0..<whole.count, using: &random)
        try Data(whole[..<cut]).write(to: URL(filePath: path))
        let left = try SpoolContents(of: path)
        #expect(batches.starts(with: left.batches))
        try Data(Mutation.spoil(whole, using: &random)).write(to: URL(filePath: path))
        _ = try SpoolContents(of: path)
    }

    /// A damaged batch costs itself only, and its events are counted by the numbers that are missing.
    @Test func whatADamagedFileLosesIsCounted() throws {
        var spool = EventSpool(folder: folder.path, name: "events-0", limit: 1 << 20)
        let event = TrackedEvent(.open, mailing: 2, batch: 1, index: 1, time: 5)
        let batches = (0..<3 as Range<UInt64>).map {
            EventBatch(source: 7, sequence: $0 * 4, events: [TrackedEvent](repeating: event, count: 4)).encoded()
        }
        #expect(spool.append(batches) == true)
        let oldest = spool.oldest()
        let path = try #require(oldest).path
        let whole = try SpoolContents(of: path)
        #expect(whole.isWhole && whole.lostEvents == 0 && whole.batches == batches)
        var bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
        bytes[8 + batches[0].count + 8 + 3] ^= 1
        try Data(bytes).write(to: URL(filePath: path))
        let spoiled = try SpoolContents(of: path)
        #expect(spoiled.batches == [batches[0], batches[2]] && spoiled.lostEvents == 4)
        try Data(bytes.dropLast()).write(to: URL(filePath: path))
        let cut = try SpoolContents(of: path)
        #expect(cut.batches == [batches[0]] && cut.lostEvents == 1)
        try FileManager.default.removeItem(atPath: path)
        let gone = try SpoolContents(of: path)
        #expect(gone.batches.isEmpty && gone.lostEvents == 1)
    }

    /// A folder stands for what root cannot read either.
    @Test func aFileThatCannotBeReadIsNotTakenForADamagedOne() throws {
        let path = folder.path("events-0.1.spool")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let error = #expect(throws: UnreadableSpool.self) { try SpoolContents(of: path) }
        #expect(error?.number == EISDIR)
    }

    @Test func aFolderIsThatOfOneTracker() throws {
        let path = folder.path("a/b")
        var first: SpoolFolder? = try SpoolFolder(path)
        #expect(throws: SpoolFolderError.self) { try SpoolFolder(path) }
        #expect(first?.path == path)
        first = nil
        _ = try SpoolFolder(path)
        let rights = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(rights == 0o700)
    }
}
