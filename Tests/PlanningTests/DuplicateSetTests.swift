import Model
import Testing

@testable import Planning

@Suite struct DuplicateSetTests {
    private static func set(mostSlots: Int) -> DuplicateSet {
        var generator = SeededGenerator(seed: 7)
        return DuplicateSet(using: &generator, mostSlots: mostSlots)
    }

    private static func key(_ number: Int) -> [UInt8] { Array("person\(number)@example.com".utf8) }

    /// 20,000 keys go through tables of 1,024 slots, most of them to disk.
    @Test func everyKeyIsKnownWithItsFirstRowWhetherItLiesInMemoryOrOnDisk() throws {
        var set = Self.set(mostSlots: 1 << 10)
        for number in 1...20_000 { #expect(try Self.insert(number, row: number, &set) == .new) }
        for number in stride(from: 1, through: 20_000, by: 7) {
            #expect(try Self.insert(number, row: 99_999, &set) == .duplicate(number))
        }
        for number in 20_001...25_000 { #expect(try Self.insert(number, row: number, &set) == .new) }
        #expect(set.spillFault == nil)
    }

    @Test func aTableSmallerThanAPageOfTheDiskIsReadWhole() throws {
        var set = Self.set(mostSlots: 64)
        for number in 1...500 { #expect(try Self.insert(number, row: number, &set) == .new) }
        for number in 1...500 { #expect(try Self.insert(number, row: 1, &set) == .duplicate(number)) }
    }

    /// The first row with such an address is told as reached, the next ones as its duplicates, wherever the address lies.
    /// Some of those who were reached lie in the table for them, the others with the rows.
    @Test(arguments: [1 << 10, 1 << 20], [0, 100, 5_000]) func oneWhoWasReachedIsToldOnce(mostSlots: Int, expected: Int) throws {
        var set = Self.set(mostSlots: mostSlots)
        set.expectReached(expected)
        for first in stride(from: 1, through: 5_000, by: 500) {
            let keys = (first..<first + 500).map { Self.key($0) }
            var end = 0
            // Twice, as two mailings may have reached the same people.
            for _ in 0..<2 {
                end = 0
                set.insertReached(
                    keys.flatMap { $0 },
                    ends: keys.map {
                        end += $0.count
                        return end
                    })
            }
        }
        for number in 1...6_000 { #expect(try Self.insert(number, row: number, &set) == (number <= 5_000 ? .reached : .new)) }
        for number in 1...6_000 { #expect(try Self.insert(number, row: 7_000, &set) == .duplicate(number)) }
    }

    private static func insert(_ number: Int, row: Int, _ set: inout DuplicateSet) throws -> DuplicateSet.Insertion {
        let entry = key(number).withUnsafeBufferPointer { set.prepare($0) }
        return try set.insert(entry, row: row)
    }
}
