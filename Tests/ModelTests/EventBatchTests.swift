import TestServers
import Testing

@testable import Model

@Suite struct EventBatchTests {
    private static func event(_ number: UInt32, using generator: inout some RandomNumberGenerator) -> TrackedEvent {
        var event = TrackedEvent(
            TrackedAction.allCases.randomElement(using: &generator) ?? .open,
            by: TrackedMethod.allCases.randomElement(using: &generator) ?? .get,
            mailing: .random(in: 0 ... .max, using: &generator), batch: .random(in: 0..<TrackedEvent.batches, using: &generator),
            index: .random(in: 0..<TrackedEvent.indexes, using: &generator), link: .random(in: 0 ... .max, using: &generator),
            time: 1_700_000_000_000 + .random(in: -5000...5000, using: &generator))
        event.agent = ["", "Mozilla/5.0", "curl/8", "Zoë 🎈"].randomElement(using: &generator) ?? ""
        event.network = ["", "apple-proxy"].randomElement(using: &generator) ?? ""
        event.address = ["", "192.0.2.\(number % 7)"].randomElement(using: &generator) ?? ""
        event.visitor = .random(in: 0 ... .max, using: &generator)
        event.damaged = .random(using: &generator)
        return event
    }

    private static func batch(_ count: UInt32, seed: UInt64) -> EventBatch {
        var random = SeededGenerator(seed: seed)
        return EventBatch(source: random.next(), sequence: 1 << 40, events: (0..<count).map { event($0, using: &random) })
    }

    @Test(arguments: [0, 1, 2, 500, 1000] as [UInt32]) func itReadsWhatItWrote(count: UInt32) throws {
        let batch = Self.batch(count, seed: UInt64(count))
        #expect(try EventBatch(decoding: batch.encoded()) == batch)
    }

    /// The form is shared with processes of other releases: its bytes are the same for ever.
    @Test func theWireFormIsStable() {
        var event = TrackedEvent(.click, mailing: 300, batch: 1, index: 2, link: 3, time: 1000)
        (event.agent, event.visitor, event.damaged) = ("a", 5, true)
        let batch = EventBatch(source: 7, sequence: 9, events: [event])
        let expected: [UInt8] = [
            1, 7, 0, 0, 0, 0, 0, 0, 0, 9, 0xe8, 0x07, 1, 1, 97, 0, 0, 1, 0x52, 0xac, 2, 1, 2, 3, 0, 1, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0,
        ]
        #expect(batch.encoded() == expected)
    }

    @Test func whatIsTooLongOrOutOfRangeIsCutToWhatADecoderTakes() throws {
        var event = TrackedEvent(.open, mailing: 1, batch: .max, index: .max, time: -5)
        event.agent = String(repeating: "é", count: 200) + "x"
        let read = try EventBatch(decoding: EventBatch(source: 1, sequence: 0, events: [event]).encoded()).events[0]
        #expect(read.agent == String(repeating: "é", count: 128) && read.time == 0)
        #expect(read.batch == TrackedEvent.batches - 1 && read.index == TrackedEvent.indexes - 1)
    }

    @Test func anOlderReleaseSaysThatABatchIsNewer() {
        var wire = Self.batch(1, seed: 1).encoded()
        wire[0] = 2
        #expect { try EventBatch(decoding: wire) } throws: { ($0 as? WireError)?.isNewer == true }
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func noBytesEndTheProcess(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let wire = Self.batch(UInt32.random(in: 0...6, using: &random), seed: seed).encoded()
        for _ in 0..<2000 {
            let isNoise = Int.random(in: 0..<8, using: &random) == 0
            let spoilt = isNoise ? Mutation.noise(using: &random) : Mutation.spoil(wire, using: &random)
            guard let read = try? EventBatch(decoding: spoilt) else { continue }
            #expect(read.events.count <= EventBatch.mostEvents)
            #expect(read.events.allSatisfy { WireLimit.time.contains($0.time) && $0.agent.utf8.count <= TrackedEvent.agentBytes })
            #expect((try? EventBatch(decoding: read.encoded())) == read)
        }
    }

    @Test(arguments: [[], [0x80], [0xff], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]] as [[UInt8]])
    func aNumberThatDoesNotEndIsRefused(bytes: [UInt8]) {
        var reader = PackedReader(bytes)
        #expect(throws: WireError.self) { try reader.number(atMost: .max) }
    }

    @Test func aVarintHoldsEveryNumber() throws {
        for value in [0, 1, 127, 128, 16_383, 16_384, .max - 1, .max] as [UInt64] {
            var writer = PackedWriter()
            writer.number(value)
            var reader = PackedReader(writer.bytes)
            #expect(try reader.number(atMost: .max) == value)
            try reader.end()
        }
    }
}
