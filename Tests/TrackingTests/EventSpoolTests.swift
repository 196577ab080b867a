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
    private func drained(_ spool: inout EventSpool) -> [[UInt8]] {
        var all: [[UInt8]] = []
        while let file = spool.oldest() {
            all += EventSpool.read(file.path).batches
            spool.removeOldest()
        }
        return all
    }

    @Test func whatWasWrittenIsReadInOrder() {
        var spool = EventSpool(folder: folder.path, stream: 0, limit: 100 << 20)
        let batches = (0..<50).map { batch($0, bytes: 100_000) }
        for batch in batches { #expect(spool.append([batch, batch]) == true) }
        #expect(spool.bytes == 50 * 2 * 100_008)
        #expect(drained(&spool) == batches.flatMap { [$0, $0] })
        #expect(spool.isEmpty && spool.bytes == 0)
    }

    @Test func whatIsAddedWhileTheOldestIsReadComesBehindIt() {
        var spool = EventSpool(folder: folder.path, stream: 0, limit: 1 << 20)
        #expect(spool.append([batch(1)]) == true)
        let first = spool.oldest()
        #expect(spool.append([batch(2)]) == true)
        #expect(first.map { EventSpool.read($0.path).batches } == [batch(1)])
        spool.removeOldest()
        #expect(drained(&spool) == [batch(2)])
    }

    @Test func anotherLifeFindsWhatWasLeftAndEachStreamItsOwn() {
        var spool = EventSpool(folder: folder.path, stream: 0, limit: 1 << 20)
        var other = EventSpool(folder: folder.path, stream: 1, limit: 1 << 20)
        #expect(spool.append([batch(1)]) && other.append([batch(9)]) == true)
        spool.end()
        var again = EventSpool(folder: folder.path, stream: 0, limit: 1 << 20)
        #expect(!again.isEmpty && again.append([batch(2)]))
        #expect(drained(&again) == [batch(1), batch(2)])
    }

    @Test func itIsBounded() {
        var spool = EventSpool(folder: folder.path, stream: 0, limit: 1000)
        #expect(spool.append([batch(1, bytes: 900)]) && !spool.append([batch(2, bytes: 100)]) == true)
        #expect(spool.problem.contains("tracker.spool_limit"))
        #expect(drained(&spool).count == 1 && spool.append([batch(2, bytes: 100)]))
    }

    /// The process was killed while it wrote, or the disk is bad.
    @Test(arguments: 0..<20 as Range<UInt64>) func aDamagedEndCostsNoMoreThanItself(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var spool = EventSpool(folder: folder.path, stream: 0, limit: 1 << 20)
        let batches = (0..<9).map { batch($0, bytes: .random(in: 1...50, using: &random)) }
        for batch in batches { #expect(spool.append([batch]) == true) }
        let oldest = spool.oldest()
        let path = try #require(oldest).path
        let whole = try [UInt8](Data(contentsOf: URL(filePath: path)))
        let cut = Int.random(in: 0..<whole.count, using: &random)
        try Data(whole[..<cut]).write(to: URL(filePath: path))
        #expect(batches.starts(with: EventSpool.read(path).batches))
        try Data(Mutation.spoil(whole, using: &random)).write(to: URL(filePath: path))
        _ = EventSpool.read(path)
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
