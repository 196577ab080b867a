import Foundation
import Model
import TestServers
import Testing

@testable import Broker

/// The way of results and events to the collector.
@Suite(.timeLimit(.minutes(5)))
struct StatusStreamTests {
    let fleet: TestFleet
    let epoch: Epoch
    var status: StatusStreams { fleet.status }

    init() async throws {
        fleet = try await TestFleet()
        epoch = try await fleet.begin()
    }

    @Test func resultsTravelAndTheClosingOneTakesTheBatchAway() async throws {
        let lease = try await fleet.taken(epoch, fleet.batch(4))
        let sent = RecipientResult(
            index: 0, state: .sent, attempts: 1, at: 1_000_000,
            response: ProviderResponse(action: .accept, stage: .response, code: 250, text: "2.0.0 Ok: queued as A\"B", messageID: "A"))
        let waiting = RecipientResult(
            index: 1, state: .deferred, attempts: 2, at: 1_000_500, due: 1_009_000,
            response: ProviderResponse(action: .retry, stage: .rcpt, code: 450, text: "4.2.0 später"))
        var open = fleet.group(lease, 0, .open, [sent])
        var done = fleet.group(lease, 1, .done, [waiting])
        _ = try await fleet.queue.report(open, of: lease)
        #expect(try await fleet.entries() == 1)
        _ = try await fleet.queue.report(done, of: lease)
        open.groups = 1
        done.groups = 2
        #expect(try await fleet.entries() == 0)
        #expect(try await fleet.queue.dispatchedCounts([fleet.id]) == [1])
        let events = EventGroup(
            mailing: fleet.id, events: [RecipientEvent(batch: 4, index: 0, kind: .clicked, at: 9, detail: "https://example.com/?a=1&b")])
        try await status.send(events)
        try await status.send(MailingHalt(.unsendable, "no"), of: fleet.id)
        #expect(try await status.lag().entries.reduce(0, +) == 4)

        let entries = try await status.read(consumer: "c", count: 10, block: .milliseconds(20))
        let payloads = entries.map(\.payload)
        #expect(payloads.count == 4)
        for expected in [.results(open), .results(done), .events(events), .halt(fleet.id, MailingHalt(.unsendable, "no"))]
            as [StatusStreams.Payload]
        {
            #expect(payloads.contains(expected))
        }
        // A collector that died before it confirmed finds them again.
        #expect(try await status.readUnconfirmed(consumer: "c", count: 10).count == 4)
        #expect(try await status.claimAbandoned(by: "d", idle: .seconds(600), count: 10).isEmpty)
        #expect(try await status.claimAbandoned(by: "d", idle: .zero, count: 100).count == 4)
        try await status.confirm(entries, over: [Dispatch(batch: lease.batch.id, dispatchNumber: 1)])
        #expect(try await status.readUnconfirmed(consumer: "c", count: 10).isEmpty)
        #expect(try await status.lag().entries.reduce(0, +) == 0)
        #expect(try await fleet.queue.dispatchedCounts([fleet.id]) == [0])
    }

    /// A machine ends while Redis writes: an entry that was acknowledged and is still there would wait for a collector for ever.
    @Test func aFileThatIsCutHasAnEntryToBeReadOrNone() async throws {
        let fleet = try await TestFleet(persists: true)
        _ = try await fleet.begin()
        try await fleet.status.send(MailingHalt(.unsendable, "no"), of: fleet.id)
        try await fleet.status.confirm(try await fleet.status.read(consumer: "c", count: 10, block: .milliseconds(20)))
        let folder = try fleet.server.cli("CONFIG", "GET", "dir").split(separator: "\n").last.map(String.init)
        let file = URL(filePath: try #require(folder)).appending(path: "appendonlydir/appendonly.aof.1.incr.aof")
        fleet.server.stop()
        let text = try Data(contentsOf: file)
        let cut = try #require(text.range(of: Data("XDEL".utf8), options: .backwards))
        try text[..<cut.lowerBound].write(to: file)
        try await fleet.server.start()
        try await eventually("Redis is back") { (try? await fleet.broker.time()) != nil }
        #expect(try await fleet.status.lag().entries.reduce(0, +) == 1)
        let again = try await fleet.status.claimAbandoned(by: "d", idle: .zero, count: 10)
        #expect(again.map(\.payload) == [.halt(fleet.id, MailingHalt(.unsendable, "no"))])
    }

    /// What a collector takes off the streams is what frees the memory.
    @Test func aCollectorThatComesToARedisWithoutMemoryTakesWhatIsThere() async throws {
        try await status.send(MailingHalt(.unsendable, "no"), of: fleet.id)
        try await fleet.broker.check()
        _ = try fleet.server.cli("CONFIG", "SET", "maxmemory", "1mb")
        let collector = TestFleet.broker(fleet.server)
        try await collector.check()
        let streams = StatusStreams(collector)
        #expect(try await streams.readUnconfirmed(consumer: "c", count: 10).isEmpty)
        let entries = try await streams.read(consumer: "c", count: 10, block: .milliseconds(20))
        #expect(entries.count == 1)
        #expect(try await EpochStore(collector).note(commits: 7, of: "ledger") == 7)
        try await streams.confirm(entries, over: [Dispatch(batch: BatchID(mailing: fleet.id, number: 0), dispatchNumber: 1)])
        #expect(try await streams.lag().entries.reduce(0, +) == 0)
        await streams.close()
        await collector.close()
    }

    @Test func aGroupThatWasReportedIsNotSentTwice() async throws {
        let lease = try await fleet.taken(epoch)
        let first = try await fleet.queue.report(fleet.group(lease, 0, .open, fleet.sent(0..<2)), of: lease)
        let again = try await fleet.queue.report(fleet.group(lease, 0, .open, fleet.sent(0..<2)), of: lease)
        #expect(first?.id == again?.id)
        #expect(try await status.lag().entries.reduce(0, +) == 1)
    }

    @Test func anUnreadableEntryIsToldNotLostInSilence() async throws {
        let keys = fleet.broker.keys
        _ = try await fleet.broker.redis.send(["XADD", .text(keys.status(1)), "*", "v", "1", "k", "r", "m", "nonsense"])
        let lease = try await fleet.taken(epoch)
        let fields = fleet.group(lease, 0, .open, fleet.sent(0..<2)).fields
        let newer: [RedisArgument] = ["v", RedisArgument(WireVersion.current + 1)] + fields.dropFirst(2) + ["f", "", "c", "1"]
        _ = try await fleet.broker.redis.send(["XADD", .text(keys.status(2)), "*"] + newer)
        let told = try await status.read(consumer: "c", count: 10, block: .milliseconds(20)).compactMap { $0.letter?.reason }
        #expect(told.count == 2)
        #expect(told.contains { $0.contains("no mailing id") } && told.contains { $0.contains("newer") })
    }

    /// Release 0.1 wrote no version.
    @Test func anEntryWithoutAVersionIsRead() async throws {
        let lease = try await fleet.taken(epoch)
        let fields = fleet.group(lease, 0, .open, fleet.sent(0..<2)).fields.dropFirst(2)
        _ = try await fleet.broker.redis.send(["XADD", .text(fleet.broker.keys.status(0)), "*"] + fields + ["f", "", "c", "1"])
        #expect(try await fleet.groups().map(\.results) == [fleet.sent(0..<2)])
    }
}
