import Model
import Policy
import Testing

@testable import Ledger

@Suite struct StoredEventTests {
    @Test func whatIsPackedIsReadAgain() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<300 {
            var events = (0..<Int.random(in: 0...20, using: &generator)).map { _ in
                var event = TrackedEvent(
                    TrackedAction.allCases.randomElement(using: &generator) ?? .open,
                    by: TrackedMethod.allCases.randomElement(using: &generator) ?? .get, mailing: 0, batch: 0, index: 0,
                    link: .random(in: 0...UInt16.max, using: &generator), time: .random(in: WireLimit.time, using: &generator))
                event.visitor = .random(in: 0...UInt64.max, using: &generator)
                event.address = Bool.random(using: &generator) ? "2001:db8::1" : ""
                event.damaged = .random(using: &generator)
                var stored = StoredEvent(event, client: .random(in: 0...1 << 40, using: &generator))
                stored.visitor = VisitorClass.allCases.randomElement(using: &generator) ?? .human
                return stored
            }
            events.sort { $0.time < $1.time }
            #expect(try [StoredEvent](packed: events.packed()) == events)
        }
    }

    /// A damaged row is an error and never a trap.
    @Test func whateverTheBytesAreNothingTraps() {
        var generator = SeededGenerator(seed: 2)
        let good = (0..<5).map { StoredEvent(TrackedEvent(.click, mailing: 0, batch: 0, index: 0, link: 300, time: $0), client: 9) }
            .packed()
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            bytes = Array(bytes.prefix(.random(in: 0...bytes.count, using: &generator)))
            _ = try? [StoredEvent](packed: bytes)
        }
    }

    /// Against a plain set of numbers.
    @Test func rangesTakeEachNumberOnce() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<200 {
            var ranges = SequenceRanges()
            var known: Set<UInt64> = []
            for _ in 0..<60 {
                let first = UInt64.random(in: 0...200, using: &generator)
                let new = first..<first + .random(in: 0...12, using: &generator)
                let fresh = ranges.take(new).flatMap { Array($0) }
                #expect(fresh == new.filter { !known.contains($0) })
                known.formUnion(new)
            }
            #expect(Set(ranges.ranges.flatMap { Array($0) }) == known)
            #expect(try SequenceRanges(text: ranges.text) == ranges)
        }
    }

    @Test func rangesAreBounded() throws {
        var ranges = SequenceRanges()
        for number in 0..<1000 { #expect(ranges.take(UInt64(number * 2)..<UInt64(number * 2 + 1)).count == 1) }
        #expect(ranges.ranges.count == SequenceRanges.most)
        #expect(ranges.take(1998..<1999) == [] && ranges.take(1..<2) == [])
        for text in ["1", "5-3", "1-2-3", "0-5 4-9", "x-y"] { #expect(throws: SQLDamage.self) { try SequenceRanges(text: text) } }
    }
}
