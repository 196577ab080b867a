import Foundation
import Model
import TestServers
import Testing

@testable import Tracking

/// Events on their way to a real Redis.
@Suite(.timeLimit(.minutes(5))) struct EventBufferTests {
    private func event(_ number: Int) -> TrackedEvent {
        TrackedEvent(.open, mailing: UInt32(number % 2), batch: 1, index: UInt32(number % 1000), time: Int64(number))
    }

    @Test func eventsArriveOnceAndTogether() async throws {
        let test = try await TestTracker()
        try await test.buffering { buffer in
            for number in 0..<2000 { await buffer.add(event(number)) }
            let arrived = try await test.arrived(2000)
            #expect(Set(arrived.map(\.time)).count == 2000 && arrived.count == 2000)
            let entries = try test.redis.cli("XINFO", "STREAM", "{test}:events:0").firstMatch(of: /entries-added\n(\d+)/)
            #expect(try #require(entries.flatMap { Int($0.output.1) }) < 50)
        }
    }

    @Test func theEndOfTheProcessSendsWhatWasGathered() async throws {
        let test = try await TestTracker()
        try await test.buffering { await $0.add(event(1)) }
        #expect(try await test.arrived().count == 1)
    }

    @Test func whileRedisIsAwayEventsWaitOnDiskAndArriveInOrder() async throws {
        let test = try await TestTracker()
        try await test.buffering { buffer in
            await buffer.add(event(0))
            _ = try await test.arrived()
            test.redis.stop()
            for number in 1..<500 { await buffer.add(event(number)) }
            try await eventually("they are on disk") { spooled(test) > 0 }
            for number in 500..<1000 { await buffer.add(event(number)) }
            try await test.redis.start()
            let arrived = try await test.arrived(999)
            for parity in 0...1 {
                let times = arrived.map(\.time).filter { $0 % 2 == parity }
                #expect(times == (1..<1000).filter { $0 % 2 == parity }.map(Int64.init))
            }
            try await eventually("the spool is empty") { spooled(test) == 0 }
        }
    }

    /// Redis hangs, with its connections open: what was sent is on disk before the time for a reply is over.
    @Test func whatAStoppedRedisDoesNotAnswerIsOnDiskSoon() async throws {
        let test = try await TestTracker()
        try await test.buffering { buffer in
            await buffer.add(event(0))
            _ = try await test.arrived()
            test.redis.signal(SIGSTOP)
            defer { test.redis.signal(SIGCONT) }
            await buffer.add(event(2))
            try await eventually("it is on disk") { spooled(test) > 0 }
            test.redis.signal(SIGCONT)
            #expect(try await test.arrived().map(\.time) == [2])
        }
    }

    /// However many links are followed, there is room for who unsubscribes.
    @Test func aFloodOfVisitsTakesNoRoomFromChoices() async throws {
        var test = try await TestTracker()
        test.bounds.events = 100
        // It does not run: nothing leaves the memory.
        let buffer = try test.buffer()
        for number in 0..<400 { await buffer.add(event(number)) }
        #expect(await !buffer.add(event(400)))
        let choice = TrackedEvent(.unsubscribe, by: .post, mailing: 2, batch: 1, index: 1, time: 5)
        for _ in 0..<10 { #expect(await buffer.add(choice)) }
        #expect(await !buffer.add(choice))
        var other = choice
        other.mailing = 3
        #expect(await buffer.add(other))
    }

    /// Sixty connections that send without a pause, and a memory for a fraction of what they send.
    @Test func aFloodIsSlowedDownAndLosesNothing() async throws {
        var test = try await TestTracker()
        test.bounds.events = 400
        try await test.buffering { buffer in
            await buffer.add(event(0))
            _ = try await test.arrived()
            let kept = await withTaskGroup(of: Int.self) { connections in
                for connection in 0..<60 {
                    connections.addTask {
                        var kept = 0
                        for number in 0..<200 { if await buffer.add(event(1 + connection * 200 + number)) { kept += 1 } }
                        return kept
                    }
                }
                return await connections.reduce(0, +)
            }
            #expect(kept == 12_000)
            let arrived = try await test.arrived(12_000)
            #expect(arrived.count == 12_000 && Set(arrived.map(\.time)).count == 12_000)
        }
    }

    /// Redis is away, and the disk is full: visitors are answered, the first after a moment.
    @Test func whereNothingTakesEventsNobodyWaitsTwice() async throws {
        var test = try await TestTracker()
        (test.bounds.events, test.bounds.wait, test.spoolLimit) = (100, 500, 0)
        test.redis.stop()
        try await test.buffering { buffer in
            var kept = 0
            let start = ContinuousClock.now
            // All to one stream.
            for number in 0..<400 { if await buffer.add(event(2 * number)) { kept += 1 } }
            #expect(kept == 90 && ContinuousClock.now - start < .seconds(60))
        }
    }

    @Test func choicesWaitInFilesOfTheirOwn() async throws {
        let test = try await TestTracker()
        test.redis.stop()
        let choice = TrackedEvent(.unsubscribe, by: .post, mailing: 2, batch: 1, index: 1, time: 5)
        try await test.buffering { buffer in
            for number in 0..<10 { await buffer.add(event(number)) }
            await buffer.add(choice)
        }
        let spool = try FileManager.default.contentsOfDirectory(atPath: test.folder.path("spool"))
        #expect(spool.contains { $0.hasPrefix("choices-0.") } && !spool.contains { $0.hasPrefix("choices-1.") })
        #expect(spool.contains { $0.hasPrefix("events-0.") } && spool.contains { $0.hasPrefix("events-1.") })
        try await test.redis.start()
        try await test.buffering { _ in
            let arrived = try await test.arrived(11)
            #expect(arrived.filter { $0.action == .unsubscribe } == [choice] && arrived.count == 11)
        }
    }

    @Test func whatIsLeftIsSentByTheNextTracker() async throws {
        let test = try await TestTracker()
        test.redis.stop()
        try await test.buffering { buffer in
            for number in 0..<10 { await buffer.add(event(number)) }
        }
        #expect(spooled(test) > 0)
        try await test.redis.start()
        try await test.buffering { buffer in
            await buffer.add(event(10))
            let arrived = try await test.arrived(11)
            #expect(Set(arrived.map(\.time)) == Set(0..<11))
        }
    }

    /// A file that cannot be read now (here a folder) is not taken for an empty one: what is newer waits behind it.
    @Test func behindASpoolFileThatCannotBeReadEventsWait() async throws {
        let test = try await TestTracker()
        let spool = test.folder.path("spool")
        _ = try SpoolFolder(spool)
        let first = "\(spool)/events-0.1.spool"
        try FileManager.default.createDirectory(atPath: first, withIntermediateDirectories: false)
        try await test.buffering { buffer in
            await buffer.add(event(2))
            try await eventually("it is on disk") { FileManager.default.fileExists(atPath: "\(spool)/events-0.2.spool") }
            let sent = try test.redis.cli("XLEN", "{test}:events:0")
            #expect(sent.hasPrefix("0"))
            try FileManager.default.removeItem(atPath: first)
            let arrived = try await test.arrived()
            #expect(arrived.map(\.time) == [2])
        }
    }

    /// Bytes of events on disk.
    private func spooled(_ test: TestTracker) -> Int {
        let folder = test.folder.path("spool")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".spool") }.reduce(0) { sum, name in
            let size = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")[.size] as? Int
            return sum + (size ?? 0)
        }
    }
}
