import Foundation
import Model
import NIOPosix
import TestServers
import Testing

@testable import Broker

/// Begins an epoch, as a dispatcher does.
func begin(_ broker: Broker, _ fencingToken: FencingToken) async throws -> Epoch {
    let board = EpochStore(broker)
    let (leadership, epoch, run) = try await board.hold(fencingToken, time: .seconds(30))
    #expect(leadership == .held)
    return try #require(try await board.establish(after: epoch, run: run, fencingToken: fencingToken))
}

/// Who has a batch, who may go on with it, and what a successor knows of it.
@Suite(.timeLimit(.minutes(5)))
struct LeaseTests {
    let server: RedisServer
    let broker: Broker
    let queue: BatchQueue
    let register: WorkerRegistry
    let status: StatusStreams
    let id: MailingID
    let fencingToken = FencingToken(ledger: "ledger", number: 1)

    init() async throws {
        server = try await RedisServer(["--appendonly", "yes"])
        broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 3, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: quiet)
        queue = BatchQueue(broker)
        register = WorkerRegistry(broker)
        status = StatusStreams(broker)
        var generator = SystemRandomNumberGenerator()
        id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
    }

    private func batch(_ number: Int = 0, dispatchNumber: Int = 1) -> DispatchedBatch {
        DispatchedBatch(
            id: BatchID(mailing: id, number: number), dispatchNumber: dispatchNumber, recipients: Array("[]".utf8), count: 10,
            open: nil, expires: 5, fed: 7)
    }

    private func open(_ indexes: Range<Int>) -> [OpenRecipient] { indexes.map { OpenRecipient(index: $0, attempts: 0) } }

    private func sent(_ indexes: Range<Int>) -> [RecipientResult] {
        indexes.map {
            RecipientResult(
                index: $0, state: .sent, attempts: 1, at: 1_000_000,
                response: ProviderResponse(kind: .accepted, stage: .response, code: 250, text: "Ok"))
        }
    }

    private func group(
        _ lease: BatchQueue.Lease, _ sequence: Int, _ closing: ResultGroup.Closing, _ results: [RecipientResult]
    ) -> ResultGroup {
        ResultGroup(
            batch: lease.batch.id, dispatchNumber: lease.batch.dispatchNumber, worker: "\(lease.worker).\(lease.deliveries)",
            sequence: sequence, closing: closing, results: results)
    }

    /// A batch, fed and taken by worker `a`, of a mailing that sends.
    private func taken(_ epoch: Epoch) async throws -> BatchQueue.Lease {
        try await PublishedMailings(broker).publish(
            id, Mailing(name: "m", channel: .email, provider: "p"), state: .sending, speed: "", fencingToken: fencingToken)
        _ = try await queue.feed([batch()], channel: .email, epoch: epoch, fencingToken: fencingToken)
        return try #require(
            try await queue.take(channels: [.email], consumer: "a", count: 1, block: .milliseconds(20)).first)
    }

    private func takeOver(by worker: String) async throws -> [BatchQueue.Lease] {
        try await queue.takeOver(channels: [.email], consumer: worker, count: 10)
    }

    @Test func aBatchIsLeftToItsWorkerForTheTimeOfItsLeaseAndNoLonger() async throws {
        let lease = try await taken(try await begin(broker, fencingToken))
        _ = try await register.renew("a", lease: .seconds(60), condition: .clean, losses: 0, isKnown: false)
        #expect(try await takeOver(by: "b").isEmpty)
        _ = try await register.renew("a", lease: .milliseconds(1), condition: .clean, losses: 0, isKnown: true)
        try await eventually("the lease is over") { try await !takeOver(by: "b").isEmpty }
        #expect(try await queue.begin(lease, open(0..<5)) == .lost)
        // A worker that comes back does not get it from one whose lease holds.
        _ = try await register.renew("b", lease: .seconds(60), condition: .clean, losses: 0, isKnown: false)
        #expect(try await takeOver(by: "a").isEmpty)
    }

    @Test func aSuccessorKnowsWhoIsDoneAndWhoMayHaveBeenReached() async throws {
        let first = try await taken(try await begin(broker, fencingToken))
        #expect(try await queue.begin(first, open(0..<4)) == .go)
        #expect(try await queue.begin(first, open(4..<8)) == .go)
        _ = try await queue.report(group(first, 0, .open, sent(1..<3)), of: first)
        try await queue.untouch(first, [6, 7])
        let second = try #require(try await takeOver(by: "b").first)
        #expect(second.deliveries == 2 && second.from == "a" && second.batch.id == first.batch.id)
        let marks = try #require(try await queue.marks(second))
        #expect(try await queue.marks(first) == nil)
        #expect(
            (0..<10).map { marks[$0] } == [.begun, .done, .done, .begun, .begun, .begun, .untouched, .untouched, .untouched, .untouched])
        // The first wakes: it may begin nothing, take back nothing and close nothing; what it sent is told all the same.
        #expect(try await queue.begin(first, open(6..<8)) == .lost)
        try await queue.untouch(first, Array(0..<8))
        _ = try await queue.report(group(first, 1, .done, sent(0..<1)), of: first)
        #expect(try await queue.depth(.email) == 1)
        let after = try #require(try await queue.marks(second))
        #expect(after[3] == .begun && after[0] == .done)
        // Who is only listed is not done: a third worker would still send to them.
        let listed = [RecipientResult(index: 3, state: .uncertain, attempts: 0, at: 1, due: 1)]
        _ = try await queue.report(group(second, 0, .open, listed), of: second)
        #expect(try await queue.marks(second)?[3] == .begun)
        _ = try await queue.report(group(second, 1, .released, []), of: second)
        #expect(try await queue.depth(.email) == 0)
        let groups = try await status.read(consumer: "c", count: 100, block: .milliseconds(20)).compactMap { entry in
            if case .results(let group) = entry.payload { group } else { nil }
        }
        #expect(groups.map(\.closing) == [.open, .open, .open, .released])
        #expect(groups.map(\.groups) == [1, 2, 3, 4])
    }

    @Test func aGroupThatWasReportedIsNotSentTwice() async throws {
        let lease = try await taken(try await begin(broker, fencingToken))
        let first = try await queue.report(group(lease, 0, .open, sent(0..<2)), of: lease)
        let again = try await queue.report(group(lease, 0, .open, sent(0..<2)), of: lease)
        #expect(first?.id == again?.id)
        #expect(try await status.lag().entries.reduce(0, +) == 1)
    }

    @Test func aLostReplyBringsTheBatchAgain() async throws {
        let lease = try await taken(try await begin(broker, fencingToken))
        #expect(try await queue.takeLost(channels: [.email], consumer: "a", known: [.email: [lease.entry]]).isEmpty)
        let again = try #require(try await queue.takeLost(channels: [.email], consumer: "a", known: [:]).first)
        #expect(again.entry == lease.entry && again.deliveries == 1 && !again.isNew)
        #expect(try await queue.begin(again, open(0..<1)) == .go)
    }

    @Test(arguments: ["emptied", "started again"])
    func aRedisThatIsNotTheOneItWasIsNotBelieved(how: String) async throws {
        let epoch = try await begin(broker, fencingToken)
        let lease = try await taken(epoch)
        #expect(try await register.renew("a", lease: .seconds(60), condition: .clean, losses: 0, isKnown: false).isKept)
        #expect(try await register.renew("a", lease: .seconds(60), condition: .clean, losses: 0, isKnown: true).isKept)
        let receipt = try #require(try await queue.report(group(lease, 0, .open, sent(0..<2)), of: lease))
        if how == "emptied" {
            _ = try await broker.redis.send(["FLUSHALL"])
        } else {
            server.stop()
            try await server.start()
            try await eventually("Redis is back") { (try? await broker.check()) != nil }
            #expect(try await queue.depth(.email) == 1)
        }
        #expect(try await queue.begin(lease, open(0..<1)) == .lost)
        // That it knows of no batch must not be taken for a batch that never came.
        await #expect(throws: RedisError.void) { _ = try await queue.fed(id, epoch: epoch) }
        // It has no say in who has a batch, and none in how many groups of results there were.
        #expect(try await takeOver(by: "b").isEmpty)
        let closing = try #require(try await queue.report(group(lease, 1, .released, sent(2..<3)), of: lease))
        let told = try await status.read(consumer: "c", count: 100, block: .milliseconds(20)).compactMap { entry in
            if case .results(let group) = entry.payload, group.sequence == 1 { group } else { nil }
        }
        #expect(told.map(\.closing) == [.open] && told.map(\.groups) == [0] && closing.id > receipt.id)
        await #expect(throws: RedisError.void) {
            _ = try await queue.feed([batch(1)], channel: .email, epoch: epoch, fencingToken: fencingToken)
        }
        let renewal = try await register.renew("a", lease: .seconds(60), condition: .clean, losses: 0, isKnown: true)
        #expect(!renewal.isKept && renewal.epoch == nil && !renewal.isNoted)
        // Not clean before it has noticed: the reply may have been lost.
        #expect(try await register.all().workers == [.init(worker: "a", isAlive: true, condition: .lost)])
        let again = try await register.renew("a", lease: .seconds(60), condition: .clean, losses: 0, isKnown: true)
        #expect(!again.isKept)
        #expect(try await status.offer([receipt]).count == 1)
        _ = try await register.renew("a", lease: .seconds(60), condition: .clean, losses: 1, isKnown: true)
        #expect(try await register.all().workers == [.init(worker: "a", isAlive: true, condition: .clean)])
        let next = try await begin(broker, fencingToken)
        #expect(next != epoch)
        #expect(try await queue.depth(.email) == 0)
        #expect(try await status.lag().entries.reduce(0, +) == (how == "emptied" ? 2 : 3))
        #expect(try await register.renew("a", lease: .seconds(60), condition: .clean, losses: 1, isKnown: true).epoch == next)
    }

    @Test func ofTwoFeedersTheLaterHasTheDutyAndAnotherLedgerHasNone() async throws {
        let epoch = try await begin(broker, fencingToken)
        let board = EpochStore(broker)
        let later = FencingToken(ledger: "ledger", number: 2)
        #expect(try await board.hold(later, time: .seconds(30)).leadership == .held)
        #expect(try await board.hold(fencingToken, time: .seconds(30)).leadership == .lost)
        await #expect(throws: RedisError.void) {
            _ = try await queue.feed([batch()], channel: .email, epoch: epoch, fencingToken: fencingToken)
        }
        await #expect(throws: RedisError.void) {
            try await PublishedMailings(broker).publish(
                id, Mailing(name: "m", channel: .email, provider: "p"), state: .sending, speed: "", fencingToken: fencingToken)
        }
        #expect(try await queue.feed([batch()], channel: .email, epoch: epoch, fencingToken: later) == 1)
        let foreign = FencingToken(ledger: "other", number: 9)
        #expect(try await board.hold(foreign, time: .seconds(30)).leadership == .foreign)
        #expect(try await board.hold(later, time: .milliseconds(50)).leadership == .held)
        try await eventually("the duty is free") { try await board.hold(foreign, time: .seconds(30)).leadership == .held }
    }

    @Test func theDeadAreForgottenOnceTheyHaveNothing() async throws {
        let lease = try await taken(try await begin(broker, fencingToken))
        _ = try await queue.report(group(lease, 0, .done, sent(0..<10)), of: lease)
        _ = try await register.renew("a", lease: .zero, condition: .clean, losses: 0, isKnown: false)
        _ = try await takeOver(by: "b")
        #expect(try await register.all().workers.map(\.isAlive) == [false])
        // A consumer that Redis knows no lease of at all goes at once.
        _ = try await broker.redis.send(["HDEL", "test:workers", "a"])
        _ = try await takeOver(by: "b")
        #expect(try await broker.redis.send(["XINFO", "CONSUMERS", "test:ready:email", "workers"]).array?.isEmpty == true)
    }

    @Test func stretchesCoverJustTheirIndexes() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let indexes = (0..<30).filter { _ in Bool.random(using: &generator) }
            let words = IndexRange.words(indexes).map { word -> Int in
                if case .text(let text) = word { Int(text) ?? -1 } else { -1 }
            }
            let covered = stride(from: 0, to: words.count, by: 2).flatMap { words[$0]..<words[$0] + words[$0 + 1] }
            #expect(covered == indexes)
        }
        #expect(IndexRange.words([3, 3, 4]).count == 2)
        #expect(IndexRange.words([]).isEmpty)
    }
}
