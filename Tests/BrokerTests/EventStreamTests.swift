import Model
import TestServers
import Testing

@testable import Broker

/// The way of tracked events to the collector.
@Suite(.timeLimit(.minutes(5))) struct EventStreamTests {
    let fleet: TestFleet
    let streams: EventStreams

    init() async throws {
        fleet = try await TestFleet()
        streams = EventStreams(fleet.broker)
    }

    private func batch(_ sequence: UInt64, mailing: UInt32, count: Int = 1) -> EventBatch {
        EventBatch(
            source: 7, sequence: sequence,
            events: (0..<count).map { TrackedEvent(.click, mailing: mailing, batch: 1, index: UInt32($0), link: 3, time: 1000) })
    }

    @Test func batchesTravelInOrderAndGoWhenTheyAreConfirmed() async throws {
        let batches = (0..<6).map { batch(UInt64($0), mailing: UInt32($0)) }
        #expect(try await streams.append(batches))
        let entries = try await streams.read(consumer: "c", count: 100, block: .milliseconds(20))
        for parity in 0...1 {
            let own = entries.compactMap(\.batch).filter { $0.events[0].mailing % 2 == UInt32(parity) }
            #expect(own == batches.filter { $0.sequence % 2 == UInt64(parity) })
        }
        #expect(try await streams.read(consumer: "d", count: 100, block: nil).isEmpty)
        // A collector that died before it confirmed finds them again, or another one does.
        #expect(try await streams.readUnconfirmed(consumer: "c", count: 100).count == 6)
        #expect(try await streams.claimAbandoned(by: "d", idle: .seconds(600), count: 100).isEmpty)
        #expect(try await streams.claimAbandoned(by: "d", idle: .zero, count: 100).compactMap(\.batch).count == 6)
        try await streams.confirm(entries)
        #expect(try await streams.depths() == [StreamDepth(), StreamDepth()])
        await streams.close()
    }

    /// An entry with the highest id, of a wrong clock or another program: Redis adds none behind it.
    @Test func aStreamThatTakesNoEntryBeginsAnewWithItsEntries() async throws {
        #expect(try await streams.append((0..<3).map { batch($0, mailing: 2) }))
        _ = try await streams.read(consumer: "c", count: 2, block: nil)
        _ = try await fleet.broker.redis.send([
            "XADD", .text(fleet.broker.keys.events(0)), "18446744073709551615-18446744073709551615", "v", "1", "d", "x",
        ])
        #expect(try await streams.append((3..<5).map { batch($0, mailing: 2) }))
        let entries = try await streams.read(consumer: "c", count: 100, block: nil)
        #expect(entries.compactMap(\.batch?.sequence) == [0, 1, 2, 3, 4] && entries.count { $0.letter != nil } == 1)
        try await streams.confirm(entries)
        #expect(try await streams.depths() == [StreamDepth(), StreamDepth()])
        await streams.close()
    }

    @Test func theStreamOfReceiptsBeginsAnewToo() async throws {
        let receipts = ReceiptStreams(fleet.broker)
        let wire = ReceiptBatch([ProviderReceipt(.delivered, word: "delivered")]).encoded()
        #expect(try await receipts.append([wire], to: 0))
        _ = try await fleet.broker.redis.send([
            "XADD", .text(fleet.broker.keys.receipts), "18446744073709551615-18446744073709551615", "v", "1", "d", "x",
        ])
        #expect(try await receipts.append([wire], to: 0))
        let entries = try await receipts.read(consumer: "c", count: 100, block: nil)
        #expect(entries.count { $0.batch != nil } == 2 && entries.count { $0.letter != nil } == 1)
        await receipts.close()
        await streams.close()
    }

    @Test func aFullStreamTakesNothingUntilACollectorMadeRoom() async throws {
        var bounds = EventStreams.Bounds()
        bounds.entries = 3
        let streams = EventStreams(fleet.broker, bounds: bounds)
        #expect(try await streams.append((0..<2).map { batch($0, mailing: 2) }))
        // All, or none: the tracker keeps them, and sends them again.
        #expect(try await !streams.append((2..<4).map { batch($0, mailing: 2) }))
        #expect(try await streams.depths()[0].entries == 2)
        #expect(try await streams.append([batch(0, mailing: 1)]))
        try await streams.confirm(try await streams.read(consumer: "c", count: 100, block: nil))
        #expect(try await streams.append((2..<4).map { batch($0, mailing: 2) }))
        await streams.close()
    }

    @Test func aStreamIsBoundedInBytesToo() async throws {
        var bounds = EventStreams.Bounds()
        bounds.bytes = 100_000
        let streams = EventStreams(fleet.broker, bounds: bounds)
        var taken = 0
        while try await streams.append([batch(UInt64(taken), mailing: 2, count: 500)]) { taken += 1 }
        #expect((2...20).contains(taken))
        await streams.close()
    }

    @Test func whatCannotBeReadIsADeadLetterThatCanBePutBack() async throws {
        var newer = batch(0, mailing: 1).encoded()
        newer[0] = 9
        #expect(try await streams.append([newer, batch(1, mailing: 1).encoded(), []], to: 1))
        let entries = try await streams.read(consumer: "c", count: 100, block: nil)
        #expect(entries.map { $0.batch?.sequence } == [nil, 1, nil])
        let letter = try #require(entries[0].letter)
        #expect(letter.source == .events(1) && letter.isWhole && letter.reason.contains("version 9"))
        try await streams.confirm(entries)
        #expect(try await DeadLetters(fleet.broker).putBack(letter))
        let again = try await streams.read(consumer: "c", count: 100, block: nil)
        #expect(again.count == 1 && again[0].letter?.fields == letter.fields)
        await streams.close()
    }

    @Test func streamsThatWereLostAreMadeAgain() async throws {
        #expect(try await streams.read(consumer: "c", count: 10, block: nil).isEmpty)
        _ = try await fleet.broker.redis.send(["FLUSHALL"])
        #expect(try await streams.append([batch(5, mailing: 1)]))
        #expect(try await streams.read(consumer: "c", count: 10, block: nil).count == 1)
        await streams.close()
    }
}

extension EventStreams {
    /// Adds batches, each with events of mailings of one stream only.
    /// - Returns: false where a stream is full, and lacks those that go to it.
    fileprivate func append(_ batches: [EventBatch]) async throws(RedisError) -> Bool {
        var isTaken = true
        for stream in 0..<Self.count {
            let own = batches.filter { $0.events.first.map { Self.number(of: $0.mailing) } == stream }
            if try await !append(own.map { $0.encoded() }, to: stream) { isTaken = false }
        }
        return isTaken
    }
}
