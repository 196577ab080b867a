import Logging
import Model
import NIOPosix
import TestServers
import Testing

@testable import Broker
@testable import Delivery

/// The shells of a worker's machines on a real Redis: what keeps its lease, and what sends its results.
@Suite(.timeLimit(.minutes(5)))
struct WorkerShellTests {
    private let server: RedisServer
    private let broker: Broker
    private let worker: WorkerContext
    private let token = FencingToken(ledger: "ledger", number: 1)
    private let lane = Lane(channel: .email, provider: "p")
    private let id: MailingID
    private var renewal: LeaseRenewal { worker.lease }
    private var queue: BatchQueue { worker.queue }

    init() async throws {
        server = try await RedisServer()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        broker = Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: "test", partitions: 2, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: logger)
        // A lease that no busy machine can miss.
        var configuration = WorkerConfiguration(id: "a", hostname: "localhost")
        configuration.lease = .seconds(250)
        worker = WorkerContext(configuration: configuration, broker: broker, logger: logger)
        var generator = SystemRandomNumberGenerator()
        id = MailingID(milliseconds: Clock.milliseconds(), using: &generator)
    }

    private func begin() async throws -> Epoch {
        let epochs = EpochStore(broker)
        let found = try await epochs.hold(token, time: .seconds(250))
        return try #require(try await epochs.establish(after: found, fencingToken: token))
    }

    /// A batch in the hands of worker `a`, or of another.
    private func taken(_ epoch: Epoch, number: Int = 0, by name: String = "a") async throws -> BatchLease {
        try await PublishedMailings(broker).publish(
            [.init(id: id, definition: Mailing(name: "m", channel: .email, provider: "p"), state: .sending, speed: "")], fencingToken: token
        )
        let batch = DispatchedBatch(
            id: BatchID(mailing: id, number: number), dispatchNumber: 1, recipients: Array("[]".utf8), count: 10, open: nil, expires: .max,
            dispatched: 7)
        #expect(try await queue.dispatch([(batch, lane)], epoch: epoch, fencingToken: token) == 1)
        return try #require(try await queue.take([.init(lane: lane, count: 1)], worker: name).first?.leases.first)
    }

    private func inFlight(_ lease: BatchLease) -> InFlightBatch {
        let batch = InFlightBatch(lease, buffer: ResultBuffer(lease: lease, worker: worker))
        worker.inFlight.insert(batch)
        return batch
    }

    private func results(_ indexes: Range<Int>) -> [RecipientResult] {
        let response = ProviderResponse(action: .accept, stage: .response, code: 250, text: "Ok")
        return indexes.map { RecipientResult(index: $0, state: .sent, attempts: 1, at: 1_000_000, response: response) }
    }

    private func condition() async throws -> WorkerRegistry.Condition? {
        try await WorkerRegistry(broker).all().workers.first { $0.worker == "a" }?.condition
    }

    private func groups() async throws -> [ResultGroup] {
        try await worker.status.read(consumer: "c", count: 1_000, block: .milliseconds(20)).compactMap {
            if case .results(let group) = $0.payload { group } else { nil }
        }
    }

    @Test func aLeaseIsHeldAndBatchesAreTakenOnceItIsAdmitted() async throws {
        _ = try await begin()
        #expect(!renewal.isHeld && !renewal.mayTake)
        try await renewal.renew()
        #expect(renewal.isHeld && !renewal.mayTake)
        try await WorkerRegistry(broker).admit(["a"])
        try await renewal.renew()
        #expect(renewal.mayTake && renewal.mayTakeOver)
    }

    @Test func resultsAreKeptUntilTheyAreCollected() async throws {
        let epoch = try await begin()
        try await renewal.renew()
        let batch = inFlight(try await taken(epoch))
        await batch.buffer.add(results(0..<3))
        #expect(renewal.isConfirmed)
        await batch.buffer.flush(olderThan: .zero)
        try await renewal.renew()
        #expect(!renewal.isConfirmed)
        let entries = try await worker.status.read(consumer: "c", count: 10, block: .milliseconds(20))
        try await worker.status.confirm(entries)
        try await renewal.renew()
        #expect(renewal.isConfirmed)
    }

    @Test func afterALossItsBatchesEndItsResultsAreOfferedAndThenItIsClean() async throws {
        let epoch = try await begin()
        try await renewal.renew()
        let batch = inFlight(try await taken(epoch))
        await batch.buffer.add(results(0..<3))
        await batch.buffer.flush(olderThan: .zero)
        _ = try await broker.redis.send(["FLUSHALL"])
        #expect(!batch.isEnded)
        try await renewal.renew()
        #expect(batch.isEnded && !worker.holds(batch))
        #expect(try await groups().map(\.results) == [results(0..<3)])
        try await renewal.renew()
        #expect(try await condition() == .busy)
        // Its last results go to the Redis that is there now, and close nothing.
        await batch.buffer.add(results(3..<5))
        await batch.buffer.close(.released)
        worker.inFlight.remove(batch)
        try await renewal.renew()
        try await renewal.renew()
        #expect(try await condition() == .clean)
        let told = try await groups()
        #expect(told.contains { $0.results == results(3..<5) } && told.allSatisfy { $0.closing == .open && $0.groups == 0 })
    }

    /// It is not known yet which of its messages were in flight, and now nobody can tell.
    @Test func aLossBeforeATakenOverBatchIsStartedLeavesItInDoubt() async throws {
        let epoch = try await begin()
        try await renewal.renew()
        _ = try await taken(epoch, by: "dead")
        let registry = WorkerRegistry(broker)
        _ = try await registry.renew("dead", lease: .milliseconds(1), condition: .clean, losses: 0, isKnown: false)
        let dead = try await eventually { try await registry.all().workers.first { $0.worker == "dead" && !$0.isAlive } }
        worker.arrive(try await queue.takeOver(dead, worker: "a", count: 4))
        // From here on it is in this worker's hands, whether its work has begun or not.
        #expect(worker.inFlight.all.map(\.isUnderstood) == [false])
        _ = try await broker.redis.send(["FLUSHALL"])
        try await renewal.renew()
        try await renewal.renew()
        #expect(try await condition() == .doubt)
        #expect(worker.takeArrived().map(\.isEnded) == [true])
    }

    @Test func whoLeavesGivesUpItsLeaseAndLeavesABatchItDoesNotKnowOfToOthers() async throws {
        let epoch = try await begin()
        try await renewal.renew()
        _ = try await taken(epoch)
        try await renewal.leave()
        let registry = WorkerRegistry(broker)
        let left = try await eventually { try await registry.all().workers.first { $0.worker == "a" && !$0.isAlive } }
        #expect(try await queue.takeOver(left, worker: "b", count: 4).map(\.from) == ["a"])
    }

    @Test func resultsGoTogetherAndTheClosingGroupComesLast() async throws {
        let lease = try await taken(try await begin())
        let buffer = ResultBuffer(lease: lease, worker: worker)
        for index in 0..<4 { await buffer.add(results(index..<index + 1)) }
        #expect(buffer.due(after: .milliseconds(50)) != nil)
        await buffer.flush(olderThan: .zero)
        #expect(buffer.due(after: .milliseconds(50)) == nil)
        await buffer.add(results(4..<10))
        await buffer.close(.done)
        let told = try await groups()
        #expect(told.map(\.results) == [results(0..<4), results(4..<10)])
        #expect(told.map(\.closing) == [.open, .done] && told.map(\.sequence) == [0, 1] && told.map(\.groups) == [1, 2])
        #expect(told.map(\.provider) == ["p", "p"])
        #expect(try await queue.lanes().isEmpty)
    }

    @Test func manySendersOfOneBatchLoseNothingAndCloseItOnce() async throws {
        let lease = try await taken(try await begin())
        let buffer = ResultBuffer(lease: lease, worker: worker)
        await withTaskGroup(of: Void.self) { group in
            for sender in 0..<8 {
                group.addTask {
                    for place in 0..<60 {
                        await buffer.add(results(100 * sender + place..<100 * sender + place + 1))
                        if place % 7 == sender % 7 { await buffer.flush(olderThan: .zero) }
                    }
                }
            }
        }
        await buffer.close(.done)
        let told = try await groups()
        let expected = (0..<8).flatMap { sender in (0..<60).map { 100 * sender + $0 } }
        #expect(told.flatMap(\.results).map(\.index).sorted() == expected)
        #expect(told.map(\.sequence).sorted() == Array(0..<told.count))
        #expect(told.filter { $0.closing == .done }.map(\.groups) == [told.count] && told.last?.closing == .done)
    }

    @Test func resultsAreTriedUntilRedisIsBack() async throws {
        let lease = try await taken(try await begin())
        let buffer = ResultBuffer(lease: lease, worker: worker)
        await buffer.add(results(0..<3))
        server.stop()
        async let closed: Void = buffer.close(.done)
        try await server.start()
        await closed
        #expect(try await groups().map(\.results) == [results(0..<3)])
        #expect(!worker.hasLostResults)
    }

    @Test func resultsThatNobodyCanBeToldOfLeaveTheBatchPending() async throws {
        let lease = try await taken(try await begin())
        let buffer = ResultBuffer(lease: lease, worker: worker)
        await buffer.add(results(0..<3))
        server.stop()
        let flushing = Task { await buffer.flush(olderThan: .zero) }
        flushing.cancel()
        await flushing.value
        #expect(worker.hasLostResults)
        await buffer.close(.done)
    }
}
