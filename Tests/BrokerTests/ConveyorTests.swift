import Foundation
import Model
import NIOPosix
import TestServers
import Testing

@testable import Broker

@Suite(.timeLimit(.minutes(5)))
struct ConveyorTests {
    let server: RedisServer
    let broker: Broker
    let id: MailingID
    let fencingToken = FencingToken(ledger: "ledger", number: 1)
    let epoch: Epoch

    init() async throws {
        server = try await RedisServer()
        broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 3, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: quiet)
        var generator = SystemRandomNumberGenerator()
        id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
        epoch = try await begin(broker, fencingToken)
    }

    private func batch(_ number: Int, dispatchNumber: Int = 1, open: [OpenRecipient]? = nil) -> DispatchedBatch {
        var recipients = Recipients(width: 2)
        recipients.append(row: ["1", "a@example.com"])
        recipients.append(row: ["2", "ü \"x\"\\@example.com"])
        return DispatchedBatch(
            id: BatchID(mailing: id, number: number), dispatchNumber: dispatchNumber, recipients: recipients.encoded(), count: 2,
            open: open, expires: 5, fed: 7)
    }

    private let whole = [OpenRecipient(index: 0, attempts: 0), OpenRecipient(index: 1, attempts: 0)]

    private func take(_ queue: BatchQueue, as consumer: String = "w1") async throws -> BatchQueue.Lease? {
        try await queue.take(channels: [.email, .sms], consumer: consumer, count: 1, block: .milliseconds(20)).first
    }

    @Test func aBatchComesOutAsItWentInAndOnlyOnce() async throws {
        let queue = BatchQueue(broker)
        let open = [OpenRecipient(index: 1, attempts: 2)]
        #expect(try await queue.feed([batch(0), batch(1, open: open)], channel: .sms, epoch: epoch, fencingToken: fencingToken) == 2)
        #expect(try await queue.feed([batch(0)], channel: .sms, epoch: epoch, fencingToken: fencingToken) == 0)
        #expect(try await queue.depth(.sms) == 2)
        let first = try #require(try await take(queue))
        let second = try #require(try await take(queue, as: "w2"))
        #expect(try await take(queue) == nil)
        #expect(first.batch.id.number == 0 && first.batch.open == nil && first.channel == .sms)
        #expect(second.batch.open == open && second.batch.expires == 5 && second.batch.fed == 7)
        #expect(try Recipients(decoding: second.batch.recipients, width: 2)[1, 1] == "ü \"x\"\\@example.com")
        #expect(try await queue.inWork(.sms) == 2)
        #expect(try await queue.fed(id, epoch: epoch) == [0: 1, 1: 1])
    }

    @Test func aGroupBeginsOnlyWhileTheMailingSendsAndTheGenerationHolds() async throws {
        let queue = BatchQueue(broker)
        let board = PublishedMailings(broker)
        let mailing = Mailing(name: "m", channel: .email, provider: "p")
        _ = try await queue.feed([batch(0)], channel: .email, epoch: epoch, fencingToken: fencingToken)
        let lease = try #require(try await take(queue))
        #expect(try await queue.begin(lease, whole) == .lost)
        try await board.publish(id, mailing, state: .sending, speed: "", fencingToken: fencingToken)
        #expect(try await queue.begin(lease, whole) == .go)
        try await board.publish(id, mailing, state: .paused, speed: "5/s", fencingToken: fencingToken)
        #expect(try await queue.begin(lease, whole) == .halted(.paused))
        let controls = try #require(try await board.controls(id))
        #expect(controls.state == .paused && controls.speed == "5/s")
        try await board.publish(id, mailing, state: .sending, speed: "", fencingToken: fencingToken)
        _ = try await queue.feed([batch(0, dispatchNumber: 2)], channel: .email, epoch: epoch, fencingToken: fencingToken)
        #expect(try await queue.begin(lease, whole) == .lost)
        #expect(try await board.definition(id) == mailing)
    }

    @Test func resultsTravelAndTheClosingOneTakesTheBatchAway() async throws {
        let queue = BatchQueue(broker)
        let status = StatusStreams(broker)
        _ = try await queue.feed([batch(4)], channel: .email, epoch: epoch, fencingToken: fencingToken)
        let lease = try #require(try await take(queue))
        let sent = RecipientResult(
            index: 0, state: .sent, attempts: 1, at: 1_000_000,
            response: ProviderResponse(kind: .accepted, stage: .response, code: 250, text: "2.0.0 Ok: queued as A\"B", messageID: "A"))
        let waiting = RecipientResult(
            index: 1, state: .deferred, attempts: 2, at: 1_000_500, due: 1_009_000,
            response: ProviderResponse(kind: .temporary, stage: .rcpt, code: 450, text: "4.2.0 später"))
        var open = ResultGroup(batch: lease.batch.id, dispatchNumber: 1, worker: "w1", sequence: 0, closing: .open, results: [sent])
        var done = ResultGroup(batch: lease.batch.id, dispatchNumber: 1, worker: "w1", sequence: 1, closing: .done, results: [waiting])
        _ = try await queue.report(open, of: lease)
        #expect(try await queue.depth(.email) == 1)
        _ = try await queue.report(done, of: lease)
        open.groups = 1
        done.groups = 2
        #expect(try await queue.depth(.email) == 0)
        #expect(try await queue.fedCount(id) == 1)
        let events = EventGroup(
            mailing: id, events: [RecipientEvent(batch: 4, index: 0, kind: .clicked, at: 9, detail: "https://example.com/?a=1&b")])
        try await status.send(events)
        try await status.sendHalt(id, reason: "no")
        #expect(try await status.lag().entries.reduce(0, +) == 4)

        let entries = try await status.read(consumer: "c", count: 10, block: .milliseconds(20))
        let payloads = entries.map(\.payload)
        #expect(payloads.count == 4)
        for expected in [.results(open), .results(done), .events(events), .halt(id, reason: "no")] as [StatusStreams.Payload] {
            #expect(payloads.contains(expected))
        }
        // A collector that died before it confirmed finds them again.
        #expect(try await status.readUnconfirmed(consumer: "c", count: 10).count == 4)
        #expect(try await status.claimAbandoned(by: "d", idle: .seconds(60), count: 10).isEmpty)
        #expect(try await status.claimAbandoned(by: "d", idle: .zero, count: 100).count == 4)
        try await status.confirm(entries, over: [Dispatch(batch: lease.batch.id, dispatchNumber: 1)])
        #expect(try await status.readUnconfirmed(consumer: "c", count: 10).isEmpty)
        #expect(try await status.lag().entries.reduce(0, +) == 0)
        #expect(try await queue.fedCount(id) == 0)
    }

    @Test func anUnreadableEntryIsToldNotLostInSilence() async throws {
        let status = StatusStreams(broker)
        _ = try await broker.redis.send(["XADD", "test:status:1", "*", "k", "r", "m", "nonsense"])
        let entries = try await status.read(consumer: "c", count: 10, block: .milliseconds(20))
        guard case .unreadable(let why)? = entries.first?.payload else { throw TimedOut(description: "nothing unreadable") }
        #expect(why.contains("no mailing id"))
    }
}
