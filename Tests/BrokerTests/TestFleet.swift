import Model
import NIOPosix
import TestServers
import Testing

@testable import Broker

/// A Redis of a test's own with an epoch, and short words for what the roles do with it.
struct TestFleet {
    let server: RedisServer
    let broker: Broker
    let queue: BatchQueue
    let registry: WorkerRegistry
    let published: PublishedMailings
    let status: StatusStreams
    let epochs: EpochStore
    let token = FencingToken(ledger: "ledger", number: 1)
    /// A mailing of the lane `lane`.
    let id = MailingID(milliseconds: Clock.milliseconds())
    let lane = Lane(channel: .email, provider: "p")

    /// - Parameter persists: what is in it comes back when it is started again.
    init(persists: Bool = false) async throws {
        server = try await RedisServer(persists ? ["--appendonly", "yes", "--appendfsync", "always"] : [])
        broker = Self.broker(server)
        queue = BatchQueue(broker)
        registry = WorkerRegistry(broker)
        published = PublishedMailings(broker)
        status = StatusStreams(broker)
        epochs = EpochStore(broker)
    }

    static func broker(_ server: RedisServer, partitions: Int = 3, prefix: String = "test") -> Broker {
        Broker(
            endpoint: RedisEndpoint(place: .unix(path: server.socket)), prefix: prefix, partitions: partitions, name: "test",
            group: .singletonMultiThreadedEventLoopGroup, logger: quiet)
    }

    /// Begins an epoch, as a dispatcher does.
    func begin() async throws -> Epoch {
        let found = try await epochs.hold(token, time: .seconds(300))
        #expect(found.leadership == .held)
        return try #require(try await epochs.establish(after: found, fencingToken: token))
    }

    /// Redis loses all that it held, or is started again and has it still.
    func lose(_ how: Loss) async throws {
        switch how {
        case .emptied: _ = try await broker.redis.send(["FLUSHALL"])
        case .restarted:
            server.stop()
            try await server.start()
            try await eventually("Redis is back") { (try? await broker.time()) != nil }
        }
    }

    enum Loss: CaseIterable { case emptied, restarted }

    func batch(_ number: Int = 0, dispatchNumber: Int = 1, count: Int = 10, open: [OpenRecipient]? = nil) -> DispatchedBatch {
        DispatchedBatch(
            id: BatchID(mailing: id, number: number), dispatchNumber: dispatchNumber, recipients: Array("[]".utf8), count: count,
            open: open, expires: 5, dispatched: 7)
    }

    @discardableResult
    func dispatch(_ batches: [DispatchedBatch], to lane: Lane? = nil, epoch: Epoch) async throws -> Int {
        try await queue.dispatch(batches.map { ($0, lane ?? self.lane) }, epoch: epoch, fencingToken: token)
    }

    func publish(_ state: MailingState = .sending, speed: String = "") async throws {
        let mailing = Mailing(name: "m", channel: .email, provider: "p")
        try await published.publish([.init(id: id, definition: mailing, state: state, speed: speed)], fencingToken: token)
    }

    func take(_ worker: String = "a", from lane: Lane? = nil, count: Int = 1) async throws -> [BatchLease] {
        try await queue.take([.init(lane: lane ?? self.lane, count: count)], worker: worker).flatMap(\.leases)
    }

    /// A batch of a mailing that sends, dispatched and taken by a worker.
    func taken(_ epoch: Epoch, by worker: String = "a", _ batch: DispatchedBatch? = nil) async throws -> BatchLease {
        try await publish()
        try await dispatch([batch ?? self.batch()], epoch: epoch)
        return try #require(try await take(worker).first)
    }

    @discardableResult
    func renew(
        _ worker: String, lease: Duration = .seconds(300), _ condition: WorkerRegistry.Condition = .clean, losses: Int = 0,
        isKnown: Bool = true
    ) async throws -> WorkerRegistry.Renewal {
        try await registry.renew(worker, lease: lease, condition: condition, losses: losses, isKnown: isKnown)
    }

    /// A worker registers and its lease expires.
    /// - Returns: its registration.
    func dead(_ worker: String) async throws -> WorkerRegistry.Registration {
        try await renew(worker, lease: .milliseconds(1), isKnown: false)
        return try await eventually("the lease of \(worker) has expired") {
            try await registry.all().workers.first { $0.worker == worker && !$0.isAlive }
        }
    }

    func takeOver(_ dead: WorkerRegistry.Registration, by worker: String = "b", count: Int = 10) async throws -> [BatchLease] {
        try await queue.takeOver(dead, worker: worker, count: count)
    }

    func entries(_ lane: Lane? = nil) async throws -> Int { try await queue.counts([lane ?? self.lane])[0].entries }

    func exists(_ key: String) async throws -> Bool { try await broker.redis.send(["EXISTS", .text(key)]).int == 1 }

    func hasConsumer(_ worker: String) async throws -> Bool {
        let consumers = try await broker.redis.send(["XINFO", "CONSUMERS", .text(broker.keys.lane(lane)), .text(Keys.workers)])
        return (consumers.array ?? []).contains { ($0.array ?? []).contains { $0.text == worker } }
    }

    /// The groups of results that wait for a collector.
    func groups() async throws -> [ResultGroup] {
        try await status.read(consumer: "c", count: 1000, block: .milliseconds(20)).compactMap {
            if case .results(let group) = $0.payload { group } else { nil }
        }
    }

    func open(_ indexes: Range<Int>) -> [OpenRecipient] { indexes.map { OpenRecipient(index: $0, attempts: 0) } }

    func sent(_ indexes: Range<Int>) -> [RecipientResult] {
        indexes.map {
            RecipientResult(
                index: $0, state: .sent, attempts: 1, at: 1_000_000,
                response: ProviderResponse(action: .accept, stage: .response, code: 250, text: "Ok"))
        }
    }

    func group(
        _ lease: BatchLease, _ sequence: Int, _ closing: ResultGroup.Closing, _ results: [RecipientResult]
    ) -> ResultGroup {
        ResultGroup(
            Dispatch(batch: lease.batch.id, dispatchNumber: lease.batch.dispatchNumber),
            worker: "\(lease.holder.worker).\(lease.holder.deliveries)",
            provider: lease.lane.provider, sequence: sequence, closing: closing, results: results)
    }
}

extension MailingID {
    init(milliseconds: Int64) {
        var generator = SystemRandomNumberGenerator()
        self.init(milliseconds: milliseconds, using: &generator)
    }
}
